"""Policies of clusters as manifests: what is written, read again by the translator, is the policy of the model."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.engine import AuditRequest
from cloudseg.model import ANYONE, Addresses, Estate, GroupRef, Rule, RuleSet, SourceLocation, Unresolved
from cloudseg.model.edits import AddRule, AddRuleSet, RemoveRule, RemoveRuleSet
from cloudseg.plan.making import PlanRequest
from cloudseg.plan.manifests import manifest_of, manifest_path
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.snapshot import Part, Snapshot
from cloudseg.traffic import AddressSet, IntervalSet, Traffic
from tests.plan.plans import change, made, proposal, remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

CLUSTER = "kubernetes:prod:"


def estate_of(*policies: dict[str, Any]) -> Estate:
    """Return a cluster with two namespaces, some pods and policies, as the translator reads them."""
    spaces = [{"metadata": {"name": name, "labels": {"team": name}}} for name in ("shop", "ops")]
    pods = [
        {
            "metadata": {"name": name, "namespace": space, "labels": {"app": name}},
            "spec": {"containers": [{"name": "c"}]},
        }
        for name, space in (("web", "shop"), ("db", "shop"), ("jobs", "ops"))
    ]
    parts: dict[Part, object] = {
        Part("kubernetes", "prod", "global", group, operation): {"kind": kind, "apiVersion": version, "items": items}
        for group, operation, kind, version, items in (
            ("core", "namespaces", "NamespaceList", "v1", spaces),
            ("core", "pods", "PodList", "v1", pods),
            ("networking.k8s.io", "networkpolicies", "NetworkPolicyList", "networking.k8s.io/v1", list(policies)),
        )
    }
    return translate(Snapshot.of(parts))


def policy(spec: dict[str, Any], name: str = "web", namespace: str = "shop", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, **metadata}, "spec": spec,
    }  # fmt: skip


def only(estate: Estate) -> RuleSet:
    (found,) = (each for each in estate.rule_sets.values() if each.kind == "NetworkPolicy")
    return found


def meaning(estate: Estate) -> object:
    """Return what a policy says, whatever its rules are called and in whatever order and number they stand."""
    found = only(estate)
    rules: dict[tuple[object, ...], Traffic] = {}
    for rule in found.rules:
        for peer in rule.remote:
            for part in _parts(peer, estate):
                key = (rule.direction, part)
                rules[key] = rules.get(key, Traffic()) | rule.traffic
    return found.id, found.name, found.tags, found.applies, found.isolates, {(key, str(t)) for key, t in rules.items()}


def _parts(peer: object, estate: Estate) -> list[str]:
    match peer:
        case Addresses(addresses):
            return [str(AddressSet.parse(block)) for block in addresses.cidrs()]
        case GroupRef(name):
            return [str(sorted(map(str, estate.groups[name].selector.parts)))]  # type: ignore[union-attr] # selectors of pods
        case _:
            return [str(peer)]


SPECS: dict[str, dict[str, Any]] = {
    "nobody": {"podSelector": {}, "policyTypes": ["Ingress"]},
    "nobody either way": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    "everybody": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]},
    "a port to everybody": {
        "podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": 443}, {"protocol": "UDP", "port": 100, "endPort": 200}]}],
    },
    "pods of its own namespace": {
        "podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 5432}]}],
    },
    "all pods of other namespaces": {
        "podSelector": {}, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "ops"}}}]}],
    },
    "pods of every namespace": {
        "podSelector": {}, "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "jobs"}}}]}],
    },
    "expressions": {
        "podSelector": {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "NotIn", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"},
                {"key": "app", "operator": "In", "values": ["web", "1e3"]}, {"key": "x", "operator": "Exists"},
            ],
        },
        "policyTypes": ["Ingress"],
    },
    "ranges with exceptions": {
        "podSelector": {}, "policyTypes": ["Egress"],
        "egress": [{"to": [
            {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.2.0/24", "10.9.0.0/16"]}},
            {"ipBlock": {"cidr": "2001:db8::/32", "except": ["2001:db8:1::/48"]}},
            {"ipBlock": {"cidr": "192.0.2.7/32"}},
        ]}],
    },
    "whole protocols": {
        "podSelector": {}, "policyTypes": ["Egress"],
        "egress": [{"ports": [{"protocol": "UDP"}, {"protocol": "SCTP", "port": 7}]}],
    },
    "labels like those of the model": {
        "podSelector": {"matchLabels": {"pod/cluster": "x", "namespace/y": "z"}}, "policyTypes": ["Ingress"],
    },
    "words that YAML could take for something else": {
        "podSelector": {"matchLabels": {"a": "yes", "b": "1e3", "c": "0o7", "d": "null", "e": "12", "f": "~"}},
        "policyTypes": ["Ingress"],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_a_policy_that_is_written_and_read_again_says_the_same(name: str) -> None:
    before = estate_of(policy(SPECS[name], labels={"team": "shop"}))
    text, reason = manifest_of(only(before), before)

    assert not reason
    assert meaning(estate_of(yaml.safe_load(text))) == meaning(before)


KEYS: list[str] = ["app", "tier", "team"]
VALUES: list[str] = ["web", "yes", "1e3", ""]
LABELS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=2)


def selector(labels: Mapping[str, str]) -> dict[str, Any]:
    """Return a selector of some labels; an empty one for none."""
    return {"matchLabels": dict(labels)} if labels else {}


SELECTORS = LABELS.map(selector)
PORTS = st.lists(
    st.fixed_dictionaries({"protocol": st.sampled_from(("TCP", "UDP", "SCTP")), "port": st.integers(1, 65535)}),
    max_size=3,
)
ENDS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"podSelector": SELECTORS}),
    st.fixed_dictionaries({"namespaceSelector": SELECTORS}),
    st.fixed_dictionaries({"namespaceSelector": SELECTORS, "podSelector": SELECTORS}),
    st.sampled_from(("10.0.0.0/8", "::/0", "192.0.2.0/24")).map(lambda cidr: {"ipBlock": {"cidr": cidr}}),
)


@settings(deadline=None)
@given(SELECTORS, st.lists(st.tuples(st.lists(ENDS, max_size=3), PORTS), max_size=3))
def test_drawn_policies_say_the_same_when_they_are_written_and_read_again(
    chosen: dict[str, Any], rules: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]
) -> None:
    items = [{**({"from": ends} if ends else {}), **({"ports": ports} if ports else {})} for ends, ports in rules]
    before = estate_of(policy({"podSelector": chosen, "policyTypes": ["Ingress"], "ingress": items}))
    text, reason = manifest_of(only(before), before)

    assert not reason
    assert meaning(estate_of(yaml.safe_load(text))) == meaning(before)


RULE = Rule(id="r", direction="ingress", verdict="accept", traffic=Traffic.parse("tcp/80"), remote=ANYONE)


def base() -> tuple[RuleSet, Estate]:
    estate = estate_of(policy(SPECS["nobody"]))
    return only(estate), estate


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verdict": "deny"}, "no NetworkPolicy can say"),
        ({"priority": 1}, "no NetworkPolicy can say"),
        ({"source_ports": IntervalSet.of(1)}, "no NetworkPolicy can say"),
        ({"exact": False}, "not read in full"),
        ({"local": (GroupRef("kubernetes:prod:x"),)}, "a port by its name"),
        ({"traffic": Traffic.parse("icmp")}, "no policy tells icmp"),
        ({"traffic": Traffic.parse("tcp/0-80")}, "port 0"),
        ({"traffic": Traffic()}, "no policy tells none"),
        ({"remote": ()}, "admits nobody"),
        ({"remote": (GroupRef("kubernetes:prod:gone"),)}, "an end that no policy can name"),
        ({"remote": (Unresolved("v", "unread"),)}, "an end that no policy can name"),
        ({"direction": "egress"}, "does not isolate there"),
    ],
)
def test_what_no_manifest_can_say_is_told_and_not_written(changes: dict[str, Any], words: str) -> None:
    known, estate = base()
    rule = msgspec.structs.replace(RULE, **changes)

    text, reason = manifest_of(msgspec.structs.replace(known, rules=(rule,)), estate)

    assert not text
    assert words in reason


def test_a_policy_of_another_kind_is_not_guessed() -> None:
    known, estate = base()

    text, reason = manifest_of(msgspec.structs.replace(known, kind="CiliumNetworkPolicy"), estate)

    assert not text
    assert "what is known of a CiliumNetworkPolicy is what it does" in reason


def test_a_rule_about_a_named_port_is_not_written_as_a_number() -> None:
    pod = {
        "metadata": {"name": "api", "namespace": "shop", "labels": {"app": "api"}},
        "spec": {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}]},
    }
    spec: dict[str, Any] = {
        "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": "http"}]}],
    }  # fmt: skip
    named = policy(spec)
    parts: dict[Part, object] = {
        Part("kubernetes", "prod", "global", "core", "pods"): {"kind": "PodList", "apiVersion": "v1", "items": [pod]},
        Part("kubernetes", "prod", "global", "networking.k8s.io", "networkpolicies"): {
            "kind": "NetworkPolicyList", "apiVersion": "networking.k8s.io/v1", "items": [named],
        },
    }  # fmt: skip
    estate = translate(Snapshot.of(parts))

    text, reason = manifest_of(only(estate), estate)

    assert not text
    assert "a port by its name" in reason


@pytest.mark.parametrize(
    ("namespace", "name"), [("shop", "../../etc/passwd"), ("..", "web"), ("shop", "a b"), ("shop", "x" * 400)]
)
def test_no_name_leads_out_of_the_folder(namespace: str, name: str) -> None:
    known, _ = base()
    path = manifest_path(msgspec.structs.replace(known, name=name, tags={"namespace": namespace}))

    head, cluster, space, file = path.split("/")
    assert (head, cluster) == ("manifests", "prod")
    assert not {space, file} & {"", ".", ".."}
    assert len(file) < 200
    assert file.endswith(".yaml")


def test_names_that_become_alike_in_the_file_system_stay_apart() -> None:
    known, _ = base()
    one, other = (
        manifest_path(msgspec.structs.replace(known, id=f"{CLUSTER}shop/NetworkPolicy/{name}", name=name))
        for name in ("a b", "a?b")
    )

    assert one != other


def cluster() -> ClusterBuilder:
    builder = ClusterBuilder(live=True)
    builder.workload("shop", "web")
    builder.workload("shop", "db")
    builder.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})), admit("tcp/22")))
    builder.policy("shop", "old", {"app": "old"}, ingress=())
    return builder


def test_a_plan_holds_the_manifest_of_every_policy_that_it_changes_or_adds() -> None:
    estate = cluster().build()
    db, old = (f"kubernetes:manifests:shop/NetworkPolicy/{name}" for name in ("db", "old"))
    new = msgspec.structs.replace(
        estate.rule_sets[db], id="kubernetes:manifests:shop/NetworkPolicy/new", name="new", rules=()
    )
    answers = (
        proposal(
            change("add", AddRule(db, msgspec.structs.replace(RULE, id="more"))),
            change("remove", RemoveRule(db, "ingress[1]")),
            change("remove", AddRuleSet(new)),
            change("clean", RemoveRuleSet(old)),
            resource=db,
        ),
    )
    plan = made(estate, remedy("mend", lambda _c, _f: answers, "missing-default-deny"), request=everything())

    paths = {info.resource.rpartition("/")[2]: (info.path, info.reason) for info in plan.document.manifests}
    assert paths == {
        "db": ("manifests/manifests/shop/db.yaml", ""),
        "new": ("manifests/manifests/shop/new.yaml", ""),
        "old": ("", "it is taken away: delete it"),
    }
    written = yaml.safe_load(plan.manifests["manifests/manifests/shop/db.yaml"])
    assert written["spec"]["ingress"] == [
        {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"protocol": "TCP", "port": 5432}]},
        {"ports": [{"protocol": "TCP", "port": 80}]},
    ]


def everything() -> PlanRequest:
    return PlanRequest(audit=AuditRequest())


def test_where_a_policy_is_written_is_told_when_it_is_taken_away() -> None:
    estate = cluster().build()
    old = "kubernetes:manifests:shop/NetworkPolicy/old"
    placed = msgspec.structs.replace(estate.rule_sets[old], location=SourceLocation("policies.yaml", 3))
    estate = dataclasses.replace(estate, rule_sets={**estate.rule_sets, old: placed})
    answers = (proposal(change("clean", RemoveRuleSet(old)), resource=old),)
    plan = made(estate, remedy("mend", lambda _c, _f: answers, "missing-default-deny"), request=everything())

    assert [info.reason for info in plan.document.manifests] == ["it is taken away: delete it in policies.yaml"]


def test_a_policy_that_is_there_only_while_the_plan_is_applied_is_written_and_told() -> None:
    estate = cluster().build()
    db = estate.rule_sets["kubernetes:manifests:shop/NetworkPolicy/db"]
    name = "kubernetes:manifests:shop/NetworkPolicy/open"
    held = msgspec.structs.replace(db, id=name, name="open", rules=(RULE,))
    answers = (proposal(change("add", AddRuleSet(held)), change("clean", RemoveRuleSet(name)), resource=name),)
    plan = made(estate, remedy("mend", lambda _c, _f: answers, "missing-default-deny"), request=everything())

    (info,) = plan.document.manifests
    assert info.path in plan.manifests
    assert "only while the plan is applied" in info.reason
