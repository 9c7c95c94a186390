"""Rules at load balancers and behind them are used by clients whose addresses the targets see."""

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of
from cloudseg.checks.unused_rule import CHECK
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.model import Forward
from cloudseg.observed.join import join
from cloudseg.observed.using import usage_of
from cloudseg.reach.reachability import Reachability
from tests.observed.tables import Table, conversation
from tests.reach.balancers import balancer, forward, q

CLIENT = "198.51.100.7"


def shop(to_target: Forward) -> EstateBuilder:
    b = EstateBuilder()
    b.subnet("subnet-a", "10.0.10.0/24", zone="eu-west-1a")
    b.group(
        "sg-lb",
        allow("ingress", "tcp/443", "0.0.0.0/0", rule_id="clients"),
        allow("egress", "tcp/8080", "sg-app", rule_id="targets"),
        allow("egress", "tcp/9090", "sg-app", rule_id="other-port"),
    )
    b.group("sg-other")
    b.group(
        "sg-app",
        allow("ingress", "tcp/8080", "sg-lb", rule_id="from-balancer"),
        allow("ingress", "tcp/8080", "sg-other", rule_id="from-other"),
    )
    b.interface("node-a", "subnet-a", ["sg-lb"], "10.0.10.9", "203.0.113.9", workload=q("lb"))
    b.interface("eni-app", "subnet-a", ["sg-app"], "10.0.10.50")
    balancer(b, to_target)
    return b


def used(b: EstateBuilder) -> set[str]:
    estate = b.build()
    row = conversation(CLIENT, "10.0.10.50", 8080, responder_interface="eni-app")
    found = usage_of(join(Table(row), estate), Reachability(estate), estate)
    return {
        rule.id
        for own in estate.rule_sets.values()
        for rule in own.rules
        if own.kind == "security-group" and found.used(own, rule)
    }


@pytest.mark.parametrize("keeps_client", [True, None])
def test_a_client_whose_address_is_kept_uses_rules_that_name_the_balancers_group(*, keeps_client: bool | None) -> None:
    assert used(shop(forward(keeps_client=keeps_client))) == {"from-balancer", "targets"}


def test_another_port_than_the_targets_is_not_handed_on() -> None:
    assert "targets" not in used(shop(forward(traffic="tcp/9090", keeps_client=True)))


def test_what_private_endpoints_bring_to_a_balancer_is_not_logged() -> None:
    b = shop(forward(keeps_client=True))
    flows = ExampleConversations([], logs_of("node-a", "eni-app"))
    before = _unused(b, flows)
    b.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}))
    assert "clients" in before
    assert before - _unused(b, flows) == {"clients"}


def _unused(b: EstateBuilder, flows: ExampleConversations) -> set[str]:
    request = AuditRequest(checks=(CHECK,), flows=flows, exposure=False)
    found = run_audit(b.build(), request).findings
    return {each.rule.id for each in found if each.rule is not None and each.resource.id.startswith("sg-")}
