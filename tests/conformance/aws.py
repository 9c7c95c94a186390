"""The conformance cases of AWS: mistakes that audits make, each as a small account with the right verdict.

The numbers are those of docs/semantics.md; docs/conformance.md is generated from these cases.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.conformance.account import ACCOUNT, REGION, Account, Json, acl_entry, permission
from tests.conformance.cases import Case, Expected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloudseg.snapshot import Snapshot

__all__ = ["CASES"]

EXPOSED, LATENT = "internet-exposed-port", "latent-internet-rule"
EVERYONE = r"whole (IPv4 |IPv6 )?internet"
SHARE = r"\d %"
SSH = permission("tcp", 22, 22, "0.0.0.0/0")
IN, OUT = (acl_entry(100, "allow", "0.0.0.0/0", egress=egress) for egress in (False, True))


def _public(
    *ingress: Json, ipv6: str = "", acl: tuple[Json, ...] = (), lists: Mapping[str, tuple[str, ...]] | None = None
) -> Callable[[], Snapshot]:
    """An instance with a public address in the public subnet, with the group ``sg-a`` of these permissions."""

    def build() -> Snapshot:
        account = Account()
        for own, cidrs in (lists or {}).items():
            account.prefix_list(own, *cidrs)
        if acl:
            account.acl(*acl)
        account.group("sg-a", *ingress)
        account.public_instance("sg-a", ipv6=ipv6)
        return account.snapshot()

    return build


def _exposed(severity: str = "", **more: object) -> Expected:
    return Expected(EXPOSED, "sg-a", severity, reachable=True, **more)  # type: ignore[arg-type]


def _balancer(scheme: str, *ports: int) -> Callable[[], Snapshot]:
    def build() -> Snapshot:
        account = Account()
        account.group("sg-a", SSH)
        account.load_balancer(scheme, "sg-a", ports=ports)
        return account.snapshot()

    return build


def _unattached() -> Snapshot:
    account = Account()
    account.group("sg-a", SSH)
    return account.snapshot()


def _private() -> Snapshot:
    account = Account()
    account.group("sg-a", SSH)
    account.interface("eni-1", "sg-a", subnet="subnet-private", address="10.0.2.5")
    return account.snapshot()


def _public_address_without_route() -> Snapshot:
    account = Account()
    account.group("sg-a", SSH)
    account.interface("eni-1", "sg-a", subnet="subnet-private", address="10.0.2.5", public="203.0.113.10")
    return account.snapshot()


def _endpoints(*endpoints: tuple[str, str]) -> Callable[[], Snapshot]:
    """A private instance with a way out, and endpoints of services in states."""

    def build() -> Snapshot:
        account = Account()
        account.group("sg-a")
        account.interface("eni-1", "sg-a", subnet="subnet-private", address="10.0.2.5")
        for number, (service, state) in enumerate(endpoints):
            account.endpoint(f"vpce-{number}", service, state=state)
        return account.snapshot()

    return build


def _endpoint_policy(service: str, policy: str | None, *, supported: bool = True) -> Callable[[], Snapshot]:
    def build() -> Snapshot:
        account = Account()
        kind: Json = {
            "ServiceName": f"com.amazonaws.{REGION}.{service}",
            "VpcEndpointPolicySupported": supported,
            "ServiceType": [{"ServiceType": "Interface"}],
        }
        account.add("ec2", "describe_vpc_endpoint_services", "ServiceDetails", kind)
        account.endpoint("vpce-1", service, policy=policy)
        return account.snapshot()

    return build


def _flow_log(traffic: str, delivered: str) -> Callable[[], Snapshot]:
    def build() -> Snapshot:
        account = Account()
        account.group("sg-a")
        account.interface("eni-1", "sg-a", subnet="subnet-private", address="10.0.2.5")
        account.flow_log("fl-1", traffic=traffic, delivered=delivered)
        return account.snapshot()

    return build


def _wide_egress() -> Snapshot:
    account = Account()
    account.group("sg-a", egress=[permission("-1", None, None, "0.0.0.0/0")])
    account.public_instance("sg-a")
    return account.snapshot()


def _wide_ingress() -> Snapshot:
    account = Account()
    account.group("sg-a", permission("tcp", 443, 443, "0.0.0.0/0"))
    account.public_instance("sg-a")
    return account.snapshot()


def _used_by(use: Callable[[Account], None]) -> Callable[[], Snapshot]:
    """The group ``sg-a`` without an interface, and something that would attach or that names it."""

    def build() -> Snapshot:
        account = Account()
        account.group("sg-a", permission("tcp", 8080, 8080, "10.0.1.0/24"))
        use(account)
        return account.snapshot()

    return build


def _named_by_a_group(account: Account) -> None:
    account.group("sg-b", permission("tcp", 5432, 5432, "sg-a"))
    account.interface("eni-1", "sg-b", subnet="subnet-private", address="10.0.2.5")


def _launch_template(account: Account) -> None:
    version: Json = {
        "LaunchTemplateId": "lt-1",
        "LaunchTemplateName": "app",
        "VersionNumber": 3,
        "DefaultVersion": True,
        "LaunchTemplateData": {"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-a"]}]},
    }
    account.add("ec2", "describe_launch_template_versions", "LaunchTemplateVersions", version)


def _function(account: Account) -> None:
    function: Json = {
        "FunctionName": "resize",
        "FunctionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:resize",
        "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-private"], "SecurityGroupIds": ["sg-a"]},
    }
    account.add("lambda", "list_functions", "Functions", function)
    account.put("lambda", "list_function_url_configs", {"FunctionUrlConfigs": []}, "resize")


def _batch(account: Account) -> None:
    environment: Json = {
        "computeEnvironmentName": "nightly",
        "computeEnvironmentArn": f"arn:aws:batch:{REGION}:{ACCOUNT}:compute-environment/nightly",
        "computeResources": {"type": "FARGATE", "securityGroupIds": ["sg-a"], "subnets": ["subnet-private"]},
    }
    account.add("batch", "describe_compute_environments", "computeEnvironments", environment)


def _build_project(account: Account) -> None:
    project: Json = {
        "name": "site",
        "arn": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/site",
        "vpcConfig": {"vpcId": "vpc-1", "subnets": ["subnet-private"], "securityGroupIds": ["sg-a"]},
    }
    account.add("codebuild", "list_projects", "projects", "site")
    account.add("codebuild", "batch_get_projects", "projects", project)


def _scheduled_task(account: Account) -> None:
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly"
    network: Json = {"awsvpcConfiguration": {"Subnets": ["subnet-private"], "SecurityGroups": ["sg-a"]}}
    target: Json = {
        "Id": "1",
        "Arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/jobs",
        "EcsParameters": {"TaskDefinitionArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/nightly:1",
                          "LaunchType": "FARGATE", "NetworkConfiguration": network},
    }  # fmt: skip
    account.add("events", "list_event_buses", "EventBuses", {"Name": "default"})
    rule: Json = {"Name": "nightly", "Arn": arn, "EventBusName": "default", "State": "ENABLED"}
    account.put("events", "list_rules", {"Rules": [rule]}, "default")
    account.put("events", "list_targets_by_rule", {"Targets": [target]}, arn)


def _nothing(_: Account) -> None:
    pass


FULL_ACCESS = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]})
ONE_BUCKET = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::one/*"}]}
)
DENY_SSH_FIRST = (acl_entry(90, "deny", "0.0.0.0/0", protocol="6", ports=(22, 22)), IN, OUT)
DENY_SSH_LAST = (acl_entry(110, "deny", "0.0.0.0/0", protocol="6", ports=(22, 22)), IN, OUT)
HALVES = (acl_entry(100, "allow", "0.0.0.0/1"), acl_entry(110, "allow", "128.0.0.0/1"), OUT)
ALL_TCP = (acl_entry(100, "allow", "0.0.0.0/0", protocol="6", ports=(0, 65535)), OUT)
UNUSED = Expected("unused-group", "sg-a", "info")

CASES: tuple[Case, ...] = (
    Case(201, "two halves of IPv4 on every protocol are the whole internet",
         "0.0.0.0/1 and 128.0.0.0/1 together leave no address out; neither rule may pass for a private range",
         _public(permission("-1", None, None, "0.0.0.0/1", "128.0.0.0/1")),
         (_exposed("critical", times=2), _exposed("critical", says=(EVERYONE,), times=2))),
    Case(201, "two halves of IPv6 are the whole internet",
         "::/1 and 8000::/1 together leave no address out",
         _public(permission("tcp", 22, 22, "::/1", "8000::/1"), ipv6="2001:db8::5"),
         (_exposed("high", peer="::/1"),)),
    Case(202, "a customer's prefix list with 0.0.0.0/0 in it is the whole internet",
         "a list is what its entries are, whatever its name says",
         _public(permission("tcp", 22, 22, "pl-1"), lists={"pl-1": ("0.0.0.0/0",)}),
         (_exposed("high", says=(EVERYONE,)),)),
    Case(202, "a customer's prefix list of an office is the office",
         "sixteen public addresses are open to their holders, one step milder, and never called the internet",
         _public(permission("tcp", 22, 22, "pl-1"), lists={"pl-1": ("198.51.100.16/28", "10.0.0.0/8")}),
         (_exposed("medium", never_says=(EVERYONE,)),)),
    Case(202, "a customer's prefix list of private ranges opens nothing to the internet",
         "no packet from the internet bears a private source address",
         _public(permission("tcp", 22, 22, "pl-1"), lists={"pl-1": ("10.0.0.0/8", "192.168.0.0/16")}),
         silent=(EXPOSED, LATENT)),
    Case(203, "tcp 1-65535 is every port in effect",
         "port 0 is the only one left out, and nothing listens there",
         _public(permission("tcp", 1, 65535, "0.0.0.0/0")), (_exposed("critical"),)),
    Case(203, "tcp 0-65534 is every port in effect", "one port left out makes no difference",
         _public(permission("tcp", 0, 65534, "0.0.0.0/0")), (_exposed("critical"),)),
    Case(203, "ESP, GRE and IP in IP are open although they have no ports",
         "AWS takes protocols by number, and a tunnel carries anything",
         _public(*(permission(number, None, None, "0.0.0.0/0") for number in ("50", "47", "4"))),
         (_exposed(times=3),)),
    Case(204, "ICMP type 8 is echo, not port 8",
         "the port fields of an ICMP permission hold type and code",
         _public(permission("icmp", 8, -1, "0.0.0.0/0")),
         (_exposed("info", says=("icmp/8",), never_says=("tcp", "port 8")),)),
    Case(204, "udp/22 is not SSH", "SSH is a service of TCP",
         _public(permission("udp", 22, 22, "0.0.0.0/0")), (_exposed("medium", never_says=("SSH",)),)),
    Case(205, "a rule for all ports names the worst classes it exposes, SSH among them",
         "one exposure is told once, with every class of ports in it",
         _public(permission("-1", None, None, "0.0.0.0/0")),
         (_exposed("critical", says=("SSH", "databases", "remote desktop")),)),
    Case(205, "a rule for all ports does not hide the one for port 22 beside it",
         "mending the first would leave the second",
         _public(permission("-1", None, None, "0.0.0.0/0"), SSH), (_exposed("critical"), _exposed("high"))),
    Case(206, "a group of an internet-facing load balancer exposes port 22 if its rule says so",
         "that no listener uses the port today does not close the rule",
         _balancer("internet-facing", 80), (Expected(EXPOSED, "sg-a", "high", ("no listener",), reachable=None),)),
    Case(206, "a listener on port 22 makes the exposure certain", "the load balancer answers there",
         _balancer("internet-facing", 22), (_exposed("high", never_says=("no listener",)),)),
    Case(206, "an internal load balancer is not internet-facing",
         "its nodes have no public address, so that nothing can arrive",
         _balancer("internal", 22),
         (Expected(LATENT, "sg-a", "low", ("no public address",), reachable=False),), (EXPOSED,)),
    Case(207, "an unattached group is unused and its open rule latent, not exposed",
         "without an interface there is nothing to reach",
         _unattached, (UNUSED, Expected(LATENT, "sg-a", "low", reachable=False)), (EXPOSED,)),
    Case(208, "port 22 from anywhere without a public address is open, not exposed",
         "an internet gateway translates only addresses that have a public one",
         _private, (Expected(LATENT, "sg-a", "low", ("no public address",), reachable=False),), (EXPOSED,)),
    Case(208, "a public address without a route to an internet gateway is not exposed",
         "no route, no way back, no connection",
         _public_address_without_route,
         (Expected(LATENT, "sg-a", "low", ("no route to an internet gateway",), reachable=False),), (EXPOSED,)),
    Case(209, "a network ACL's deny above the allow closes the port",
         "the lowest number that matches decides",
         _public(SSH, acl=DENY_SSH_FIRST), (Expected(LATENT, "sg-a", "low", ("acl-1",), reachable=False),), (EXPOSED,)),
    Case(209, "a network ACL's deny below the allow does nothing", "the allow with the lower number decided already",
         _public(SSH, acl=DENY_SSH_LAST), (_exposed("high"),)),
    Case(209, "a network ACL that allows two halves is open",
         "the two entries leave no IPv4 address out",
         _public(SSH, acl=HALVES), (_exposed("high"), Expected("open-network-acl", "acl-1", "info"))),
    Case(209, "a network ACL that allows tcp 0-65535 is open for any port",
         "every port is every port, however it is written", _public(SSH, acl=ALL_TCP), (_exposed("high"),)),
    Case(210, "of one permission with three sources only the open one is reported",
         "AWS returns sources of the same protocol and ports as one permission; each is a rule of its own, and a "
         "remedy removes one source, never the permission",
         _public(permission("tcp", 22, 22, "10.1.0.0/16", "0.0.0.0/0", "198.51.100.16/28")),
         (_exposed("high", peer="0.0.0.0/0"), _exposed("medium", peer="198.51.100.16/28")),),
    Case(211, "a rule for the group itself does not excuse the open rule beside it",
         "groups only allow: the union of all rules counts",
         _public(permission("tcp", 22, 22, "sg-a", "0.0.0.0/0")), (_exposed("high", peer="0.0.0.0/0"),)),
    Case(211, "a prefix list does not excuse the open rule beside it",
         "groups only allow: the union of all rules counts",
         _public(permission("tcp", 22, 22, "pl-1", "0.0.0.0/0"), lists={"pl-1": ("10.0.0.0/8",)}),
         (_exposed("high", peer="0.0.0.0/0"),)),
    Case(212, "an endpoint whose name only ends alike, or that failed, is no endpoint for the service",
         "the end of the name must be the service's own, and a failed or deleting endpoint serves nobody",
         _endpoints(("mys3", "available"), ("s3", "failed"), ("dynamodb", "deleting")),
         (Expected("missing-private-endpoint", "vpc-1", says=("s3", "dynamodb")),)),
    Case(212, "working endpoints of the services leave nothing to report", "each service has an endpoint that is up",
         _endpoints(("s3", "available"), ("dynamodb", "available")), silent=("missing-private-endpoint",)),
    Case(212, "an endpoint of a service that knows no policies is not at fault for having none",
         "some services take no endpoint policy at all, and AWS says which",
         _endpoint_policy("transfer.server", None, supported=False), silent=("open-endpoint-policy",)),
    Case(212, "an endpoint whose policy allows everything is open",
         "the default policy lets any principal do anything through the endpoint",
         _endpoint_policy("s3", FULL_ACCESS), (Expected("open-endpoint-policy", "vpce-1"),)),
    Case(212, "an endpoint whose policy names one bucket is restricted", "only that bucket can be reached",
         _endpoint_policy("s3", ONE_BUCKET), silent=("open-endpoint-policy",)),
    Case(213, "a flow log that records only REJECT is not full visibility",
         "what was allowed, which is what moves data, is not recorded",
         _flow_log("REJECT", "SUCCESS"), (Expected("partial-flow-logs", "vpc-1"),)),
    Case(213, "a flow log whose delivery failed is not full visibility", "what does not arrive cannot be looked at",
         _flow_log("ALL", "FAILED"), (Expected("partial-flow-logs", "vpc-1"),)),
    Case(213, "a flow log of everything that arrives is full visibility", "there is nothing to add",
         _flow_log("ALL", "SUCCESS"), silent=("missing-flow-logs", "partial-flow-logs")),
    Case(214, "a wide egress list is no ingress finding", "egress rules let nobody in; new groups have such a list",
         _wide_egress, (Expected("unrestricted-egress", "vpc-1"),), (EXPOSED, LATENT)),
    Case(214, "a wide ingress list is no egress finding", "ingress rules let nobody out",
         _wide_ingress, (_exposed("medium"),), ("unrestricted-egress",)),
    Case(215, "a /8 of public addresses is reported by its size",
         "sixteen million addresses are neither everyone nor a few",
         _public(permission("tcp", 22, 22, "17.0.0.0/8")),
         (_exposed("high", says=(SHARE,), never_says=(EVERYONE,)),)),
    Case(215, "a /3 of public addresses is reported by its size",
         "an eighth of the internet is not the internet, and is not missed",
         _public(permission("tcp", 22, 22, "32.0.0.0/3")),
         (_exposed("high", says=(SHARE,), never_says=(EVERYONE,)),)),
    Case(216, "a group that nothing uses is unused", "no interface, no rule and no setting names it",
         _used_by(_nothing), (UNUSED,)),
    *(
        Case(216, f"a group that {whose} is used", "deleting it would break what names it",
             _used_by(use), silent=(("unused-group", "sg-a"),))
        for whose, use in (
            ("a rule of another group names", _named_by_a_group),
            ("a launch template would attach", _launch_template),
            ("a function would attach", _function),
            ("a Batch compute environment would attach", _batch),
            ("a CodeBuild project would attach", _build_project),
            ("a scheduled ECS task would attach", _scheduled_task),
        )
    ),
)  # fmt: skip
