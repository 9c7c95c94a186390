"""A network without subnets, routes and known addresses, such as a cluster's: lists choose by labels, and isolate.

Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from cloudseg.model import (
    Addresses,
    AllOf,
    Coverage,
    Estate,
    Everyone,
    Group,
    GroupRef,
    Interface,
    Labelled,
    Network,
    Peer,
    Pipeline,
    RangeMeaning,
    Reading,
    Rule,
    RuleSet,
    ScopeRead,
    Stage,
)
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

PODS = "kubernetes:c:pods"
STAGE = Stage(name="network-policies", at="interface", stateful=True, match="any", miss="deny", ranges="unknown")
PIPELINE = Pipeline(name="kubernetes", ingress=(STAGE,), egress=(STAGE,))
OUTSIDE = AddressSet.parse("203.0.113.7")
ALL = Traffic.parse("all")


def pod(name: str, **labels: str) -> Interface:
    return Interface(id=f"kubernetes:c:ns/{name}[Deployment]", kind="pod", network=PODS, subnet=None, labels=labels)


def selected(**labels: str) -> AllOf:
    return AllOf(tuple(Labelled(key, "In", frozenset({value})) for key, value in labels.items()))


def policy(name: str, chosen: AllOf, *rules: Rule, isolates: str = "ingress") -> RuleSet:
    return RuleSet(
        id=f"kubernetes:c:ns/NetworkPolicy/{name}",
        kind="NetworkPolicy",
        stage="network-policies",
        rules=rules,
        applies=chosen,
        isolates=frozenset(isolates.split()),  # type: ignore[arg-type]
    )


def rule(direction: str, traffic: str, *remote: Peer) -> Rule:
    return Rule(
        id=f"{direction}/{traffic}",
        direction=direction,  # type: ignore[arg-type]
        verdict="accept",
        traffic=Traffic.parse(traffic),
        remote=remote,
    )


def cluster(*policies: RuleSet) -> Reachability:
    pods = (pod("web", app="web"), pod("db", app="db"), pod("job", app="job"))
    web = Group(id="kubernetes:c:selector/web", kind="selector", selector=selected(app="web"))
    facets = ("networks", "subnets", "interfaces", "groups", "load-balancers", "entrances")
    estate = Estate(
        taken_at="2026-01-15T12:00:00Z",
        scopes=(ScopeRead("kubernetes", "c", ("global",)),),
        pipelines={"kubernetes": PIPELINE},
        networks={PODS: Network(id=PODS, kind="cluster-network", pipeline="kubernetes", leads_out=True)},
        interfaces={each.id: each for each in pods},
        groups={web.id: web},
        rule_sets={each.id: each for each in policies},
        coverage=Coverage(Reading("kubernetes", "c", "global", facet, "read") for facet in facets),
    )
    return Reachability(estate)


def test_whether_clusters_reach_each_other_is_not_known() -> None:
    estate = cluster().estate
    far = "kubernetes:far:pods"
    other = Interface(id="kubernetes:far:ns/web[Deployment]", kind="pod", network=far, subnet=None, labels={})
    network = Network(id=far, kind="cluster-network", pipeline="kubernetes", leads_out=True)
    scopes = (*estate.scopes, ScopeRead("kubernetes", "far", ("global",)))
    both = dataclasses.replace(
        estate,
        scopes=scopes,
        networks={**estate.networks, far: network},
        interfaces={**estate.interfaces, other.id: other},
    )
    reach = Reachability(both)
    assert reach.between("kubernetes:c:ns/web[Deployment]", other.id) == Verdict(NO_TRAFFIC, ALL)
    assert between(reach, "web", "db") == exactly("all")
    assert reach.between("kubernetes:c:ns/web[Deployment]", OUTSIDE) == exactly("all")
    assert reach.between(OUTSIDE, "kubernetes:c:ns/web[Deployment]") == exactly("all")


def between(reach: Reachability, source: str, target: str) -> Verdict:
    return reach.between(f"kubernetes:c:ns/{source}[Deployment]", f"kubernetes:c:ns/{target}[Deployment]")


def exactly(traffic: str) -> Verdict:
    return Verdict(Traffic.parse(traffic), Traffic.parse(traffic))


WEB = GroupRef("kubernetes:c:selector/web")


@pytest.mark.semantics(89)
def test_without_a_policy_everybody_talks() -> None:
    reach = cluster()
    assert between(reach, "web", "db") == exactly("all")
    assert reach.between("kubernetes:c:ns/web[Deployment]", OUTSIDE) == exactly("all")
    assert reach.between(OUTSIDE, "kubernetes:c:ns/web[Deployment]") == exactly("all")


@pytest.mark.semantics(88, 89, 106)
def test_being_selected_isolates_in_the_directions_that_the_policy_names_alone() -> None:
    reach = cluster(policy("db", selected(app="db"), rule("ingress", "tcp/5432", WEB)))
    assert between(reach, "web", "db") == exactly("tcp/5432")
    assert between(reach, "job", "db") == exactly("none")
    assert between(reach, "db", "job") == exactly("all")
    assert reach.between(OUTSIDE, "kubernetes:c:ns/db[Deployment]") == exactly("none")
    reach = cluster(policy("job", selected(app="job"), isolates="egress"))
    assert between(reach, "job", "web") == exactly("none")
    assert between(reach, "web", "job") == exactly("all")
    assert reach.between("kubernetes:c:ns/job[Deployment]", OUTSIDE) == exactly("none")


@pytest.mark.semantics(88)
def test_policies_add_up() -> None:
    more = policy("more", AllOf(()), rule("ingress", "udp/53", Everyone()))
    reach = cluster(policy("db", selected(app="db"), rule("ingress", "tcp/5432", WEB)), more)
    assert between(reach, "web", "db") == exactly("tcp/5432, udp/53")
    assert between(reach, "job", "web") == exactly("udp/53")


@pytest.mark.semantics(98)
def test_a_range_may_hold_pods_whose_addresses_are_not_known() -> None:
    private = Addresses(AddressSet.parse("10.0.0.0/8"))
    reach = cluster(policy("db", selected(app="db"), rule("ingress", "tcp/5432", private)))
    assert between(reach, "web", "db") == Verdict(NO_TRAFFIC, Traffic.parse("tcp/5432"))
    assert reach.between(AddressSet.parse("10.1.2.3"), "kubernetes:c:ns/db[Deployment]") == exactly("tcp/5432")
    assert reach.between(OUTSIDE, "kubernetes:c:ns/db[Deployment]") == exactly("none")


@pytest.mark.semantics(92)
def test_everyone_stands_for_pods_and_for_what_is_outside() -> None:
    reach = cluster(policy("db", selected(app="db"), rule("ingress", "tcp/5432", Everyone())))
    assert between(reach, "job", "db") == exactly("tcp/5432")
    assert reach.between(OUTSIDE, "kubernetes:c:ns/db[Deployment]") == exactly("tcp/5432")


ANY_ADDRESS = Addresses(AddressSet.parse("0.0.0.0/0") | AddressSet.parse("::/0"))


def with_ranges(reach: Reachability, meaning: RangeMeaning, address: str = "") -> Reachability:
    """The same cluster under a plugin that treats ranges this way; ``job`` may bear an address."""
    estate = reach.estate
    stages = (msgspec.structs.replace(STAGE, ranges=meaning),)
    pipeline = Pipeline(name="kubernetes", ingress=stages, egress=stages)
    job = "kubernetes:c:ns/job[Deployment]"
    given = AddressSet.parse(address) if address else NO_ADDRESSES
    interfaces = {**estate.interfaces, job: msgspec.structs.replace(estate.interfaces[job], addresses=given)}
    return Reachability(dataclasses.replace(estate, pipelines={"kubernetes": pipeline}, interfaces=interfaces))


@pytest.mark.semantics(98)
def test_under_a_plugin_that_knows_pods_by_identity_a_range_never_holds_pods() -> None:
    for peer in (Addresses(AddressSet.parse("10.0.0.0/8")), ANY_ADDRESS):
        reach = with_ranges(
            cluster(policy("db", selected(app="db"), rule("ingress", "tcp/5432", peer))), "outside", "10.1.2.4"
        )
        assert between(reach, "job", "db") == exactly("none")
        assert between(reach, "web", "db") == exactly("none")
        assert reach.between(AddressSet.parse("10.1.2.3"), "kubernetes:c:ns/db[Deployment]") == exactly("tcp/5432")
        told = explain(
            reach, "kubernetes:c:ns/job[Deployment]", "kubernetes:c:ns/db[Deployment]", Traffic.parse("tcp/5432")
        )
        assert told.verdict == "blocked"


def test_everyone_holds_pods_under_every_plugin() -> None:
    meanings: tuple[RangeMeaning, ...] = ("unknown", "outside", "everywhere")
    for meaning in meanings:
        reach = with_ranges(cluster(policy("db", selected(app="db"), rule("ingress", "tcp/5432", Everyone()))), meaning)
        assert between(reach, "job", "db") == exactly("tcp/5432")


@pytest.mark.semantics(98)
def test_every_address_is_not_everyone_where_the_plugin_is_not_known() -> None:
    reach = cluster(policy("db", selected(app="db"), rule("ingress", "tcp/5432", ANY_ADDRESS)))
    assert between(reach, "job", "db") == Verdict(NO_TRAFFIC, Traffic.parse("tcp/5432"))
    assert reach.between(OUTSIDE, "kubernetes:c:ns/db[Deployment]") == exactly("tcp/5432")


@pytest.mark.semantics(98)
def test_under_a_plugin_that_looks_at_addresses_a_range_holds_the_pods_that_bear_them() -> None:
    private = Addresses(AddressSet.parse("10.1.0.0/16"))
    rules = policy("db", selected(app="db"), rule("ingress", "tcp/5432", private))
    assert between(with_ranges(cluster(rules), "everywhere", "10.1.2.4"), "job", "db") == exactly("tcp/5432")
    assert between(with_ranges(cluster(rules), "everywhere", "10.2.2.4"), "job", "db") == exactly("none")
    unread = between(with_ranges(cluster(rules), "everywhere"), "job", "db")
    assert unread == Verdict(NO_TRAFFIC, Traffic.parse("tcp/5432"))


def test_a_list_that_does_not_isolate_adds_to_those_that_do_and_says_nothing_alone() -> None:
    more = policy("more", AllOf(()), rule("ingress", "udp/53", Everyone()), isolates="")
    assert between(cluster(more), "job", "db") == exactly("all")
    reach = cluster(policy("db", selected(app="db"), rule("ingress", "tcp/5432", WEB)), more)
    assert between(reach, "job", "db") == exactly("udp/53")
    assert between(reach, "web", "db") == exactly("tcp/5432, udp/53")
    assert between(reach, "job", "web") == exactly("all")


def test_what_one_family_alone_can_is_not_certain_of_pods_whose_addresses_were_not_read() -> None:
    shut = msgspec.structs.replace(rule("ingress", "all", Addresses(AddressSet.parse("10.0.0.0/8"))), verdict="deny")
    stage = Stage(name="tier", at="interface", stateful=True, match="first", miss="next")
    estate = cluster(msgspec.structs.replace(policy("db", selected(app="db"), shut), stage="tier")).estate
    pipeline = Pipeline(name="kubernetes", ingress=(stage,), egress=(stage,))
    reach = Reachability(dataclasses.replace(estate, pipelines={"kubernetes": pipeline}))
    assert between(reach, "web", "db") == Verdict(NO_TRAFFIC, ALL)
    assert reach.between("kubernetes:c:ns/db[Deployment]", "kubernetes:c:ns/web[Deployment]") == exactly("all")
