"""What a stage accepts for good passes whatever stands behind it; what it hands on, the next stage judges."""

import dataclasses

import msgspec
import pytest

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.model import (
    ANYONE,
    Addresses,
    Estate,
    Everything,
    Group,
    GroupRef,
    Labelled,
    Peer,
    Pipeline,
    Rule,
    RuleSet,
    Stage,
    Verdict,
)
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.explaining.rules import in_turn
from cloudseg.reach.let_out import let_out
from cloudseg.reach.near_ends import concerning
from cloudseg.reach.packets import traffic_of
from cloudseg.reach.passage import find_passage
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.way_in import WayIn, WaysIn
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic
from tests.reach.test_explain_agrees import walked

WEB = "kubernetes:manifests:shop/web[Deployment]"
FIRST = Stage(name="tier", at="interface", stateful=True, match="first", miss="next")
LAST = Stage(name="network-policies", at="interface", stateful=True, match="any", miss="deny")
PIPELINE = Pipeline(name="two", ingress=(FIRST, LAST), egress=())


def rule(verdict: Verdict, *, exact: bool = True, local: tuple[Peer, ...] = ANYONE) -> Rule:
    everywhere = (Addresses(ALL_ADDRESSES),)
    return Rule(
        id="r", direction="ingress", verdict=verdict, traffic=Traffic.parse("tcp/80"), remote=everywhere, local=local,
        priority=1, exact=exact,
    )  # fmt: skip


def passed(first: Rule, last: tuple[Rule, ...]) -> tuple[str, str]:
    """What certainly passes a tier and a stage that denies what nobody admits, and what passes at most."""
    b = ClusterBuilder()
    b.workload("shop", "web")
    lists = {
        "tier": RuleSet(id="kubernetes:manifests:t", kind="t", stage="tier", rules=(first,), applies=Everything()),
        "last": RuleSet(
            id="kubernetes:manifests:l", kind="l", stage="network-policies", rules=last, applies=Everything()
        ),
    }
    estate = dataclasses.replace(b.build(), rule_sets=lists)
    ways = WaysIn((WayIn(ALL_ADDRESSES, Traffic.parse("tcp/80-81"), certain=True, text=""),))
    packets = find_passage(estate.interfaces[WEB], ways, "", estate, PIPELINE).packets
    return str(traffic_of(packets.lower)), str(traffic_of(packets.upper))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (rule("accept"), (), ("tcp/80", "tcp/80")),
        (rule("next"), (), ("none", "none")),
        (rule("deny"), (rule("next"),), ("none", "none")),
        (rule("next"), (rule("next"),), ("tcp/80", "tcp/80")),
        (rule("accept", exact=False), (), ("none", "tcp/80")),
        (rule("deny", exact=False), (rule("next"),), ("none", "tcp/80")),
    ],
)
def test_a_tier_accepts_for_good_or_hands_on(first: Rule, last: tuple[Rule, ...], expected: tuple[str, str]) -> None:
    assert passed(first, last) == expected


@pytest.mark.parametrize(
    ("peer", "found"),
    [
        (GroupRef("web"), [True]),
        (GroupRef("api"), []),
        (GroupRef("gone"), [False]),
        (Addresses(AddressSet.parse("10.0.0.0/8")), [False]),
    ],
)
def test_a_rule_concerns_its_near_end_and_perhaps_whoever_is_not_known(peer: Peer, found: list[bool]) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    groups = {
        name: Group(id=name, kind="g", selector=Labelled("app", "In", frozenset((name,)))) for name in ("web", "api")
    }
    estate = dataclasses.replace(b.build(), groups=groups)
    rules = concerning([rule("next", local=(peer,))], estate.interfaces[WEB], estate)
    assert [each.exact for each in rules] == found


API = "kubernetes:manifests:shop/api[Deployment]"
BEHIND = Stage(name="behind", at="interface", stateful=True, match="first", miss="next")


def between(estate: Estate) -> tuple[str, str]:
    """What passes from one pod to another on port 80, surely and at most, as masks, steps and boxes tell it."""
    port = Traffic.parse("tcp/80")
    reach = Reachability(estate)
    verdict = reach.between(API, WEB)
    told = str(verdict.lower & port), str(verdict.upper & port)
    steps = walked(reach, API, WEB)
    assert (str(steps.lower & port), str(steps.upper & port)) == told
    ways = WaysIn((WayIn(ALL_ADDRESSES, port, certain=True, text=""),))
    packets = find_passage(estate.interfaces[WEB], ways, "", estate).packets
    assert (str(traffic_of(packets.lower)), str(traffic_of(packets.upper))) == told
    return told


def judged(stages: tuple[Stage, ...], lists: dict[str, tuple[Rule, ...]], *, unread: tuple[str, ...] = ()) -> Estate:
    """Two pods that may send what they like, and a list for all of them at each stage that is named."""
    b = ClusterBuilder(unread=unread)
    b.workload("shop", "web")
    b.workload("shop", "api")
    named = {
        name: RuleSet(
            id=f"kubernetes:manifests:{name}", kind="t", stage=name, rules=rules, applies=Everything(),
            isolates=frozenset(("ingress",)),
        )
        for name, rules in lists.items()
    }  # fmt: skip
    pipeline = Pipeline(name="kubernetes", ingress=stages, egress=())
    return dataclasses.replace(b.build(), rule_sets=named, pipelines={"kubernetes": pipeline})


def ordered(*rules: Rule) -> tuple[Rule, ...]:
    return tuple(msgspec.structs.replace(each, id=f"r{n}", priority=n) for n, each in enumerate(rules, 1))


@pytest.mark.parametrize(
    ("rules", "behind", "expected"),
    [
        # Whether the first rule hands on or the second accepts, the last stage decides in the one case alone.
        (("perhaps next", "accept"), (), ("none", "tcp/80")),
        (("perhaps next", "accept"), (rule("next"),), ("tcp/80", "tcp/80")),
        (("perhaps next", "deny"), (rule("next"),), ("none", "tcp/80")),
        (("perhaps next", "next"), (), ("none", "none")),
        (("next", "accept"), (), ("none", "none")),
        (("perhaps deny", "accept"), (), ("none", "tcp/80")),
        (("perhaps accept", "next"), (rule("next"),), ("tcp/80", "tcp/80")),
    ],
)
def test_what_may_hand_on_may_leave_it_to_an_acceptance_behind(
    rules: tuple[str, ...], behind: tuple[Rule, ...], expected: tuple[str, str]
) -> None:
    verdicts: dict[str, Verdict] = {"next": "next", "accept": "accept", "deny": "deny"}
    tier = ordered(*(rule(verdicts[each.split()[-1]], exact=" " not in each) for each in rules))
    assert between(judged((FIRST, LAST), {"tier": tier, "network-policies": behind})) == expected


def test_an_unread_policy_may_admit_for_good_what_a_tier_behind_denies() -> None:
    denied = ordered(rule("deny"))
    unread = judged((LAST, BEHIND), {"behind": denied}, unread=("groups",))
    assert between(unread) == ("none", "tcp/80")
    read = judged((LAST, BEHIND), {"behind": denied})
    assert between(read) == ("none", "none")


def test_nothing_is_certain_where_an_unread_list_of_a_tier_may_deny_what_another_accepts() -> None:
    estate = judged((FIRST, LAST), {"tier": ordered(rule("accept"))})
    web = msgspec.structs.replace(estate.interfaces[WEB], attached_unread=True)
    estate = dataclasses.replace(estate, interfaces={**estate.interfaces, WEB: web})
    assert between(estate) == ("none", "tcp/80")


def test_a_list_for_the_other_direction_does_not_tell_that_all_was_read() -> None:
    estate = judged((LAST,), {"network-policies": (rule("next"),)}, unread=("groups",))
    outward = msgspec.structs.replace(estate.rule_sets["network-policies"], isolates=frozenset(("egress",)), rules=())
    estate = dataclasses.replace(estate, rule_sets={"network-policies": outward})
    assert between(estate) == ("none", "tcp/80")


def test_everyone_of_one_family_is_not_only_who_bears_an_address() -> None:
    # Ranges never mean pods here, but a rule for everyone does, whichever family its near end is of.
    near = msgspec.structs.replace(rule("accept", local=(Addresses(AddressSet.parse("10.0.0.0/8")),)), remote=ANYONE)
    last = msgspec.structs.replace(LAST, ranges="outside")
    estate = judged((last,), {"network-policies": (near,)})
    both = {
        name: msgspec.structs.replace(each, addresses=AddressSet.parse(f"10.0.0.{n}, 2001:db8::{n}"))
        for n, (name, each) in enumerate(estate.interfaces.items(), 1)
    }
    found = Reachability(dataclasses.replace(estate, interfaces=both)).between(API, WEB)
    assert str(found.upper) == "tcp/80"


def test_a_stage_of_the_next_part_is_cut_whatever_the_part_before_accepts() -> None:
    cluster = msgspec.structs.replace(BEHIND, miss="deny", part=1)
    estate = judged((FIRST, cluster), {"tier": ordered(rule("accept")), "behind": ordered(rule("next"))})
    told = explain(Reachability(estate), API, WEB, Traffic.parse("tcp/80"))
    assert [[each.rule_set for each in cut.rules] for cut in told.cuts] == [["kubernetes:manifests:behind"]]


def test_rules_are_no_cut_where_a_stage_before_accepts_for_good() -> None:
    estate = judged((FIRST, LAST), {"tier": ordered(rule("accept")), "network-policies": (rule("next"),)})
    told = explain(Reachability(estate), API, WEB, Traffic.parse("tcp/80"))
    assert [[each.rule_set for each in cut.rules] for cut in told.cuts if len(cut.rules) == 1] == []


def outward(estate: Estate) -> Estate:
    """The same lists on the way out."""
    lists = {
        name: msgspec.structs.replace(
            each,
            isolates=frozenset(("egress",)),
            rules=tuple(msgspec.structs.replace(own, direction="egress") for own in each.rules),
        )
        for name, each in estate.rule_sets.items()
    }
    stages = estate.pipelines["kubernetes"].ingress
    pipeline = Pipeline(name="kubernetes", ingress=(), egress=stages)
    return dataclasses.replace(estate, rule_sets=lists, pipelines={"kubernetes": pipeline})


@pytest.mark.parametrize(
    ("unread", "behind", "expected"), [(False, (), "tcp/80"), (True, (), "none"), (True, (rule("next"),), "none")]
)
def test_what_is_let_out_for_good_needs_no_list_behind(
    *, unread: bool, behind: tuple[Rule, ...], expected: str
) -> None:
    estate = outward(judged((FIRST, LAST), {"tier": ordered(rule("accept")), "network-policies": behind}))
    api = msgspec.structs.replace(estate.interfaces[API], attached_unread=unread)
    # Of lists that were not read one may deny.
    found = let_out([api], estate.interfaces[WEB], Traffic.parse("tcp/80"), estate)
    assert (str(found.lower), str(found.upper)) == (expected, "tcp/80")


def test_what_one_part_accepts_for_good_the_next_part_judges() -> None:
    everything, nothing = Traffic.parse("tcp/80-81"), Traffic.parse("none")
    cluster = msgspec.structs.replace(LAST, part=1)
    assert in_turn([(FIRST, nothing, everything), (LAST, nothing, nothing)], everything) == everything
    assert in_turn([(FIRST, nothing, everything), (cluster, nothing, nothing)], everything) == nothing
