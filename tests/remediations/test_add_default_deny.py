"""All else is denied once what is needed is admitted; in every state between, each need passes and nobody gains."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec
import pytest

from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule, vnet_id
from cloudseg.intent import Allowance, Intent
from cloudseg.model.edits import AddRule, AddRuleSet, RemoveRuleSet
from cloudseg.reach.reachability import Reachability
from cloudseg.remediations.add_default_deny import REMEDY
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic
from tests.remediations.judged import Answers, answered, assert_carries, assert_gains_nothing, losses

if TYPE_CHECKING:
    from cloudseg.model import Direction, Rule

WEB_NIC, DATA_NIC = (
    NsgBuilder.id(arm("microsoft.network/networkinterfaces", name)) for name in ("nic-web", "nic-data")
)
LOGS = logs_of("an adapter", provider="azure", network=vnet_id())


def pod(name: str, namespace: str = "shop") -> str:
    return f"kubernetes:manifests:{namespace}/{name}[Deployment]"


def nsg(*rules: Rule, listed: bool = True) -> NsgBuilder:
    b = NsgBuilder()
    b.asg("asg-web")
    if listed:
        b.nsg("nsg-data", *rules, subnet="data")
    b.machine("nic-data", "data", "10.1.2.10")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.flow_log("fl-1", b.network)
    return b


def flows(*ports: int, source: str = "10.1.1.10") -> ExampleConversations:
    rows = (
        seen(source, "10.1.2.10", port, provider="azure", initiator_network=vnet_id(), responder_network=vnet_id())
        for port in ports
    )
    return ExampleConversations(rows, LOGS)


def denied(b: NsgBuilder, check: str = "missing-default-deny", *ports: int) -> Answers:
    return answered(REMEDY, check, b.build(), flows=flows(*(ports or (1433,))))


def test_what_was_used_passes_in_every_state_and_all_else_of_the_network_goes() -> None:
    judged = denied(nsg())

    assert_gains_nothing(judged)
    assert_carries(judged, WEB_NIC, DATA_NIC, "tcp/1433")
    assert Reachability(judged.after).between(WEB_NIC, DATA_NIC).upper == Traffic.parse("tcp/1433")


def test_probes_of_the_load_balancer_pass_before_and_after() -> None:
    judged = denied(nsg())
    host = AddressSet.parse("168.63.129.16")

    for state in (judged.estate, *judged.states):
        assert Reachability(state).between(host, DATA_NIC).lower.is_all


def test_rules_stand_behind_those_of_the_owner_and_the_denial_is_the_last() -> None:
    judged = denied(nsg(nsg_rule("ingress", 4000, "tcp/22", "10.1.1.0/24", deny=True)))

    added = [edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule)]
    assert [(rule.priority, rule.verdict) for rule in added] == [(4094, "next"), (4095, "next"), (4096, "deny")]
    assert [change.phase for change in judged.changes] == ["add", "add", "remove"]


def test_a_denial_of_the_owner_before_goes_on_denying() -> None:
    b = nsg(nsg_rule("ingress", 200, "tcp/1434", "asg-web", deny=True))
    judged = denied(b, "missing-default-deny", 1433)

    assert not Reachability(judged.after).between(WEB_NIC, DATA_NIC).upper.overlaps(Traffic.parse("tcp/1434"))
    assert_gains_nothing(judged)


@pytest.mark.semantics(133)
@pytest.mark.parametrize("where", ["delegated", "bastion", "gateway", "application gateway", "required rule"])
def test_subnets_of_the_platform_keep_its_rules(where: str) -> None:
    b = nsg()
    if where == "required rule":
        rule = msgspec.structs.replace(nsg_rule("ingress", 100, "tcp/65200-65535", "Internet"), required=True)
        b.nsg("nsg-data", rule, subnet="data")
    estate = b.build()
    subnets, interfaces = dict(estate.subnets), dict(estate.interfaces)
    own = subnets[b.subnet("data")]
    match where:
        case "delegated":
            subnets[own.id] = msgspec.structs.replace(own, delegated=("Microsoft.Sql/managedInstances",))
        case "bastion":
            subnets[own.id] = msgspec.structs.replace(own, name="AzureBastionSubnet")
        case "gateway":
            subnets[own.id] = msgspec.structs.replace(own, name="GatewaySubnet")
        case "application gateway":
            beside = msgspec.structs.replace(interfaces[DATA_NIC], id=f"{DATA_NIC}-agw", role="application_gateway")
            interfaces[beside.id] = beside
        case _:
            pass
    changed = dataclasses.replace(estate, subnets=subnets, interfaces=interfaces)
    judged = answered(REMEDY, "missing-default-deny", changed, flows=flows(1433))

    assert judged.proposals == ()
    assert "a denial of all else is refused there" in judged.advice.reason


def test_without_a_place_for_the_denial_the_nsg_is_left() -> None:
    judged = denied(nsg(nsg_rule("ingress", 4096, "tcp/22", "10.1.1.0/24")))

    assert judged.advice.reason == "no 3 priorities up to 4096 are free behind the rules of nsg-data (rg)"


def test_a_rule_of_its_own_that_admits_everything_is_narrowed_first() -> None:
    judged = denied(nsg(nsg_rule("ingress", 300, "all", "VirtualNetwork")))

    assert judged.advice.reason == "inbound/rule-300 of nsg-data (rg) admits everything from inside: narrow that first"


def test_without_evidence_nothing_is_denied() -> None:
    judged = answered(REMEDY, "missing-default-deny", nsg().build())

    assert "no flow logs and no intent were given" in judged.advice.reason


def test_a_subnet_without_an_nsg_gets_one_that_admits_what_was_used() -> None:
    judged = answered(REMEDY, "unfiltered-interface", nsg(listed=False).build(), flows=flows(1433))

    made = [edit.rule_set for change in judged.changes for edit in change.edits if isinstance(edit, AddRuleSet)]
    assert len(made) == 2
    assert_gains_nothing(judged)
    assert_carries(judged, WEB_NIC, DATA_NIC, "tcp/1433")
    assert Reachability(judged.after).between(WEB_NIC, DATA_NIC).upper == Traffic.parse("tcp/1433")


def test_an_empty_subnet_gets_an_nsg_without_evidence_since_nothing_stands_there() -> None:
    b = NsgBuilder()
    b.nsg("nsg-data", nsg_rule("ingress", 4096, "all", deny=True), subnet="data")
    b.machine("nic-data", "data", "10.1.2.10")
    judged = answered(REMEDY, "unfiltered-interface", b.build())

    assert [each.resource for each in judged.proposals] == [b.subnet("web")]
    assert losses(judged.estate, judged.after) == []
    assert_gains_nothing(judged)


def test_a_new_nsg_opens_nothing_that_is_meant_and_does_not_pass_today() -> None:
    b = nsg(listed=False)
    data = Segment(name="data", choice=Choice(names=("nic-data",)))
    allowed = Allowance(sources=("internet",), targets=("data",), traffic=Traffic.parse("tcp/443"))
    judged = answered(REMEDY, "unfiltered-interface", b.build(), intent=Intent(segments=(data,), allow=(allowed,)))

    rules = [
        rule
        for change in judged.changes
        for edit in change.edits
        if isinstance(edit, AddRuleSet)
        for rule in edit.rule_set.rules
    ]
    assert not any(str(rule.traffic) == "tcp/443" for rule in rules)
    assert_gains_nothing(judged)


def isolated(*directions: Direction) -> ClusterBuilder:
    b = ClusterBuilder()
    for name in ("web", "db", "job"):
        b.workload("shop", name)
    for direction in directions:
        inward = direction == "ingress"
        b.policy("shop", f"deny-{direction}", ingress=() if inward else None, egress=None if inward else ())
    return b


def intent(*pairs: tuple[str, str, str]) -> Intent:
    names = sorted({name for source, target, _ in pairs for name in (source, target)})
    segments = tuple(Segment(name=name, choice=Choice(tags={"app": (name,)})) for name in names)
    allowed = (Allowance(sources=(a,), targets=(b,), traffic=Traffic.parse(traffic)) for a, b, traffic in pairs)
    return Intent(segments=segments, allow=tuple(allowed))


WEB_TO_DB = intent(("web", "db", "tcp/5432"))


def test_a_namespace_is_isolated_without_losing_a_need_on_the_way() -> None:
    judged = answered(REMEDY, "missing-default-deny", isolated("egress").build(), intent=WEB_TO_DB)

    assert_gains_nothing(judged)
    # Egress is denied by the policies of today, so that nothing passes; without these it would be a need.
    open_egress = answered(REMEDY, "missing-default-deny", isolated().build(), intent=WEB_TO_DB)
    assert_carries(open_egress, pod("web"), pod("db"), "tcp/5432")
    reach = Reachability(open_egress.after)
    assert reach.between(pod("web"), pod("db")).upper == Traffic.parse("tcp/5432")
    assert not reach.between(pod("job"), pod("db")).upper
    assert not reach.between(pod("db"), pod("web")).upper
    assert_gains_nothing(open_egress)


def test_the_temporary_policy_comes_first_and_its_end_is_what_isolates() -> None:
    judged = answered(REMEDY, "missing-default-deny", isolated("egress").build(), intent=WEB_TO_DB)

    first, last = judged.changes[0].edits[0], judged.changes[-1].edits[0]
    assert isinstance(first, AddRuleSet)
    assert isinstance(last, RemoveRuleSet)
    assert last.rule_set == first.rule_set.id
    for state in judged.states[:-1]:
        assert losses(judged.estate, state) == []
    assert losses(judged.estate, judged.after) != []


def test_only_those_are_opened_for_a_while_who_are_open_today() -> None:
    b = isolated("egress")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    judged = answered(REMEDY, "missing-default-deny", b.build(), intent=WEB_TO_DB)

    temporary = [change.edits[0] for change in judged.changes if change.phase == "prepare"]
    chosen = {
        each.id
        for edit in temporary
        if isinstance(edit, AddRuleSet)
        for each in judged.estate.selected(edit.rule_set.applies)
    }
    assert chosen == {pod("web"), pod("job")}
    assert_gains_nothing(judged)


def test_labels_that_would_choose_an_isolated_workload_too_stop_it() -> None:
    b = ClusterBuilder()
    b.workload("shop", "web", {"tier": "x"})
    b.workload("shop", "db", {"tier": "x", "app": "db"})
    b.policy("shop", "db", {"app": "db"}, ingress=())
    b.policy("shop", "egress", egress=())
    judged = answered(REMEDY, "missing-default-deny", b.build(), intent=WEB_TO_DB)

    assert "which is isolated already" in judged.advice.reason


def test_a_policy_that_admits_everything_loses_that_rule() -> None:
    b = isolated("egress")
    b.policy("shop", "default-deny", ingress=())
    b.policy("shop", "allow-all", ingress=(admit(),))
    judged = answered(REMEDY, "missing-default-deny", b.build(), intent=WEB_TO_DB)

    assert judged.lines[-1] == "remove from shop/NetworkPolicy/allow-all: ingress all from everyone"
    assert_gains_nothing(judged)


def test_who_is_isolated_for_egress_may_ask_the_resolver() -> None:
    b = isolated("ingress")
    b.workload("kube-system", "coredns", {"k8s-app": "kube-dns"})
    judged = answered(REMEDY, "missing-default-deny", b.build(), intent=WEB_TO_DB)

    assert_gains_nothing(judged)
    assert_carries(judged, pod("web"), pod("coredns", "kube-system"), "udp/53, tcp/53")
    assert Reachability(judged.after).between(pod("web"), pod("coredns", "kube-system")).upper == Traffic.parse(
        "udp/53, tcp/53"
    )


def test_proxies_of_a_mesh_keep_their_control_plane() -> None:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", "pod/mesh": "istio-sidecar"})
    b.workload("shop", "db", {"app": "db"})
    b.workload("istio-system", "istiod")
    b.policy("shop", "deny-ingress", ingress=())
    judged = answered(REMEDY, "missing-default-deny", b.build(), intent=WEB_TO_DB)

    assert_carries(judged, pod("web"), pod("istiod", "istio-system"), "tcp/15012")


def test_namespaces_of_the_cluster_are_left_to_it() -> None:
    b = ClusterBuilder()
    b.workload("kube-system", "coredns")
    judged = answered(REMEDY, "missing-default-deny", b.build(), intent=WEB_TO_DB)

    assert set(judged.reasons) == {"the cluster keeps this namespace itself"}


def test_a_plugin_that_enforces_nothing_isolates_nobody() -> None:
    b = ClusterBuilder()
    b.plugin("Flannel", enforces=())
    b.workload("shop", "web")
    judged = answered(REMEDY, "missing-default-deny", b.build(), intent=WEB_TO_DB)

    assert judged.proposals == ()


def test_dns_is_not_opened_by_a_plan() -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "default-deny", egress=())
    judged = answered(REMEDY, "missing-dns-egress", b.build())

    assert "a plan opens nothing" in judged.advice.reason
    assert '"k8s-app": "kube-dns"' in judged.advice.steps[0]


def test_an_interface_without_a_group_gets_one_for_what_was_used() -> None:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "10.0.0.0/16"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", [], "10.0.2.9")
    row = seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web", responder_interface="eni-db")
    judged = answered(
        REMEDY, "unfiltered-interface", b.build(), flows=ExampleConversations([row], logs_of("eni-web", "eni-db"))
    )

    assert_gains_nothing(judged)
    assert_carries(judged, b.id("eni-web"), b.id("eni-db"), "tcp/5432")
    assert Reachability(judged.after).between(b.id("eni-web"), b.id("eni-db")).upper == Traffic.parse("tcp/5432")


def test_a_group_that_the_next_replacement_throws_away_is_not_attached() -> None:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "10.0.0.0/16"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", [], "10.0.2.9", tags={"aws:autoscaling:groupName": "db"})
    row = seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web", responder_interface="eni-db")
    judged = answered(
        REMEDY, "unfiltered-interface", b.build(), flows=ExampleConversations([row], logs_of("eni-web", "eni-db"))
    )

    assert "would lose a group with its next replacement" in judged.advice.reason


def test_the_nsg_is_told_by_its_name() -> None:
    assert denied(nsg()).findings[0].resource.id == nsg_id("nsg-data")
