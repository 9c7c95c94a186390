"""A wide rule is narrowed to what is needed: nothing is gained, and each need passes before, between and after."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, nic_id
from cloudseg.checks.example_gcp_intents import gcp_web_to_app
from cloudseg.checks.example_intents import web_and_app, web_to_app
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule, vnet_id
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Estate, InSubnets, ListRef
from cloudseg.model.edits import AddRule, Edit, RemoveRule
from cloudseg.model.forwarding import ANY_ZONE, Forward, Forwarder, ForwardTarget
from cloudseg.remediations.narrow_ports import REMEDY
from cloudseg.remediations.permissions import few_ports
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic
from tests.remediations.judged import answered, assert_carries, assert_gains_nothing, losses

APP, DB = EstateBuilder.id("eni-app"), EstateBuilder.id("eni-db")


def database(traffic: str = "tcp/1-65535", source: str = "sg-app", **group: Any) -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "tcp/5432", "10.0.0.0/16"))
    b.group("sg-db", allow("ingress", traffic, source), **group)
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9", "203.0.113.9")
    return b.build()


def used(*rows: dict[str, Any]) -> ExampleConversations:
    own = seen("10.0.2.10", "10.0.1.9", 5432, initiator_interface="eni-app", responder_interface="eni-db")
    return ExampleConversations([own, *rows], logs_of("eni-app", "eni-db"))


def test_the_port_that_was_used_is_kept_and_all_others_go() -> None:
    judged = answered(REMEDY, "overbroad-ports", database(source="10.0.0.0/16"), flows=used())

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432 from 10.0.0.0/16",
        "remove from sg-db: ingress tcp/1-65535 from 10.0.0.0/16",
    )
    assert_gains_nothing(judged)
    assert_carries(judged, APP, DB, "tcp/5432")
    assert judged.proposal.safety == "needs review"
    # The application may open nothing else by its own group, so that no pair of machines loses anything.
    assert losses(judged.estate, judged.after) == []


def test_clients_outside_are_kept_by_their_address_and_machines_by_their_subnet() -> None:
    client = seen("198.51.100.7", "10.0.1.9", 5432, responder_interface="eni-db")
    judged = answered(REMEDY, "internet-exposed-port", database("tcp/5432", "0.0.0.0/0"), flows=used(client))

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432 from 10.0.2.0/24",
        "add to sg-db: ingress tcp/5432 from 198.51.100.7",
        "remove from sg-db: ingress tcp/5432 from 0.0.0.0/0",
    )
    assert_gains_nothing(judged)
    assert_carries(judged, APP, DB, "tcp/5432")
    lost = losses(judged.estate, judged.after)
    assert all("198.51.100.7" not in source for sources, _, _ in lost for source in sources)
    assert lost, "everybody else outside no longer gets in"


def test_connections_by_a_rule_for_everyone_may_be_untracked_and_that_is_said() -> None:
    judged = answered(REMEDY, "internet-exposed-port", database("tcp/5432", "0.0.0.0/0"), flows=used())

    cut, tracked = judged.proposal.risks[-2:]
    assert "cut at once" in cut
    assert "run out of tracked connections" in tracked


def test_a_narrow_rule_is_no_risk_to_untracked_connections() -> None:
    judged = answered(REMEDY, "overbroad-ports", database(), flows=used())

    assert not any("track" in risk for risk in judged.proposal.risks)


def test_who_opened_a_connection_is_not_known_so_that_nothing_is_narrowed() -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "tcp/5432, tcp/9000", "sg-db"), allow("ingress", "tcp/5432", "sg-db"))
    b.group("sg-db", allow("ingress", "tcp/1-65535", "sg-app"), allow("egress", "tcp/5432", "sg-app"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    unknown = seen(
        "10.0.2.10", "10.0.1.9", 9000, initiator_interface="eni-app", responder_interface="eni-db", evidence="unknown",
        confidence="unknown", initiator_port=5432,
    )  # fmt: skip
    judged = answered(REMEDY, "overbroad-ports", b.build(), flows=used(unknown))

    assert judged.proposals == ()
    assert "opened by nobody knows whom" in judged.advice.reason


def test_another_end_that_is_not_known_is_shown_and_nothing_is_narrowed() -> None:
    stranger = seen("10.0.2.77", "10.0.1.9", 9000, responder_interface="eni-db")
    judged = answered(REMEDY, "overbroad-ports", database(source="10.0.0.0/16"), flows=used(stranger))

    assert judged.proposals == ()
    assert judged.advice.witness.startswith("10.0.2.77: ")


def test_a_controllers_list_is_left_alone() -> None:
    judged = answered(REMEDY, "overbroad-ports", database(managed_by="the load balancer controller"), flows=used())

    assert "would put the rule back" in judged.advice.reason


def test_without_any_use_the_rule_is_left_to_the_check_of_unused_rules() -> None:
    judged = answered(REMEDY, "overbroad-ports", database("tcp/9000-9999"), flows=used())

    assert "nobody was seen to use" in judged.advice.reason


def test_an_intent_that_allows_nothing_of_a_rule_removes_it() -> None:
    segments = tuple(Segment(name=name, choice=Choice(groups=(f"sg-{name}",))) for name in ("app", "db"))
    intent = Intent(segments=segments, allow=())
    judged = answered(REMEDY, "overbroad-ports", database(), intent=intent)

    assert judged.lines == ("remove from sg-db: ingress tcp/1-65535 from sg-app",)
    assert_gains_nothing(judged)


def test_an_intent_that_allows_all_of_a_rule_leaves_it() -> None:
    segments = tuple(Segment(name=name, choice=Choice(groups=(f"sg-{name}",))) for name in ("app", "db"))
    allowed = Allowance(sources=("app",), targets=("db",), traffic=Traffic.parse("tcp"))
    judged = answered(REMEDY, "overbroad-ports", database(), intent=Intent(segments=segments, allow=(allowed,)))

    assert "is used, or is intended" in judged.advice.reason


def test_in_an_nsg_the_narrow_rule_stands_before_the_denial_that_the_wide_one_kept_off() -> None:
    shut = nsg_rule("ingress", 102, "tcp", "10.1.0.0/16", deny=True)
    estate = web_and_app(nsg_rule("ingress", 101, "tcp/8000-8200", "asg-web"), shut)
    judged = answered(REMEDY, "overbroad-ports", estate, intent=web_to_app())

    added = [edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule)]
    ingress = next(rule for rule in added if rule.direction == "ingress")
    assert ingress.priority == 100
    assert_gains_nothing(judged)
    web, app = (NsgBuilder.id(_nic(name)) for name in ("nic-web", "nic-app"))
    assert_carries(judged, web, app, "tcp/8080")


def test_without_a_free_priority_before_the_denial_the_nsg_is_left() -> None:
    first = nsg_rule("ingress", 100, "tcp/8000-8200", "asg-web")
    shut = nsg_rule("ingress", 101, "tcp", "10.1.0.0/16", deny=True)
    judged = answered(REMEDY, "overbroad-ports", web_and_app(first, shut), intent=web_to_app())

    assert judged.reasons == ["no 1 priorities are free beside inbound/rule-100 of nsg-data (rg)"]


def test_an_nsg_at_two_subnets_is_narrowed_by_one_change_with_an_edit_for_each_place() -> None:
    b = NsgBuilder()
    own = b.nsg("nsg-both", nsg_rule("ingress", 100, "tcp/8000-8200", "10.1.0.0/16"), subnet="web")
    b.machine("nic-web", "web", "10.1.1.10")
    b.machine("nic-data", "data", "10.1.2.10")
    b.flow_log("fl-1", b.network)
    estate = b.build()
    # One NSG at two subnets is two lists of the estate, told apart behind the sign.
    places = {
        f"{own}@{name}": msgspec.structs.replace(
            estate.rule_sets[own], id=f"{own}@{name}", applies=InSubnets(frozenset((b.subnet(name),)))
        )
        for name in ("data", "web")
    }
    row = seen(
        "10.1.1.10", "10.1.2.10", 8080, provider="azure", initiator_network=vnet_id(), responder_network=vnet_id()
    )
    logs = logs_of("an adapter", provider="azure", network=vnet_id())
    both = dataclasses.replace(estate, rule_sets=places)
    judged = answered(REMEDY, "overbroad-ports", both, flows=ExampleConversations([row], logs))

    # Each list has a finding of its own here, and the answer to either is about both places.
    for proposal in judged.proposals:
        assert [tuple(_list_of(edit) for edit in change.edits) for change in proposal.changes] == [tuple(places)] * 2


def _list_of(edit: Edit) -> str:
    assert isinstance(edit, AddRule | RemoveRule)
    return edit.rule_set


def _nic(name: str) -> str:
    return arm("microsoft.network/networkinterfaces", name)


def test_a_vpc_firewall_rule_keeps_its_priority_so_that_denials_of_the_same_one_go_first() -> None:
    b = GcpBuilder()
    b.firewall(
        gcp_rule("app", "ingress", "tcp/8000-8200", "tag:web", targets="tag:app", priority=500),
        gcp_rule("no-admin", "ingress", "tcp/8100", verdict="deny", priority=500),
    )
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "data", "10.2.2.10", tags=["app"])
    judged = answered(REMEDY, "overbroad-ports", b.build(), intent=gcp_web_to_app())

    added = next(edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule))
    assert added.priority == 500
    assert added.resource.endswith(f"global/firewalls/{added.id.partition('/')[2]}")
    assert_gains_nothing(judged)
    assert_carries(judged, GcpBuilder.id(nic_id("web")), GcpBuilder.id(nic_id("app")), "tcp/8080")


def test_flow_logs_of_google_cloud_are_samples_so_that_they_alone_narrow_nothing() -> None:
    b = GcpBuilder()
    b.firewall(gcp_rule("app", "ingress", "tcp/8000-8200", "tag:web", targets="tag:app"))
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "web", "10.2.1.11", tags=["app"])
    b.flow_log("web")
    network = b.network.removeprefix("gcp:")
    row = seen("10.2.1.10", "10.2.1.11", 8080, provider="gcp")
    flows = ExampleConversations([row], logs_of("an adapter", provider="gcp", network=network))
    judged = answered(REMEDY, "overbroad-ports", b.build(), flows=flows)

    assert "logs a sample of the packets" in judged.advice.reason


def test_a_network_policy_is_narrowed_and_goes_on_isolating() -> None:
    b = ClusterBuilder()
    for name in ("web", "db"):
        b.workload("shop", name)
    b.policy("shop", "same-namespace", ingress=(admit("all", Pods()),))
    segments = tuple(Segment(name=name, choice=Choice(tags={"app": (name,)})) for name in ("web", "db"))
    allowed = Allowance(sources=("web",), targets=("db",), traffic=Traffic.parse("tcp/5432"))
    judged = answered(
        REMEDY, "self-referencing-all-traffic", b.build(), intent=Intent(segments=segments, allow=(allowed,))
    )

    assert_gains_nothing(judged)
    web, db = (f"kubernetes:manifests:shop/{name}[Deployment]" for name in ("web", "db"))
    assert_carries(judged, web, db, "tcp/5432")
    policy = judged.after.rule_sets["kubernetes:manifests:shop/NetworkPolicy/same-namespace"]
    assert [str(rule.traffic) for rule in policy.rules] == ["tcp/5432"]
    assert policy.isolates == frozenset(("ingress",))


@pytest.mark.parametrize(
    ("needed", "within", "limit", "expected"),
    [
        ("tcp/80, tcp/82", "tcp", 6, "tcp/80, tcp/82"),
        ("tcp/80, tcp/82, tcp/9000", "tcp", 2, "tcp/80-82, tcp/9000"),
        ("tcp/80, tcp/82, tcp/9000", "tcp/80, tcp/82-9000", 1, "tcp/80, tcp/82-9000"),
        ("tcp/80, udp/53, icmp", "all", 1, "tcp/80, udp/53, icmp"),
    ],
)
def test_ports_are_joined_to_a_few_ranges_inside_of_what_is_open(
    needed: str, within: str, limit: int, expected: str
) -> None:
    assert few_ports(Traffic.parse(needed), Traffic.parse(within), limit) == Traffic.parse(expected)


def test_clients_by_the_dozen_are_no_narrowing() -> None:
    rows = [seen(f"198.51.100.{2 * n + 1}", "10.0.1.9", 5432, responder_interface="eni-db") for n in range(30)]
    judged = answered(REMEDY, "internet-exposed-port", database("tcp/5432", "0.0.0.0/0"), flows=used(*rows))

    assert "more than 20 nobody reads" in judged.advice.reason


def balanced(b: GcpBuilder | NsgBuilder, target: str) -> Estate:
    """Return an estate in which a load balancer hands connections on to a machine."""
    forward = Forward(
        name="web", listens=Traffic.parse("tcp/443"), traffic=Traffic.parse("tcp/443"), keeps_client=True,
        cross_zone=True, targets=(ForwardTarget(target=target, zone=ANY_ZONE, healthy=True),),
    )  # fmt: skip
    balancer = Forwarder(
        id=f"{target}/balancer", kind="balancer", accepts=Traffic.parse("tcp/443"), forwards=(forward,)
    )
    b.put("forwarders", balancer)
    return b.build()


def test_behind_a_load_balancer_of_google_cloud_health_checks_are_kept() -> None:
    b = GcpBuilder()
    b.firewall(gcp_rule("ssh", "ingress", "tcp/8443", targets="tag:app"))
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "data", "10.2.2.10", "34.1.2.3", tags=["app"])
    names = tuple(
        Segment(name=name, choice=Choice(groups=(f"global/networks/vpc/tags/{name}",))) for name in ("web", "app")
    )
    allowed = Allowance(sources=("web",), targets=("app",), traffic=Traffic.parse("tcp/8443"))
    estate = balanced(b, GcpBuilder.id(nic_id("app")))
    judged = answered(REMEDY, "internet-exposed-port", estate, intent=Intent(segments=names, allow=(allowed,)))

    assert any("35.191.0.0/16" in line and line.startswith("add") for line in judged.lines)
    assert not any("0.0.0.0/0" in line and line.startswith("add") for line in judged.lines)


def test_behind_a_load_balancer_of_azure_its_probes_are_kept() -> None:
    b = NsgBuilder()
    shut = nsg_rule("ingress", 4096, "all", deny=True)
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/8443", "*"), shut, subnet="data")
    b.machine("nic-web", "web", "10.1.1.10")
    b.machine("nic-data", "data", "10.1.2.10", "20.50.0.20")
    b.flow_log("fl-1", b.network)
    row = seen(
        "10.1.1.10", "10.1.2.10", 8443, provider="azure", initiator_network=vnet_id(), responder_network=vnet_id()
    )
    flows = ExampleConversations([row], logs_of("an adapter", provider="azure", network=vnet_id()))
    judged = answered(REMEDY, "internet-exposed-port", balanced(b, b.id(_nic("nic-data"))), flows=flows)

    assert any("168.63.129.16" in line and line.startswith("add") for line in judged.lines)
    assert_gains_nothing(judged)


def test_a_rule_of_a_firewall_policy_takes_a_priority_of_its_own_before_the_next_denial() -> None:
    b = GcpBuilder()
    wide = gcp_rule("100", "ingress", "tcp/8000-8200", "10.2.0.0/16", priority=100, vpc=False)
    shut = gcp_rule("101", "ingress", "tcp", "10.2.0.0/16", priority=101, verdict="deny", vpc=False)
    b.policy("net", wide, shut)
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "data", "10.2.2.10", tags=["app"])
    segments = tuple(
        Segment(name=name, choice=Choice(addresses=AddressSet.parse(address), networks=("vpc",)))
        for name, address in (("web", "10.2.1.10"), ("app", "10.2.2.10"))
    )
    allowed = Allowance(sources=("web",), targets=("app",), traffic=Traffic.parse("tcp/8080"))
    judged = answered(REMEDY, "overbroad-ports", b.build(), intent=Intent(segments=segments, allow=(allowed,)))

    added = next(edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule))
    assert (added.id, added.priority, added.resource) == ("ingress/99", 99, "")
    assert_gains_nothing(judged)
    assert_carries(judged, GcpBuilder.id(nic_id("web")), GcpBuilder.id(nic_id("app")), "tcp/8080")


def test_a_list_that_was_not_read_is_no_range_to_narrow() -> None:
    b = EstateBuilder()
    b.prefix_list("pl-unread", read=False)
    rule = allow("ingress", "tcp/1-65535", "0.0.0.0/0")
    wide = msgspec.structs.replace(rule, remote=(*rule.remote, ListRef(EstateBuilder.id("pl-unread"))))
    b.group("sg-db", wide)
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9", "203.0.113.9")
    row = seen("10.0.2.10", "10.0.1.9", 5432, initiator_interface="eni-app", responder_interface="eni-db")
    flows = ExampleConversations([row], logs_of("eni-app", "eni-db"))

    judged = answered(REMEDY, "internet-exposed-port", b.build(), flows=flows)

    assert set(judged.lines) == {
        "add to sg-db: ingress tcp/5432 from 10.0.2.0/24",
        "add to sg-db: ingress tcp/5432 from pl-unread",
        "remove from sg-db: ingress tcp/1-65535 from 0.0.0.0/0, pl-unread",
    }


def test_what_the_wide_rule_hid_is_no_gain_once_it_is_gone() -> None:
    # Behind the wide rule stands one for everybody in the network: it was hidden for web, and now decides.
    hidden = nsg_rule("ingress", 200, "tcp/8150", "10.1.0.0/16")
    estate = web_and_app(nsg_rule("ingress", 100, "tcp/8000-8200", "asg-web"), hidden)
    judged = answered(REMEDY, "overbroad-ports", estate, intent=web_to_app())

    assert_gains_nothing(judged)
    told = [risk for proposal in judged.proposals for risk in proposal.risks if "rules behind it" in risk]
    assert any("inbound/rule-200" in risk for risk in told)
