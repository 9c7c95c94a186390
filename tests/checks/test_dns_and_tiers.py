"""DNS that ordered tiers admit or deny for good, before NetworkPolicies and behind them.

Sources: https://network-policy-api.sigs.k8s.io/api-overview/,
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy,
https://antrea.io/docs/main/docs/antrea-network-policy/ and
https://docs.cilium.io/en/stable/security/policy/language/#deny-policies
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cloudseg.checks import missing_dns_egress
from cloudseg.findings import Finding
from cloudseg.providers.kubernetes.translate import translate
from tests.kubernetes import daemon_sets as ships
from tests.kubernetes.cluster import pod, policy, snapshot, space, written

Findings = Callable[..., list[Finding]]
Json = dict[str, Any]

COREDNS = pod("coredns", "kube-system", None, **{"k8s-app": "kube-dns"})
PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
SHUT = policy("shut", {"podSelector": {}, "policyTypes": ["Egress"]})
OPEN = policy("open", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]})
EVERY: Json = {"namespaces": {}}


def named(place: str) -> Json:
    return {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": place}}}


def told(findings: Findings, *objects: Json) -> list[str]:
    estate = translate(snapshot(space("kube-system"), space("shop"), COREDNS, pod("web"), *objects))
    found = [each for each in findings(missing_dns_egress.CHECK, estate) if each.resource.id == "shop"]
    return [f"{each.confidence}: {each.message.partition(': ')[2]}" for each in found]


def admin(name: str, priority: int, *egress: Json) -> Json:
    spec: Json = {"priority": priority, "subject": {"namespaces": {}}, "egress": list(egress)}
    return written("AdminNetworkPolicy", name, apiVersion="policy.networking.k8s.io/v1alpha1", spec=spec)


def dns(action: str, *to: Json) -> Json:
    ports = [{"portNumber": each} for each in PORTS]
    return {"action": action, "to": list(to) or [EVERY], "ports": ports}


def baseline(*egress: Json) -> Json:
    spec: Json = {"subject": {"namespaces": {}}, "egress": list(egress)}
    return written("BaselineAdminNetworkPolicy", "default", apiVersion="policy.networking.k8s.io/v1alpha1", spec=spec)


DENIED = "high: 1 of 1 workload is denied DNS (udp/53, tcp/53) by AdminNetworkPolicy/a"
ISOLATED = (
    "high: 1 of 1 workload is isolated for egress and may send DNS (udp/53, tcp/53) to no resolver, so no name resolves"
)


@pytest.mark.parametrize(
    ("egress", "policies", "expected"),
    [
        ([dns("Deny")], [], [DENIED]),
        ([dns("Deny")], [OPEN], [DENIED]),
        ([dns("Deny", named("kube-system"))], [OPEN], [DENIED]),
        ([dns("Deny", named("bank"))], [OPEN], []),
        ([dns("Allow")], [SHUT], []),
        ([dns("Allow", named("kube-system"))], [SHUT], []),
        ([dns("Allow", named("bank"))], [SHUT], [ISOLATED]),
        ([dns("Allow"), dns("Deny")], [SHUT], []),
        ([dns("Deny"), dns("Allow")], [SHUT], [DENIED]),
        ([dns("Pass"), dns("Deny")], [OPEN], []),
        ([dns("Pass"), dns("Deny")], [SHUT], [ISOLATED]),
        ([{"action": "Deny", "to": [EVERY], "ports": [{"portNumber": PORTS[1]}]}], [OPEN],
         ["high: 1 of 1 workload is denied DNS (tcp/53) by AdminNetworkPolicy/a"]),
        ([dns("Deny", {"networks": ["0.0.0.0/0"]})], [OPEN], [DENIED]),
        ([dns("Deny", {"networks": ["169.254.169.254/32"]})], [OPEN], []),
        ([dns("Deny", {"networks": ["10.0.0.0/8"]})], [OPEN], [DENIED.replace("high", "low").replace("is", "may be")]),
    ],
)  # fmt: skip
def test_an_admin_policy_decides_before_policies(
    egress: list[Json], policies: list[Json], expected: list[str], findings: Findings
) -> None:
    assert told(findings, admin("a", 5, *egress), *policies) == expected


def test_of_admin_policies_the_first_counts(findings: Findings) -> None:
    assert told(findings, admin("b", 4, dns("Allow")), admin("a", 5, dns("Deny")), SHUT) == []
    assert told(findings, admin("b", 6, dns("Allow")), admin("a", 5, dns("Deny")), SHUT) == [DENIED]


def test_a_baseline_counts_where_no_policy_selects(findings: Findings) -> None:
    denying = baseline(dns("Deny"))
    (found,) = told(findings, denying)
    assert found.endswith("is denied DNS (udp/53, tcp/53) by BaselineAdminNetworkPolicy/default")
    assert told(findings, denying, OPEN) == []
    assert told(findings, denying, SHUT) == [ISOLATED]


def test_denials_of_cilium_go_before_what_is_admitted(findings: Findings) -> None:
    ports = [{"port": "53", "protocol": "ANY"}]
    spec: Json = {
        "endpointSelector": {},
        "egress": [{"toEntities": ["all"]}],
        "egressDeny": [{"toEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "kube-system"}}]}],
    }
    spec["egressDeny"][0]["toPorts"] = [{"ports": ports}]
    denying = written("CiliumNetworkPolicy", "c", "shop", apiVersion="cilium.io/v2", spec=spec)
    (found,) = told(findings, denying, ships.cilium())
    assert found.endswith("1 of 1 workload is denied DNS (udp/53, tcp/53) by shop/CiliumNetworkPolicy/c/denials")
    without = {**denying, "spec": {key: value for key, value in spec.items() if key != "egressDeny"}}
    assert told(findings, without, ships.cilium()) == []


def calico(name: str, tier: str, action: str, **more: Any) -> Json:
    rules = [{"action": action, "protocol": name, "destination": {"ports": [53]}} for name in ("UDP", "TCP")]
    spec = {"tier": tier, "order": 5, "types": ["Egress"], "egress": rules, **more}
    return written("GlobalNetworkPolicy", f"{tier}.{name}", apiVersion="projectcalico.org/v3", spec=spec)


def test_tiers_of_calico_decide_in_their_order(findings: Findings) -> None:
    tier = written("Tier", "first", apiVersion="projectcalico.org/v3", spec={"order": 100})
    plugin = ships.calico()
    assert told(findings, tier, calico("a", "first", "Allow"), SHUT, plugin) == []
    assert told(findings, tier, calico("a", "first", "Pass"), SHUT, plugin) == [ISOLATED]
    (found,) = told(findings, tier, calico("a", "first", "Deny"), OPEN, plugin)
    assert found.endswith("is denied DNS (udp/53, tcp/53) by GlobalNetworkPolicy/first.a")
    # A tier that selects a pod and says nothing of DNS denies it.
    web = {"egress": [{"action": "Allow", "protocol": "TCP", "destination": {"ports": [80]}}]}
    (found,) = told(findings, tier, calico("a", "first", "Allow", **web), OPEN, plugin)
    assert found == ISOLATED


def antrea(tier: str, action: str) -> Json:
    rule = {"action": action, "ports": PORTS}
    spec: Json = {"tier": tier, "priority": 5, "appliedTo": [{"namespaceSelector": {}}], "egress": [rule]}
    return written("ClusterNetworkPolicy", tier, apiVersion="crd.antrea.io/v1beta1", spec=spec)


def test_tiers_of_antrea_stand_before_policies_and_its_baseline_behind(findings: Findings) -> None:
    plugin = ships.antrea()
    assert told(findings, antrea("application", "Allow"), SHUT, plugin) == []
    (found,) = told(findings, antrea("application", "Drop"), OPEN, plugin)
    assert found.endswith("is denied DNS (udp/53, tcp/53) by AntreaClusterNetworkPolicy/application")
    assert told(findings, antrea("baseline", "Drop"), OPEN, plugin) == []
    assert len(told(findings, antrea("baseline", "Drop"), plugin)) == 1


def test_an_admission_that_is_not_certain_lowers_confidence(findings: Findings) -> None:
    objects = (space("kube-system"), space("shop"), COREDNS, pod("web"), SHUT, admin("a", 5, dns("Allow")))
    estate = translate(snapshot(*objects))
    assert [each for each in findings(missing_dns_egress.CHECK, estate) if each.resource.id == "shop"] == []
    loose = {
        key: msgspec.structs.replace(
            each, rules=tuple(msgspec.structs.replace(rule, exact=each.kind == "NetworkPolicy") for rule in each.rules)
        )
        for key, each in estate.rule_sets.items()
    }
    doubtful = dataclasses.replace(estate, rule_sets=loose)
    (found,) = (each for each in findings(missing_dns_egress.CHECK, doubtful) if each.resource.id == "shop")
    assert found.confidence == "low"


def test_a_finding_names_what_to_change(findings: Findings) -> None:
    estate = translate(snapshot(space("kube-system"), space("shop"), COREDNS, pod("web"), admin("a", 5, dns("Deny"))))
    (found,) = (each for each in findings(missing_dns_egress.CHECK, estate) if each.resource.id == "shop")
    assert found.evidence[1] == "denied by AdminNetworkPolicy/a"
    assert found.remedy is not None
    assert "admit udp/53 and tcp/53 to the resolver before what denies it in AdminNetworkPolicy/a" in str(found.remedy)


def cilium(*egress: Json) -> Json:
    spec: Json = {"endpointSelector": {}, "egress": list(egress)}
    return written("CiliumNetworkPolicy", "c", "shop", apiVersion="cilium.io/v2", spec=spec)


def ranging(cidr: str) -> Json:
    rules = [{"to": [{"ipBlock": {"cidr": cidr}}]}]
    return policy("range", {"podSelector": {}, "policyTypes": ["Egress"], "egress": rules})


CACHE = ISOLATED.replace("high", "medium")
UNKNOWN = ISOLATED.replace("high", "low")
FAR = "8.8.8.8/32"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (cilium({"toFQDNs": [{"matchName": "example.com"}]}), ISOLATED),
        (cilium({"toCIDR": ["0.0.0.0/0"]}), CACHE),
        (cilium({"toCIDR": [FAR]}), ISOLATED),
        (cilium({"toEntities": ["world"]}), CACHE),
        (ranging("0.0.0.0/0"), CACHE),
        (ranging(FAR), ISOLATED),
        (cilium({"toServices": [{"k8sService": {"serviceName": "dns", "namespace": "kube-system"}}]}), UNKNOWN),
    ],
)
def test_names_and_ranges_of_cilium_are_never_a_resolver_in_pods(item: Json, expected: str, findings: Findings) -> None:
    assert told(findings, item, ships.cilium()) == [expected]


@pytest.mark.parametrize("item", [cilium({"toEntities": ["all"]}), cilium({"toEntities": ["cluster"]})])
def test_everybody_and_all_pods_are_the_resolver_too(item: Json, findings: Findings) -> None:
    assert told(findings, item, ships.cilium()) == []


def test_a_cache_on_the_node_is_said_where_its_address_is_admitted(findings: Findings) -> None:
    objects = (space("kube-system"), space("shop"), COREDNS, pod("web"), ranging("0.0.0.0/0"), ships.cilium())
    (found,) = findings(missing_dns_egress.CHECK, translate(snapshot(*objects)))
    assert any("whether a cache on the node answers instead" in line for line in found.evidence)


def test_where_the_resolver_was_not_read_ranges_of_cilium_may_be_it(findings: Findings) -> None:
    objects = (space("shop"), pod("web"), ranging("0.0.0.0/0"), ships.cilium())
    assert findings(missing_dns_egress.CHECK, translate(snapshot(*objects))) == []


def test_names_that_may_be_those_of_pods_leave_it_open(findings: Findings) -> None:
    spec: Json = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}}
    spec["egress"] = [{"action": "Accept", "to": [{"domainNames": ["*.example.com"]}]}]
    item = written("ClusterNetworkPolicy", "d", apiVersion="policy.networking.k8s.io/v1alpha2", spec=spec)
    assert told(findings, item, SHUT) == [UNKNOWN]


@pytest.mark.parametrize("denying", [(admin("a", 5, dns("Deny")),), (baseline(dns("Deny")),)])
def test_the_resolver_does_not_ask_itself(denying: tuple[Json, ...], findings: Findings) -> None:
    objects = (space("kube-system"), space("shop"), COREDNS, pod("web"), *denying)
    found = findings(missing_dns_egress.CHECK, translate(snapshot(*objects)))
    assert [each.resource.id for each in found] == ["shop"]
    # Its neighbours in the same namespace do.
    found = findings(missing_dns_egress.CHECK, translate(snapshot(*objects, pod("metrics", "kube-system"))))
    assert [each.resource.id for each in found] == ["kube-system", "shop"]
    assert "1 of 2 workloads" in found[0].message
