"""A rule goes where nothing changes without it, or where nobody can have used it; what it still carries is kept."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Estate, GroupRef, Rule
from cloudseg.remediations.remove_unused_rule import REMEDY
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic
from tests.remediations.judged import answered, assert_carries, assert_gains_nothing, gains, losses

WEB, DB = EstateBuilder.id("eni-web"), EstateBuilder.id("eni-db")
LOGS = logs_of("eni-web", "eni-db")


def shop(*rules: Rule) -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "10.0.0.0/16"))
    b.group("sg-db", *rules)
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b.build()


def conversation(port: int) -> dict[str, Any]:
    return seen("10.0.1.5", "10.0.2.9", port, initiator_interface="eni-web", responder_interface="eni-db")


def intends(traffic: str) -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(groups=(f"sg-{name}",))) for name in ("web", "db"))
    allowed = Allowance(sources=("web",), targets=("db",), traffic=Traffic.parse(traffic))
    return Intent(segments=segments, allow=(allowed,))


def test_a_rule_that_nobody_used_goes_and_needs_a_review() -> None:
    estate = shop(allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/8080", "sg-web"))
    judged = answered(REMEDY, "unused-rule", estate, flows=ExampleConversations([conversation(5432)], LOGS))

    assert judged.lines == ("remove from sg-db: ingress tcp/8080 from sg-web",)
    assert judged.proposal.safety == "needs review"
    assert "failover" in judged.proposal.risks[0]
    assert_gains_nothing(judged)
    assert_carries(judged, WEB, DB, "tcp/5432")
    assert losses(judged.estate, judged.after) == [((WEB,), (DB,), "tcp/8080")]


def test_a_rule_that_nobody_used_and_the_intent_allows_stays() -> None:
    estate = shop(allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/8080", "sg-web"))
    flows = ExampleConversations([conversation(5432)], LOGS)
    judged = answered(REMEDY, "unused-rule", estate, flows=flows, intent=intends("tcp/8080"))

    assert "the intent allows what" in judged.advice.reason
    assert "tcp/8080" in judged.advice.witness


def test_a_redundant_rule_goes_safely_and_nothing_changes() -> None:
    wide, narrow = allow("ingress", "tcp/5432", "10.0.0.0/16"), allow("ingress", "tcp/5432", "10.0.1.0/24")
    judged = answered(REMEDY, "redundant-rule", shop(wide, narrow))

    assert judged.proposal.safety == "safe"
    assert gains(judged.estate, judged.after) == []
    assert losses(judged.estate, judged.after) == []


def test_a_group_beside_its_addresses_stays_since_it_says_who_is_meant() -> None:
    judged = answered(
        REMEDY,
        "redundant-rule",
        shop(allow("ingress", "tcp/5432", "10.0.0.0/16"), allow("ingress", "tcp/5432", "sg-web")),
    )

    assert judged.proposals == ()
    assert "this one names who is meant" in judged.advice.reason


def test_a_denial_that_never_decides_goes_and_nothing_is_gained() -> None:
    b = NsgBuilder()
    b.nsg(
        "nsg-web",
        nsg_rule("ingress", 100, "tcp", "10.1.0.0/16", deny=True),
        nsg_rule("ingress", 200, "tcp/443", "10.1.2.0/24", deny=True),
        subnet="web",
    )
    b.machine("nic-1", "web", "10.1.1.10")
    b.machine("nic-2", "data", "10.1.2.10")
    judged = answered(REMEDY, "shadowed-rule", b.build())

    assert len(judged.changes) == 1
    assert gains(judged.estate, judged.after) == []
    assert losses(judged.estate, judged.after) == []


def test_an_entry_of_a_network_acl_that_never_decides_goes() -> None:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "10.0.0.0/16"), allow("egress", "all", "10.0.0.0/16"))
    entries = (
        acl_entry("ingress", 100, "all", "0.0.0.0/0"),
        acl_entry("ingress", 110, "tcp/443", "10.0.1.0/24", deny=True),
        acl_entry("egress", 100, "all", "0.0.0.0/0"),
    )
    b.acl("acl-1", ["subnet-private"], entries)
    b.interface("eni-web", "subnet-public", ["sg-app"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-app"], "10.0.2.9")
    judged = answered(REMEDY, "shadowed-rule", b.build())

    assert judged.lines == ("remove from acl-1: deny ingress tcp/443 from 10.0.1.0/24 at priority 110",)
    assert_gains_nothing(judged)
    assert_carries(judged, WEB, DB, "tcp/443")


def test_of_several_ends_only_the_stale_one_goes() -> None:
    b = NsgBuilder()
    b.asg("asg-web")
    both = msgspec.structs.replace(
        nsg_rule("ingress", 100, "tcp/443", "asg-web"),
        remote=(
            *nsg_rule("ingress", 100, "tcp/443", "asg-web").remote,
            *nsg_rule("ingress", 1, "tcp", "asg-old").remote,
        ),
    )
    shut = nsg_rule("ingress", 4096, "all", deny=True)
    b.nsg("nsg-data", both, shut, subnet="data")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-data", "data", "10.1.2.10")
    judged = answered(REMEDY, "stale-group-reference", b.build())

    kept = [rule for rule in judged.after.rule_sets[next(iter(judged.estate.rule_sets))].rules if rule.priority == 101]
    assert [peer.group.rpartition("/")[2] for rule in kept for peer in rule.remote if isinstance(peer, GroupRef)] == [
        "asg-web"
    ]
    assert gains(judged.estate, judged.after) == []
    assert losses(judged.estate, judged.after) == []


def test_a_latent_rule_keeps_what_comes_from_inside() -> None:
    estate = shop(allow("ingress", "tcp/5432", "0.0.0.0/0"))
    judged = answered(REMEDY, "latent-internet-rule", estate)

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432 from 10.0.0.0/16",
        "remove from sg-db: ingress tcp/5432 from 0.0.0.0/0",
    )
    assert_gains_nothing(judged)
    assert_carries(judged, WEB, DB, "tcp/5432")
    assert losses(judged.estate, judged.after) == []


def test_a_list_that_was_not_read_stays_as_it_is() -> None:
    b = EstateBuilder()
    b.prefix_list("pl-unread", read=False)
    b.group("sg-db", allow("ingress", "tcp/22", "pl-unread"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    judged = answered(REMEDY, "latent-internet-rule", b.build())

    assert "the entries of pl-unread were not read" in judged.advice.reason


def test_a_latent_rule_keeps_what_a_private_route_leads_back_to() -> None:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    b.route("rtb-private", "192.168.0.0/16", "private-gateway", "vgw-1")
    judged = answered(REMEDY, "latent-internet-rule", b.build())

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432 from 10.0.0.0/16",
        "add to sg-db: ingress tcp/5432 from 192.168.0.0/16",
        "remove from sg-db: ingress tcp/5432 from 0.0.0.0/0",
    )


def test_a_latent_rule_of_google_cloud_keeps_probes_and_the_identity_aware_proxy() -> None:
    b = GcpBuilder()
    b.firewall(gcp_rule("ssh", "ingress", "tcp/22"))
    b.machine("app", "data", "10.2.2.10")
    judged = answered(REMEDY, "latent-internet-rule", b.build())

    added = judged.lines[0]
    assert "35.235.240.0/20" in added
    assert "35.191.0.0/16" in added
    assert "10.2.0.0/16" in added
    assert "0.0.0.0/0" not in added
    assert losses(judged.estate, judged.after) == []


def test_rules_that_narrow_in_an_ordered_list_tell_what_is_behind_them() -> None:
    b = NsgBuilder()
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/1433", "*"), subnet="data")
    b.machine("nic-data", "data", "10.1.2.10")
    judged = answered(REMEDY, "latent-internet-rule", b.build())

    assert any("inbound/AllowVnetInBound" in risk for risk in judged.proposal.risks)
    assert_gains_nothing(judged)


@pytest.mark.parametrize("owner", ["the load balancer controller", "aws"])
def test_lists_of_others_are_left_alone(owner: str) -> None:
    b = EstateBuilder()
    rules = (allow("ingress", "tcp/443", "10.0.0.0/16"), allow("ingress", "tcp/443", "10.0.1.0/24"))
    b.group("sg-app", *rules, managed_by=owner)
    b.interface("eni-1", "subnet-private", ["sg-app"])
    judged = answered(REMEDY, "redundant-rule", b.build())

    assert all("would put the rule back" in reason for reason in judged.reasons)
    assert judged.proposals == ()


def test_a_rule_of_a_network_policy_goes_and_its_policy_goes_on_isolating() -> None:
    b = ClusterBuilder()
    for name in ("web", "db"):
        b.workload("shop", name)
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    b.policy("shop", "all", ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    judged = answered(REMEDY, "redundant-rule", b.build())

    assert len(judged.changes) == 1
    assert gains(judged.estate, judged.after) == []
    assert losses(judged.estate, judged.after) == []


def test_a_rule_for_health_checks_of_google_cloud_stays() -> None:
    b = GcpBuilder()
    b.firewall(gcp_rule("checks", "ingress", "tcp/8080", "35.191.0.0/16, 130.211.0.0/22"))
    b.machine("app", "web", "10.2.1.10")
    b.machine("web", "web", "10.2.1.11")
    b.flow_log("web")
    network = b.network.removeprefix("gcp:")
    row = seen("10.2.1.11", "10.2.1.10", 443, provider="gcp")
    flows = ExampleConversations([row], logs_of("an adapter", provider="gcp", network=network))
    judged = answered(REMEDY, "unused-rule", b.build(), flows=flows)

    assert "health checks come by ingress/checks" in judged.advice.reason


def test_an_entry_of_a_stateless_list_may_carry_answers_to_what_is_meant() -> None:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-web"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    entries = (
        acl_entry("ingress", 100, "tcp/5432", "10.0.1.0/24"),
        acl_entry("egress", 100, "tcp/1024-65535", "10.0.1.0/24"),
        acl_entry("egress", 110, "tcp/1024-65535", "10.0.9.0/24"),
    )
    b.acl("acl-2", ["subnet-private"], entries)
    flows = ExampleConversations([conversation(5432)], LOGS)
    judged = answered(REMEDY, "unused-rule", b.build(), flows=flows, intent=intends("tcp/5432"))

    assert judged.proposals == ()
    assert any("keeps no connections" in reason for reason in judged.reasons)
