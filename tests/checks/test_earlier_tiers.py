"""What tiers before NetworkPolicies decide for good counts where isolation is judged.

Sources: https://antrea.io/docs/main/docs/antrea-network-policy/ and https://network-policy-api.sigs.k8s.io/api-overview/
"""

from collections.abc import Callable
from typing import Any

from cloudseg.checks import missing_default_deny
from cloudseg.findings import Finding
from cloudseg.providers.kubernetes.translate import translate
from tests.kubernetes.cluster import pod, policy, snapshot, space, written

Findings = Callable[..., list[Finding]]

DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
EVERYTHING: dict[str, Any] = {"namespaceSelector": {}}


def antrea(name: str, priority: int, *ingress: dict[str, Any]) -> dict[str, Any]:
    spec = {"priority": priority, "appliedTo": [EVERYTHING], "ingress": list(ingress)}
    return written("ClusterNetworkPolicy", name, apiVersion="crd.antrea.io/v1beta1", spec=spec)


def open_for(findings: Findings, direction: str, *objects: dict[str, Any]) -> list[str]:
    estate = translate(snapshot(space("shop"), pod("web"), *objects))
    found = findings(missing_default_deny.CHECK, estate)
    return [each.message for each in found if direction in each.message]


def test_what_an_earlier_tier_admits_cancels_a_default_deny(findings: Findings) -> None:
    assert open_for(findings, "ingress", DENY) == []
    (told,) = open_for(findings, "ingress", DENY, antrea("open", 5, {"action": "Allow"}))
    assert told == (
        "namespace shop: 1 of 1 workload is not isolated for ingress: "
        "AntreaClusterNetworkPolicy/open admits everything from everyone"
    )
    # Some traffic is not all, and what pods may send is all that is admitted here.
    web = {"action": "Allow", "ports": [{"protocol": "TCP", "port": 80}]}
    assert open_for(findings, "ingress", DENY, antrea("web", 5, web)) == []
    assert open_for(findings, "ingress", DENY, antrea("pods", 5, {"action": "Allow", "from": [EVERYTHING]})) == []


def test_what_was_denied_or_handed_on_before_is_not_admitted(findings: Findings) -> None:
    opening = antrea("open", 5, {"action": "Allow"})
    assert open_for(findings, "ingress", DENY, opening, antrea("shut", 4, {"action": "Drop"})) == []
    assert open_for(findings, "ingress", DENY, opening, antrea("pass", 4, {"action": "Pass"})) == []


def test_what_a_tier_denies_to_everyone_isolates_too(findings: Findings) -> None:
    assert open_for(findings, "ingress", antrea("shut", 5, {"action": "Drop"})) == []
    assert open_for(findings, "ingress", antrea("pods", 5, {"action": "Drop", "from": [EVERYTHING]})) != []
    both = antrea("both", 5, {"action": "Allow"}, {"action": "Drop"})
    assert open_for(findings, "ingress", both) != []


def test_an_admin_policy_that_admits_every_address_cancels_a_default_deny_of_egress(findings: Findings) -> None:
    rule = {"action": "Accept", "to": [{"networks": ["0.0.0.0/0", "::/0"]}]}
    spec: dict[str, Any] = {"tier": "Admin", "priority": 5, "subject": {"namespaces": {}}, "egress": [rule]}
    opening = written("ClusterNetworkPolicy", "open", apiVersion="policy.networking.k8s.io/v1alpha2", spec=spec)
    (told,) = open_for(findings, "egress", DENY, opening)
    assert told.endswith("ClusterNetworkPolicy/open admits everything to everyone")
