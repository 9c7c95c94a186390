"""Rules of Azure, Google Cloud and clusters that name groups in place of addresses."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec
import pytest

from cloudseg.checks.address_based_rule import CHECK
from cloudseg.checks.example_clusters import ClusterBuilder, admit
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule
from cloudseg.checks.example_gcp_rules import nic_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.model import GroupRef, InSubnets
from cloudseg.model.edits import AddRule, RemoveRule
from cloudseg.remediations.context import RemedyContext
from cloudseg.remediations.interface import Proposal
from cloudseg.remediations.replace_addresses_with_group import REMEDY
from cloudseg.traffic import AddressSet
from tests.remediations.judged import answered, assert_carries, assert_gains_nothing, losses

if TYPE_CHECKING:
    from cloudseg.model import Estate, RangeMeaning, Rule
    from cloudseg.observed.observations import Observations
    from tests.remediations.judged import Answers

SHUT = nsg_rule("ingress", 4096, "all", deny=True)


def _judge(estate: Estate, flows: Observations | None = None) -> Answers:
    """Return what is answered, of which no state lets anybody gain anything."""
    judged = answered(REMEDY, "address-based-rule", estate, flows=flows)
    assert_gains_nothing(judged)
    return judged


def _added(judged: Answers) -> list[Rule]:
    return [edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule)]


# Azure.


def _nsgs(*rules: Rule) -> NsgBuilder:
    """Return two machines of the subnet ``web``, each of a group of its own, before an NSG at the subnet ``data``."""
    b = NsgBuilder()
    b.asg("asg-web")
    b.asg("asg-api")
    b.nsg("nsg-data", *rules, SHUT, subnet="data")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-api", "web", "10.1.1.11", asgs=["asg-api"])
    b.machine("nic-data", "data", "10.1.2.10")
    return b


def test_one_side_of_an_nsg_rule_names_one_group() -> None:
    judged = _judge(_nsgs(nsg_rule("ingress", 200, "tcp/1433", "10.1.1.0/24")).build())

    assert judged.lines == (
        "add to nsg-data (rg): ingress tcp/1433 from asg-api (rg) at priority 199",
        "add to nsg-data (rg): ingress tcp/1433 from asg-web (rg) at priority 198",
        "remove from nsg-data (rg): ingress tcp/1433 from 10.1.1.0/24 at priority 200",
    )
    assert losses(judged.estate, judged.after) == []


def test_a_denial_before_the_rule_still_goes_first() -> None:
    denial = nsg_rule("ingress", 199, "tcp/1433", "10.1.1.11/32", deny=True)
    judged = _judge(_nsgs(denial, nsg_rule("ingress", 200, "tcp/1433", "10.1.1.0/24")).build())

    # 199 is the denial, and before it nothing may be let through: the new rule stands behind the old one.
    assert judged.lines[0] == "add to nsg-data (rg): ingress tcp/1433 from asg-web (rg) at priority 201"


def test_no_free_priority_is_told() -> None:
    before = nsg_rule("ingress", 199, "tcp/1433", "10.1.9.0/24", deny=True)
    behind = nsg_rule("ingress", 201, "tcp/1433", "10.1.9.0/24", deny=True)

    advice = _judge(_nsgs(before, nsg_rule("ingress", 200, "tcp/1433", "10.1.1.0/24"), behind).build()).advice

    assert advice.reason == "no priority beside 200 is free for 2 rules"


def test_what_the_near_end_says_stays_as_it_is() -> None:
    judged = _judge(_nsgs(nsg_rule("ingress", 200, "tcp/1433", "10.1.1.10/32", local="10.1.2.10/32")).build())

    (rule,) = _added(judged)
    assert rule.local == nsg_rule("ingress", 1, "tcp/1", local="10.1.2.10/32").local
    assert rule.id.startswith("inbound/cloudseg-")


def test_an_nsg_that_stands_at_several_places_is_changed_at_each_in_one_change() -> None:
    b = _nsgs(nsg_rule("ingress", 200, "tcp/1433", "10.1.1.10/32"))
    estate = b.build()
    (name,) = (key for key in estate.rule_sets if key.endswith(nsg_id("nsg-data")))
    own = estate.rule_sets[name]
    placed = [
        msgspec.structs.replace(own, id=f"{name}@{place}", applies=applies)
        for place, applies in (
            ("rg/vnet-1/data", own.applies),
            ("rg/vnet-1/web", InSubnets(frozenset((b.subnet("web"),)))),
        )
    ]
    estate = dataclasses.replace(estate, rule_sets={each.id: each for each in placed})

    context = RemedyContext.of(estate)
    finding = next(iter(CHECK.run(context.audit(CHECK))))
    (proposal,) = REMEDY.propose(context, finding)

    assert isinstance(proposal, Proposal)
    assert len(proposal.changes) == 2
    for change in proposal.changes:
        assert [edit.rule_set for edit in change.edits if isinstance(edit, AddRule | RemoveRule)] == [
            each.id for each in placed
        ]


def test_a_new_application_security_group_stands_in_the_same_network() -> None:
    b = NsgBuilder()
    b.nsg("nsg-data", nsg_rule("ingress", 200, "tcp/1433", "10.1.1.0/24"), SHUT, subnet="data")
    b.machine("nic-web", "web", "10.1.1.10")
    b.machine("nic-data", "data", "10.1.2.10")

    judged = _judge(b.build())

    (rule,) = _added(judged)
    (peer,) = rule.remote
    assert isinstance(peer, GroupRef)
    group = judged.after.groups[peer.group]
    assert group.kind == "application-security-group"
    assert group.networks == (b.network,)
    assert [member.name for member in judged.after.members(group.id)] == ["nic-web"]
    assert losses(judged.estate, judged.after) == []


# Google Cloud.


def _gcp(*rules: Rule, policy: tuple[Rule, ...] = (), account: str = "web") -> Estate:
    b = GcpBuilder()
    b.firewall(*rules)
    if policy:
        b.policy("guard", *policy)
    b.machine("web", "web", "10.2.1.10", tags=["web"], account=account)
    b.machine("db", "data", "10.2.2.10", tags=["db"], account="db")
    return b.build()


@pytest.mark.semantics(137)
def test_network_tags_are_never_named() -> None:
    judged = _judge(_gcp(gcp_rule("db", "ingress", "tcp/5432", "10.2.1.0/24"), account=""))

    assert judged.proposals == ()
    assert "no service account names web" in judged.advice.reason
    assert all("tags/web" not in choice.name for choice in judged.advice.considered)


@pytest.mark.semantics(137)
def test_targets_that_are_network_tags_become_service_accounts_beside_service_accounts() -> None:
    judged = _judge(_gcp(gcp_rule("db", "ingress", "tcp/5432", "10.2.1.0/24", targets="tag:db")))

    (rule,) = _added(judged)
    accounts = f"gcp:shop:{NETWORK}/serviceAccounts"
    assert rule.remote == (GroupRef(f"{accounts}/web"),)
    assert rule.local == (GroupRef(f"{accounts}/db"),)
    assert rule.priority == 1000
    assert rule.resource.startswith("gcp:shop:global/firewalls/cloudseg-")
    web, db = (GcpBuilder.id(nic_id(name)) for name in ("web", "db"))
    assert_carries(judged, web, db, "tcp/5432")


def test_targets_without_a_service_account_of_their_own_are_told() -> None:
    b = GcpBuilder()
    b.firewall(gcp_rule("db", "ingress", "tcp/5432", "10.2.1.0/24", targets="tag:db"))
    b.machine("web", "web", "10.2.1.10", account="web")
    b.machine("db", "data", "10.2.2.10", tags=["db"], account="all")
    b.machine("other", "data", "10.2.2.11", account="all")

    assert "its targets are named by network tags" in _judge(b.build()).advice.reason


def test_a_firewall_policy_gets_a_new_secure_tag_where_none_fits() -> None:
    rule = gcp_rule("100", "ingress", "tcp/5432", "10.2.1.0/24", priority=100, vpc=False)

    judged = _judge(_gcp(policy=(rule,)))

    (added,) = _added(judged)
    assert (added.id, added.priority) == ("ingress/99", 99)
    assert [change.phase for change in judged.changes] == ["prepare", "add", "add", "remove"]
    assert any("managed instance group" in each for each in judged.proposal.assumptions)
    assert losses(judged.estate, judged.after) == []


# Kubernetes.


def _cluster(
    *admitted: str, ranges: RangeMeaning = "everywhere", network: str = "10.42.0.0/16", web: str = "10.42.1.5"
) -> Estate:
    """Return a cluster of three workloads whose plugin gives ranges a meaning; ``db`` admits ranges."""
    b = ClusterBuilder("live", live=True)
    b.workload("shop", "web", {"app": "web", "tier": "front"}, addresses=AddressSet.parse(web))
    b.workload("shop", "api", {"app": "api", "tier": "front"}, addresses=AddressSet.parse("10.42.1.6"))
    b.workload("jobs", "batch", addresses=AddressSet.parse("10.42.2.7"))
    b.workload("shop", "db", {"app": "db"}, addresses=AddressSet.parse("10.42.3.9"))
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", *admitted),))
    estate = b.build()
    addresses = AddressSet.parse(network)
    networks = {name: msgspec.structs.replace(each, addresses=addresses) for name, each in estate.networks.items()}
    pipelines = {
        name: msgspec.structs.replace(
            each,
            ingress=tuple(msgspec.structs.replace(stage, ranges=ranges) for stage in each.ingress),
            egress=tuple(msgspec.structs.replace(stage, ranges=ranges) for stage in each.egress),
        )
        for name, each in estate.pipelines.items()
    }
    return dataclasses.replace(estate, networks=networks, pipelines=pipelines)


def _pod(name: str) -> str:
    return f"kubernetes:live:{name}[Deployment]"


def test_pods_of_one_label_are_named_by_it() -> None:
    judged = _judge(_cluster("10.42.1.0/24"))

    assert judged.lines[1:] == (
        "add to shop/NetworkPolicy/db: ingress tcp/5432 from pods tier=front in namespace shop",
        "remove from shop/NetworkPolicy/db: ingress tcp/5432 from 10.42.1.0/24",
    )
    assert losses(judged.estate, judged.after) == []
    assert_carries(judged, _pod("shop/web"), _pod("shop/db"), "tcp/5432")


def test_pods_of_another_namespace_are_named_with_it() -> None:
    judged = _judge(_cluster("10.42.2.0/24"))

    assert judged.lines[1] == (
        "add to shop/NetworkPolicy/db: ingress tcp/5432 from pods app=batch in namespaces "
        "kubernetes.io/metadata.name=jobs"
    )


def test_pods_that_were_seen_are_named_alone() -> None:
    flows = ExampleConversations(
        (seen("10.42.1.5", "10.42.3.9", 5432, provider="kubernetes"),), logs_of("node-1", provider="kubernetes")
    )
    judged = _judge(_cluster("10.42.0.0/16"), flows)

    # Each node logs its own pods, and whether all nodes are in the logs is not known: nothing is narrowed.
    assert judged.proposal.drops
    assert any("nothing is narrowed" in fact for fact in judged.changes[-1].evidence)


@pytest.mark.semantics(114)
@pytest.mark.parametrize(
    ("ranges", "reason"),
    [("outside", "the range admits none: naming pods would open"), ("unknown", "depends on the network plugin")],
)
def test_where_ranges_do_not_surely_mean_pods_naming_them_would_open(ranges: RangeMeaning, reason: str) -> None:
    assert reason in _judge(_cluster("10.42.1.0/24", ranges=ranges)).advice.reason


def test_a_narrow_range_with_pods_in_it_is_taken_for_theirs_and_that_is_told() -> None:
    judged = _judge(_cluster("10.42.1.0/24", network="none"))

    assert judged.lines[1] == ("add to shop/NetworkPolicy/db: ingress tcp/5432 from pods tier=front in namespace shop")
    assert judged.proposal.assumptions[-1] == "10.42.1.0/24 are addresses of the cluster's pods alone"
    assert judged.proposal.safety == "needs review"


def test_of_a_wide_range_nobody_can_tell_whom_else_it_admits() -> None:
    advice = _judge(_cluster("10.0.0.0/8", network="none")).advice

    assert "which range the addresses of pods come from was not read" in advice.reason


def test_manifests_tell_no_addresses_of_pods() -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "web", ingress=(admit("tcp/80", "10.0.0.0/8"),))

    assert "the addresses of pods were not read" in _judge(b.build()).advice.reason
