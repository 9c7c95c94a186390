"""What the proof says of small plans worked by hand: planted faults show by a witness, true plans hold."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.intent import Allowance, IntentMatrix
from cloudseg.model import (
    AddFlowLog,
    AddRule,
    AddRuleSet,
    Attach,
    Carries,
    CreateGroup,
    Detach,
    Edit,
    FlowLog,
    Group,
    RemoveRule,
    RemoveRuleSet,
    RuleSet,
    SetLabel,
    SetPublicAccess,
)
from cloudseg.plan.proof import Proof, prove
from cloudseg.remediations.demand import Demand
from cloudseg.segments.segmentation import Segmentation
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic
from tests.plan.proof_cases import BY_GROUP, add, between, needing, own, proved, remove, shop

T = Traffic.parse
WEB_NEEDS = ("eni-web", "eni-db", "tcp/5432")


def test_what_passes_between_read_interfaces_is_needed_where_nobody_said_what_is() -> None:
    estate = shop().build()
    nothing_said = Demand()

    (loss,) = proved(estate, [add(BY_GROUP), remove("wide")], nothing_said).lost

    assert (loss.sources, loss.targets, loss.traffic) == ((own("eni-batch"),), (own("eni-db"),), T("tcp/5432"))
    assert (loss.certain, loss.intended, loss.blamed) == (True, False, (1,))
    both = [add(BY_GROUP), add(allow("ingress", "tcp/5432", "sg-batch", rule_id="batch")), remove("wide")]
    assert proved(estate, both, nothing_said).holds


def test_an_address_that_nobody_bears_is_lost_with_its_range() -> None:
    estate = shop().build()
    stranger = needing(estate, WEB_NEEDS, ("?10.0.2.251", "eni-db", "tcp/5432"))

    (loss,) = proved(estate, [add(BY_GROUP), remove("wide")], stranger).lost

    assert str(loss.witness) == "10.0.2.251 → 10.0.2.30 tcp/5432"
    assert (loss.certain, loss.unknowns, loss.blamed) == (False, ("who bears 10.0.2.251",), (1,))
    kept = add(allow("ingress", "tcp/5432", "10.0.2.251/32", rule_id="stranger"))
    assert proved(estate, [add(BY_GROUP), kept, remove("wide")], stranger).holds


@pytest.mark.parametrize(("traffic", "holds"), [("tcp/22", False), ("tcp/5432", True)])
def test_whose_groups_were_not_read_may_carry_any_list_that_changes(traffic: str, *, holds: bool) -> None:
    # The shell may come by sg-old alone; the query comes by sg-db, which it surely carries.
    b = shop()
    b.group("sg-old", allow("ingress", "tcp/22, tcp/5432", "10.0.0.0/16", rule_id="old"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.30", attached_unread=True)
    estate = b.build()

    proof = proved(estate, [remove("old", "sg-old")], needing(estate, ("eni-web", "eni-db", traffic)))

    assert proof.holds is holds
    told = [(str(each.traffic), each.certain, each.unknowns, each.blamed) for each in proof.lost]
    assert told == ([] if holds else [("tcp/22", False, ("which groups eni-db carries",), (0,))])


@pytest.mark.semantics(115, 121)
def test_a_group_in_the_place_of_addresses_opens_nothing_and_keeps_what_was_seen() -> None:
    estate = shop().build()
    proof = proved(estate, [add(BY_GROUP), remove("wide")], needing(estate, WEB_NEEDS))
    assert proof.holds
    assert (proof.checked.states, proof.checked.steps, proof.checked.needs) == (2, 2, 1)
    assert proof.checked.packets > 100


def test_a_rule_that_widens_is_told_with_its_packet_and_its_change() -> None:
    estate = shop().build()
    wider = allow("ingress", "tcp/5432-5433", "sg-web", rule_id="wider")
    (gain,) = proved(estate, [add(wider), remove("wide")]).gained
    assert (gain.traffic, gain.certain, gain.pairs, gain.state) == (T("tcp/5433"), True, 1, 1)
    assert str(gain.witness) == "10.0.2.10 → 10.0.2.30 tcp/5433"
    assert (gain.through, gain.blamed) == ("ingress tcp/5432-5433 from sg-web in sg-db", (0,))


def test_what_opens_only_on_the_way_is_gained() -> None:
    estate = shop().build()
    for_now = allow("ingress", "tcp/22", "sg-web", rule_id="for-now")
    (gain,) = proved(estate, [add(for_now), remove("for-now")]).gained
    assert (gain.traffic, gain.state) == (T("tcp/22"), 1)


def test_a_rule_without_a_way_to_it_opens_nothing() -> None:
    b = shop()
    b.network("vpc-2", "10.9.0.0/16")
    b.subnet("subnet-far", "10.9.1.0/24", "vpc-2")
    b.group("sg-far", allow("egress", "all", "0.0.0.0/0"), network="vpc-2")
    b.interface("eni-far", "subnet-far", ["sg-far"], "10.9.1.10")
    estate = b.build()
    far = dataclasses.replace(
        estate,
        interfaces={
            name: msgspec.structs.replace(each, network=own("vpc-2")) if name == own("eni-far") else each
            for name, each in estate.interfaces.items()
        },
    )
    assert proved(far, [add(allow("ingress", "tcp/22", "10.9.1.0/24", rule_id="far"))]).gained == ()


def test_a_need_that_no_rule_carries_any_more_is_lost() -> None:
    estate = shop().build()
    demand = needing(estate, WEB_NEEDS, ("eni-batch", "eni-db", "tcp/5432"))
    (loss,) = proved(estate, [add(BY_GROUP), remove("wide")], demand).lost
    assert (loss.sources, loss.targets) == ((own("eni-batch"),), (own("eni-db"),))
    assert (loss.traffic, loss.certain, loss.connections, loss.state) == (T("tcp/5432"), True, 7, 2)
    assert str(loss.witness) == "10.0.2.20 → 10.0.2.30 tcp/5432"
    assert (loss.through, loss.blamed) == ("ingress tcp/5432 from 10.0.0.0/16 in sg-db", (1,))


@pytest.mark.semantics(121)
def test_a_rule_that_goes_before_its_successor_comes_loses_what_both_carry() -> None:
    estate = shop().build()
    (loss,) = proved(estate, [remove("wide"), add(BY_GROUP)], needing(estate, WEB_NEEDS)).lost
    assert (loss.state, loss.blamed) == (1, (0,))


@pytest.mark.semantics(118)
def test_what_was_seen_and_does_not_pass_before_is_no_need() -> None:
    estate = shop().build()
    assert proved(estate, [remove("wide")], needing(estate, ("eni-web", "eni-db", "tcp/22"))).holds


def test_only_the_guilty_one_of_two_changes_is_blamed() -> None:
    b = shop()
    b.group("sg-cache", allow("ingress", "tcp/6379", "10.0.0.0/16", rule_id="wide"))
    b.interface("eni-cache", "subnet-private", ["sg-cache"], "10.0.2.40")
    estate = b.build()
    demand = needing(estate, WEB_NEEDS, ("eni-web", "eni-cache", "tcp/6379"))
    edits = [add(BY_GROUP), remove("wide"), remove("wide", "sg-cache")]
    assert proved(estate, edits, demand).blamed == (2,)


def dual() -> EstateBuilder:
    b = shop(web="10.0.2.10, 2600:1f16::10", db="10.0.2.30, 2600:1f16::30")
    b.put(
        "subnets",
        msgspec.structs.replace(
            b.build().subnets[own("subnet-private")], addresses=AddressSet.parse("10.0.2.0/24, 2600:1f16::/64")
        ),
    )
    b.put(
        "networks",
        msgspec.structs.replace(
            b.build().networks[own("vpc-1")], addresses=AddressSet.parse("10.0.0.0/16, 2600:1f16::/56")
        ),
    )
    b.route("rtb-private", "2600:1f16::/56", "local", "vpc-1")
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0"), allow("egress", "all", "::/0"))
    return b


def test_a_group_that_widens_ipv6_is_told_by_a_packet_of_ipv6() -> None:
    (gain,) = proved(dual().build(), [add(BY_GROUP), remove("wide")]).gained
    assert str(gain.witness) == "2600:1f16::10 → 2600:1f16::30 tcp/5432"
    assert gain.blamed == (0,)


def test_a_need_of_one_family_is_lost_although_the_other_still_passes() -> None:
    b = dual()
    b.group("sg-db", BY_GROUP)
    estate = b.build()
    six = allow("ingress", "tcp/5432", "2600:1f16::/64", rule_id="six")
    demand = needing(estate, ("eni-web@10.0.2.10", "eni-db@10.0.2.30", "tcp/5432"))
    (loss,) = proved(estate, [add(six), remove("cloudseg-web")], demand).lost
    assert str(loss.witness) == "10.0.2.10 → 10.0.2.30 tcp/5432"
    assert loss.blamed == (1,)
    other = needing(estate, ("eni-web@2600:1f16::10", "eni-db@2600:1f16::30", "tcp/5432"))
    assert proved(estate, [add(six), remove("cloudseg-web")], other).lost == ()


@pytest.mark.semantics(128)
def test_a_group_that_an_interface_joins_brings_every_grant_that_names_it() -> None:
    b = shop()
    b.group("sg-admin")
    b.group("sg-db", allow("ingress", "tcp/22", "sg-admin"))
    (gain,) = proved(b.build(), [Attach(own("eni-web"), own("sg-admin"))]).gained
    assert (gain.sources, gain.traffic, gain.blamed) == ((own("eni-web"),), T("tcp/22"), (0,))


@pytest.mark.semantics(128)
def test_a_new_group_of_aws_is_emptied_before_it_is_attached() -> None:
    b = shop()
    b.group("sg-web", allow("egress", "tcp/5432", "10.0.0.0/16"))
    estate = b.build()
    new, all_out = own("sg-new"), allow("egress", "all", "0.0.0.0/0", rule_id="default")
    group = Group(id=new, kind="security-group", selector=Carries(new), networks=(own("vpc-1"),))
    listed = RuleSet(id=new, kind="security-group", stage="security-groups", rules=(all_out,), applies=Carries(new))
    made = [CreateGroup(group), AddRuleSet(listed)]
    attach, by_group = Attach(own("eni-web"), new), add(allow("ingress", "tcp/5432", "sg-new", rule_id="by-group"))
    edits = [*made, RemoveRule(new, "default"), attach, by_group, remove("wide")]
    demand = needing(estate, WEB_NEEDS)
    assert proved(estate, edits, demand).holds
    early = [*made, attach, RemoveRule(new, "default"), by_group, remove("wide")]
    proof = proved(estate, early, demand)
    assert proof.gained
    assert not proof.lost
    assert 2 in proof.gained[0].blamed


def test_a_group_that_an_interface_leaves_takes_its_grants_along() -> None:
    b = shop()
    b.group("sg-db", BY_GROUP)
    estate = b.build()
    (loss,) = proved(estate, [Detach(own("eni-web"), own("sg-web"))], needing(estate, WEB_NEEDS)).lost
    assert loss.blamed == (0,)


def unread() -> EstateBuilder:
    b = shop()
    b.prefix_list("pl-one", read=False)
    b.prefix_list("pl-two", read=False)
    b.group("sg-db", allow("ingress", "tcp/5432-5433", "pl-one", rule_id="one"))
    return b


@pytest.mark.semantics(117)
def test_an_unread_list_is_the_same_before_and_after() -> None:
    estate = unread().build()
    narrower = allow("ingress", "tcp/5432", "pl-one", rule_id="narrower")
    proof = proved(estate, [add(narrower), remove("one")], needing(estate, WEB_NEEDS))
    assert proof.holds
    assert proof.unknowns == ("the entries of pl-one",)


@pytest.mark.semantics(117)
def test_an_unread_list_in_the_place_of_another_is_not_proved() -> None:
    estate = unread().build()
    other = allow("ingress", "tcp/5432-5433", "pl-two", rule_id="two")
    proof = proved(estate, [add(other), remove("one")], needing(estate, WEB_NEEDS))
    gain, loss = proof.gained[0], proof.lost[0]
    assert not gain.certain
    assert not loss.certain
    assert gain.unknowns == ("the entries of pl-one", "the entries of pl-two")
    assert (gain.blamed, loss.blamed) == ((0,), (1,))


@pytest.mark.semantics(117)
def test_what_an_unread_list_let_through_at_most_is_lost_when_it_goes() -> None:
    estate = unread().build()
    (loss,) = proved(estate, [remove("one")], needing(estate, WEB_NEEDS)).lost
    assert not loss.certain


@pytest.mark.semantics(117)
def test_a_known_rule_beside_an_unread_list_is_replaced_all_the_same() -> None:
    b = unread()
    b.group("sg-db", allow("ingress", "all", "pl-one"), allow("ingress", "tcp/5432", "10.0.0.0/16", rule_id="wide"))
    estate = b.build()
    assert proved(estate, [add(BY_GROUP), remove("wide")], needing(estate, WEB_NEEDS)).holds


def test_a_group_does_not_stand_for_addresses_where_identity_does_not_hold() -> None:
    b = shop()
    b.network("vpc-2", "10.9.0.0/16", region="us-east-1")
    b.peering("pcx-1", "vpc-2", regions=("eu-west-1", "us-east-1"))
    b.subnet("subnet-far", "10.9.1.0/24", "vpc-2")
    b.route("rtb-far", "10.0.0.0/16", "peering", "pcx-1")
    b.route("rtb-private", "10.9.0.0/16", "peering", "pcx-1")
    b.group("sg-far", allow("egress", "all", "0.0.0.0/0"), network="vpc-2")
    b.group("sg-db", allow("ingress", "tcp/5432", "10.9.0.0/16", rule_id="wide"))
    b.interface("eni-far", "subnet-far", ["sg-far"], "10.9.1.10")
    estate = b.build()
    far = msgspec.structs.replace(estate.interfaces[own("eni-far")], network=own("vpc-2"))
    estate = dataclasses.replace(estate, interfaces={**estate.interfaces, far.id: far})
    by_group = allow("ingress", "tcp/5432", "sg-far", rule_id="by-group")
    (loss,) = proved(estate, [add(by_group), remove("wide")], needing(estate, ("eni-far", "eni-db", "tcp/5432"))).lost
    assert loss.certain


def azure(*rules: tuple[int, str, str, bool]) -> NsgBuilder:
    b = NsgBuilder()
    b.asg("asg-web")
    written = (nsg_rule("ingress", number, traffic, remote, deny=deny) for number, traffic, remote, deny in rules)
    b.nsg("data", *written, subnet="data")
    b.machine("web", "web", "10.1.1.4", asgs=["asg-web"])
    b.machine("batch", "web", "10.1.1.5")
    b.machine("data", "data", "10.1.2.4")
    return b


def nsg_of(b: NsgBuilder) -> str:
    return next(name for name in b.build().rule_sets if name.endswith("/data"))


CLOSED = (4096, "all", "*", True)


def test_an_ordered_list_takes_a_group_before_the_addresses_go() -> None:
    b = azure((200, "tcp/5432", "10.1.1.0/24", False), CLOSED)
    name = nsg_of(b)
    edits = [AddRule(name, nsg_rule("ingress", 199, "tcp/5432", "asg-web")), RemoveRule(name, "inbound/rule-200")]
    proof = proved(b.build(), edits)
    assert proof.holds
    assert proof.checked.states == 2


def test_a_denial_that_goes_unveils_the_rule_behind_it() -> None:
    b = azure((200, "tcp/22", "*", True), (300, "tcp/22", "10.1.1.0/24", False), CLOSED)
    gains = proved(b.build(), [RemoveRule(nsg_of(b), "inbound/rule-200")]).gained
    assert {str(gain.traffic) for gain in gains} == {"tcp/22"}
    assert all(gain.blamed == (0,) for gain in gains)


def test_a_denial_put_before_what_is_needed_loses_it() -> None:
    b = azure((200, "tcp/5432", "10.1.1.0/24", False), CLOSED)
    demand = between(b.build(), ("web", "data", "tcp/5432"))
    denial = AddRule(nsg_of(b), nsg_rule("ingress", 150, "all", "10.1.1.4", deny=True))
    (loss,) = proved(b.build(), [denial], demand).lost
    assert (loss.connections, loss.blamed) == (7, (0,))


def test_a_change_at_several_places_is_one_state() -> None:
    b = azure((200, "tcp/5432", "10.1.1.0/24", False), CLOSED)
    estate = b.build()
    name = nsg_of(b)
    other = nsg_rule("ingress", 199, "tcp/5432", "10.1.1.0/24")
    swap = (RemoveRule(name, "inbound/rule-200"), AddRule(name, other))
    proof = prove(estate, [swap], Demand(given=True))
    assert proof.holds
    assert proof.checked.steps == 1


def cluster() -> ClusterBuilder:
    b = ClusterBuilder()
    for name in ("web", "app", "batch"):
        b.workload("shop", name)
    return b


def policy(name: str, *admitted: str) -> list[Edit]:
    """The edits that add a policy: of the application for whom it admits, of the whole namespace for nobody."""
    b = cluster()
    items = [admit("tcp/8080", *(Pods({"app": each}) for each in admitted))] if admitted else []
    b.policy("shop", name, {"app": "app"} if admitted else {}, ingress=items)
    after = b.build()
    made: list[Edit] = [CreateGroup(group) for group in after.groups.values()]
    return [*made, *(AddRuleSet(each) for each in after.rule_sets.values() if each.name == name)]


@pytest.mark.semantics(89)
def test_the_first_policy_that_selects_pods_isolates_them() -> None:
    demand = between(cluster().build(), ("batch", "app", "tcp/8080"), ("batch", "web", "tcp/80"))
    (loss,) = proved(cluster().build(), policy("from-web", "web"), demand).lost
    assert str(loss.traffic) == "tcp/8080"
    assert (loss.state, loss.blamed) == (2, (1,))
    assert "isolates" in loss.through


@pytest.mark.semantics(89, 121)
def test_what_isolates_last_loses_nothing_that_is_allowed() -> None:
    demand = between(cluster().build(), ("web", "app", "tcp/8080"))
    b = cluster()
    b.policy("shop", "from-web", {"app": "app"}, ingress=[admit("tcp/8080", Pods({"app": "web"}))])
    allowing, closing = policy("from-web", "web"), policy("closed")
    assert proved(cluster().build(), [*allowing, *closing], demand).holds
    (loss,) = proved(cluster().build(), [*closing, *allowing], demand).lost
    assert (loss.state, loss.blamed) == (1, (0,))
    name = next(iter(b.build().rule_sets))
    (gain, *_) = proved(b.build(), [RemoveRuleSet(name)]).gained
    assert gain.blamed == (0,)


def test_a_label_brings_a_pod_what_policies_grant_to_it() -> None:
    b = cluster()
    b.policy("shop", "from-web", {"app": "app"}, ingress=[admit("tcp/8080", Pods({"app": "web"}))])
    estate = b.build()
    batch = next(each.id for each in estate.interfaces.values() if each.name == "batch")
    (gain,) = proved(estate, [SetLabel(batch, "app", "web")]).gained
    assert (gain.sources, str(gain.traffic)) == ((batch,), "tcp/8080")


def test_lists_without_state_are_followed_along_the_ways() -> None:
    b = shop()
    b.interface("eni-out", "subnet-public", ["sg-web"], "10.0.1.10")
    entries = (acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, "all", "0.0.0.0/0"))
    b.acl("acl-2", ["subnet-private"], entries)
    b.acl("acl-1", ["subnet-public"], entries)
    estate = b.build()
    deny = AddRule(own("acl-2"), acl_entry("ingress", 50, "tcp/5432", "10.0.1.0/24", deny=True))
    demand = needing(estate, ("eni-out", "eni-db", "tcp/5432"), WEB_NEEDS)
    (loss,) = proved(estate, [deny], demand).lost
    assert loss.sources == (own("eni-out"),)
    (gain, *_) = proved(estate.with_edits([deny]), [RemoveRule(own("acl-2"), "ingress/50")]).gained
    assert str(gain.traffic) == "tcp/5432"


def intent(estate_members: dict[str, tuple[str, ...]], *allowances: Allowance) -> IntentMatrix:
    members = {name: tuple(own(each) for each in each_) for name, each_ in estate_members.items()}
    segmentation = Segmentation(members=members, outside={}, unassigned=())
    return IntentMatrix(segmentation, allowances, "2026-01-15")


def test_what_the_intent_allows_and_passes_today_is_kept() -> None:
    estate = shop().build()
    may = Allowance(sources=("web", "batch"), targets=("db",), traffic=T("tcp/5432, tcp/22"))
    matrix = intent({"web": ("eni-web",), "batch": ("eni-batch",), "db": ("eni-db",)}, may)
    demand = Demand(matrix=matrix, given=True)
    (loss,) = proved(estate, [add(BY_GROUP), remove("wide")], demand).lost
    assert (loss.sources, loss.intended, loss.connections) == ((own("eni-batch"),), True, 0)
    assert (str(loss.traffic), loss.blamed) == ("tcp/5432", (1,))
    also = allow("ingress", "tcp/5432", "sg-batch", rule_id="cloudseg-batch")
    assert proved(estate, [add(BY_GROUP), add(also), remove("wide")], demand).holds


def test_needs_from_outside_are_kept_or_lost_by_their_addresses() -> None:
    b = shop()
    b.group("sg-lb", allow("ingress", "tcp/443", "0.0.0.0/0", rule_id="all"))
    b.interface("eni-lb", "subnet-public", ["sg-lb"], "10.0.1.30", "203.0.113.30")
    estate = b.build()
    demand = needing(estate, ("198.51.100.7", "eni-lb", "tcp/443"))
    seen = allow("ingress", "tcp/443", "198.51.100.0/24", rule_id="seen")
    other = allow("ingress", "tcp/443", "192.0.2.0/24", rule_id="other")
    assert proved(estate, [add(seen, "sg-lb"), remove("all", "sg-lb")], demand).holds
    (loss,) = proved(estate, [add(other, "sg-lb"), remove("all", "sg-lb")], demand).lost
    assert (loss.sources, str(loss.witness)) == (("198.51.100.7",), "198.51.100.7 → 10.0.1.30 tcp/443")
    gains = proved(estate, [add(allow("ingress", "tcp/22", "192.0.2.0/24", rule_id="more"), "sg-lb")]).gained
    assert [gain.sources for gain in gains if gain.certain] == [("external:192.0.2.0/24",)]
    # Which public address the NAT gateway has was not read: it may be one of these.
    assert [gain.sources for gain in gains if not gain.certain] == [(own("eni-batch"), own("eni-web"))]


def test_needs_that_leave_are_kept_or_lost_by_their_addresses() -> None:
    b = shop()
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0", rule_id="out"))
    estate = b.build()
    demand = needing(estate, ("eni-web", "198.51.100.7", "tcp/443"))
    kept = allow("egress", "tcp/443", "198.51.100.0/24", rule_id="kept")
    assert proved(estate, [add(kept, "sg-web"), remove("out", "sg-web")], demand).holds
    (loss,) = proved(estate, [remove("out", "sg-web")], demand).lost
    assert loss.targets == ("198.51.100.7",)


def test_public_access_may_only_shrink() -> None:
    b = EstateBuilder()
    b.service("bucket", "s3", public=True, sources=AddressSet.parse("198.51.100.0/24"))
    estate = b.build()
    name = own("bucket")
    assert proved(estate, [SetPublicAccess(name, public=False, sources=AddressSet())]).holds
    assert proved(estate, [SetPublicAccess(name, public=True, sources=AddressSet.parse("198.51.100.7"))]).holds
    wide = proved(estate, [SetPublicAccess(name, public=True, sources=ALL_ADDRESSES)])
    assert [problem.kind for problem in wide.problems] == ["service"]
    assert wide.blamed == (0,)


def test_a_flow_log_changes_nothing_that_passes() -> None:
    log = FlowLog(id=own("fl-1"), kind="flow-log", target=own("vpc-1"), traffic="all", delivers=True)
    proof = proved(shop().build(), [AddFlowLog(log)])
    assert proof.holds
    assert proof.checked.states == 0


def test_a_change_that_does_not_fit_is_named() -> None:
    (problem,) = proved(shop().build(), [add(BY_GROUP), remove("nobody")]).problems
    assert (problem.kind, problem.blamed) == ("edit", (1,))


@pytest.mark.semantics(116)
def test_assumptions_name_membership_and_what_becomes_of_open_connections() -> None:
    estate = shop().build()
    proof = proved(estate, [add(BY_GROUP), remove("wide")], needing(estate, WEB_NEEDS))
    text = " ".join(proof.assumptions)
    assert "Who belongs to which group is as it was read" in text
    assert "Connections that are open when their rule goes" in text
    assert "What did not talk while the logs were kept" in text


@pytest.mark.semantics(45, 48)
def test_untracked_connections_break_at_once() -> None:
    b = shop()
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0", rule_id="wide"))
    estate = b.build()
    told = " ".join(proved(estate, [remove("wide")]).assumptions)
    assert "1 of the rules that go admit every address" in told


def test_a_proof_is_the_same_each_time() -> None:
    estate = shop().build()
    demand = needing(estate, WEB_NEEDS)
    edits = [add(allow("ingress", "tcp/22", "sg-web", rule_id="x")), remove("wide")]
    first: Proof = proved(estate, edits, demand)
    assert first == proved(shop().build(), edits, demand)
