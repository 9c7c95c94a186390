"""The manifests that published articles print give the verdicts that these state, in a small estate of three tiers."""

import os
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from cloudseg.checks import CHECKS
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.model import Estate
from cloudseg.providers.kubernetes.manifests import read_manifests
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic

pytestmark = [
    pytest.mark.samples,
    pytest.mark.skipif("CLOUDSEG_SAMPLES" not in os.environ, reason="CLOUDSEG_SAMPLES names no folder of manifests"),
]

P: Final = "production"
WEB, API, ORDERS, SESSIONS = f"{P}/web-frontend", f"{P}/api-backend", f"{P}/orders-db", f"{P}/sessions-db"
PAY, INTERNAL, MICRO = f"{P}/payment-service", f"{P}/internal-api", f"{P}/microservice-a"
MYSQL, PROMETHEUS, DNS = "database/mysql", "monitoring/prometheus", "kube-system/coredns"
INGRESS, FRONT, BACK = "ingress-nginx/ingress-nginx-controller", "default/frontend", "default/backend"
DATA = "default/database"
DEFAULT_WEB, PROD_WEB, PROD_API = "default/web", "prod/frontend", "prod/api"
OUTSIDE, PRIVATE = "198.51.100.7", "10.20.30.40"


class Verdict(NamedTuple):
    """What passes from one end to another: ``yes``, ``no``, or ``perhaps`` where it depends on the network plugin."""

    source: str
    target: str
    traffic: str
    passes: str


def yes(source: str, target: str, traffic: str) -> Verdict:
    return Verdict(source, target, traffic, "yes")


def no(source: str, target: str, traffic: str) -> Verdict:
    return Verdict(source, target, traffic, "no")


def perhaps(source: str, target: str, traffic: str) -> Verdict:
    return Verdict(source, target, traffic, "perhaps")


TABLE: Final[dict[tuple[str, ...], tuple[Verdict, ...]]] = {
    # Without a policy everybody reaches everybody.
    (): (yes(WEB, MYSQL, "tcp/3306"), yes(OUTSIDE, MYSQL, "tcp/3306"), yes(MYSQL, OUTSIDE, "all")),
    ("000-frontend-allow",): (
        yes(DATA, FRONT, "tcp/80"), no(DATA, FRONT, "tcp/81"), no(INGRESS, FRONT, "tcp/80"),
        yes(FRONT, BACK, "tcp/8080"), no(FRONT, BACK, "tcp/8081"),
        no(FRONT, DNS, "udp/53"), no(FRONT, OUTSIDE, "tcp/443"),
        yes(DATA, BACK, "tcp/8080"),
    ),
    ("000-frontend-allow-refined",): (
        yes(INGRESS, FRONT, "tcp/80"), no(DATA, FRONT, "tcp/80"), no(PROMETHEUS, FRONT, "tcp/80"),
        yes(FRONT, BACK, "tcp/8080"), no(FRONT, DATA, "tcp/5432"),
    ),
    ("001-default-deny-ingress",): (
        no(INGRESS, WEB, "tcp/80"), no(WEB, API, "tcp/3000"), no(OUTSIDE, WEB, "tcp/443"),
        yes(WEB, OUTSIDE, "all"), yes(WEB, MYSQL, "tcp/3306"),
    ),
    ("001-default-deny-egress",): (
        yes(INGRESS, WEB, "tcp/80"), no(WEB, API, "tcp/3000"), no(WEB, DNS, "udp/53"), no(WEB, OUTSIDE, "tcp/443"),
        yes(OUTSIDE, WEB, "tcp/443"),
    ),
    ("001-default-deny-all",): (
        no(WEB, API, "all"), no(INGRESS, WEB, "tcp/80"), no(WEB, OUTSIDE, "all"), no(OUTSIDE, WEB, "all"),
        yes(FRONT, BACK, "tcp/8080"),
    ),
    ("001-default-deny-all", "001-allow-dns"): (
        yes(WEB, DNS, "udp/53"), yes(PAY, DNS, "tcp/53"), no(WEB, DNS, "tcp/9153"), no(WEB, API, "tcp/3000"),
    ),
    ("001-default-deny-all", "001-allow-dns-by-ip"): (
        # Whether a range matches pods depends on the plugin, and so does whether it sees the address of a service.
        perhaps(WEB, DNS, "udp/53"), yes(WEB, "10.96.0.10", "udp/53"), yes(WEB, "10.96.0.10", "tcp/53"),
    ),
    ("001-default-deny-ingress", "001-allow-ingress-to-web"): (
        yes(INGRESS, WEB, "tcp/8080"), no(INGRESS, WEB, "tcp/80"),
        no(API, WEB, "tcp/8080"), no(INGRESS, API, "tcp/8080"),
    ),
    ("001-default-deny-ingress", "001-allow-web-to-api"): (
        yes(WEB, API, "tcp/3000"), no(WEB, API, "tcp/8080"), no(PAY, API, "tcp/3000"), no(FRONT, API, "tcp/3000"),
    ),
    ("001-allow-api-to-database",): (
        yes(API, MYSQL, "tcp/3306"), no(WEB, MYSQL, "tcp/3306"), no(BACK, MYSQL, "tcp/3306"), no(API, MYSQL, "tcp/22"),
        yes(MYSQL, API, "all"),
    ),
    ("001-default-deny-egress", "001-allow-api-to-database"): (no(API, MYSQL, "tcp/3306"),),
    ("001-default-deny-egress", "001-allow-api-to-database", "001-api-egress"): (
        yes(API, MYSQL, "tcp/3306"), yes(API, DNS, "udp/53"), no(API, DNS, "tcp/53"),
        yes(API, OUTSIDE, "tcp/443"), no(API, PRIVATE, "tcp/443"), no(API, "172.16.0.1", "tcp/443"),
        no(API, "192.168.1.1", "tcp/443"), no(API, OUTSIDE, "tcp/80"), no(WEB, MYSQL, "tcp/3306"),
    ),
    ("001-deny-from-other-namespaces",): (
        yes(WEB, API, "all"), no(INGRESS, WEB, "tcp/80"), no(FRONT, WEB, "tcp/80"), no(OUTSIDE, WEB, "tcp/80"),
        yes(WEB, MYSQL, "tcp/3306"),
    ),
    ("003-namespace-isolation",): (
        yes(WEB, API, "all"), no(INGRESS, WEB, "tcp/80"), no(FRONT, WEB, "tcp/80"), no(OUTSIDE, WEB, "tcp/80"),
    ),
    ("001-allow-prometheus-scrape",): (
        yes(PROMETHEUS, API, "tcp/9090"), no(PROMETHEUS, API, "tcp/8080"), no(WEB, API, "tcp/9090"),
        # It is the label that it selects, which this pod does not bear.
        yes(PROMETHEUS, WEB, "all"),
    ),
    ("001-allow-external-web",): (
        yes(OUTSIDE, WEB, "tcp/443"), no(OUTSIDE, WEB, "tcp/80"), perhaps(API, WEB, "tcp/443"), no(API, WEB, "tcp/80"),
        yes(OUTSIDE, API, "tcp/443"),
    ),
    ("001-allow-specific-external",): (
        yes(PAY, "203.0.113.9", "tcp/443"), no(PAY, "198.51.100.7", "tcp/443"), yes(PAY, DNS, "udp/53"),
        no(PAY, DNS, "tcp/53"), no(PAY, API, "tcp/3000"), yes(API, PAY, "tcp/8080"),
    ),
    ("001-complete-app-policies",): (
        yes(INGRESS, WEB, "tcp/80"), no(INGRESS, WEB, "tcp/8080"),
        yes(WEB, API, "tcp/8080"), no(WEB, ORDERS, "tcp/5432"),
        yes(API, ORDERS, "tcp/5432"), no(API, SESSIONS, "tcp/3306"), yes(API, SESSIONS, "tcp/5432"),
        no(ORDERS, API, "tcp/8080"), yes(ORDERS, DNS, "udp/53"), yes(WEB, DNS, "tcp/53"), no(WEB, OUTSIDE, "tcp/443"),
        no(OUTSIDE, WEB, "tcp/80"), no(PAY, API, "tcp/8080"), no(INGRESS, API, "tcp/8080"),
    ),
    ("001-default-deny-ingress", "001-allow-from-internal-lb"): (
        yes(PRIVATE, INTERNAL, "tcp/8080"), no(OUTSIDE, INTERNAL, "tcp/8080"), perhaps(WEB, INTERNAL, "tcp/8080"),
        no(WEB, INTERNAL, "tcp/80"),
    ),
    ("001-default-deny-ingress", "001-allow-health-checks"): (
        # What is said to be for nodes is for everybody.
        yes(OUTSIDE, MICRO, "tcp/8080"), yes(OUTSIDE, MICRO, "tcp/8081"), no(OUTSIDE, MICRO, "tcp/8082"),
        perhaps(FRONT, MICRO, "tcp/8080"),
    ),
    ("001-default-deny-ingress", "001-allow-same-app"): (no(WEB, MICRO, "tcp/7946"), no(OUTSIDE, MICRO, "tcp/8080")),
    ("001-test-network-policy",): (no(FRONT, BACK, "tcp/8080"), yes(FRONT, WEB, "tcp/80"), yes(WEB, API, "tcp/3000")),
    # A template that was not rendered may stand for any namespace.
    ("001-default-deny-all-script",): (perhaps(WEB, API, "all"), perhaps(FRONT, BACK, "all")),
    ("001-default-deny-ingress", "001-allow-web-to-api", "001-test-pods"): (
        # The test server bears the label of the web tier.
        yes(f"{P}/test-server", API, "tcp/3000"), no(f"{P}/test-client", API, "tcp/3000"),
    ),
    ("002-api-allow-from-frontend",): (
        yes(PROD_WEB, PROD_API, "tcp/8080"), no(PROD_WEB, PROD_API, "tcp/80"), no(FRONT, PROD_API, "tcp/8080"),
        no(WEB, PROD_API, "tcp/8080"),
    ),
    ("003-deny-cross-namespace",): (
        # Both ends decide: they may send to 3306 and take nothing but 8080.
        no(API, SESSIONS, "tcp/3306"), no(WEB, API, "tcp/8080"), no(FRONT, API, "tcp/8080"), no(WEB, MYSQL, "tcp/3306"),
        no(WEB, DNS, "udp/53"),
    ),
    ("003-default-deny",): (
        no(FRONT, BACK, "all"), no(WEB, FRONT, "tcp/80"),
        no(FRONT, OUTSIDE, "all"), yes(WEB, API, "all"),
    ),
    ("003-allow-web",): (
        yes(FRONT, DEFAULT_WEB, "tcp/80"), no(BACK, DEFAULT_WEB, "tcp/80"),
        no(FRONT, DEFAULT_WEB, "tcp/443"),
    ),
    ("003-frontend-to-backend",): (
        yes(FRONT, BACK, "tcp/8080"), no(FRONT, BACK, "tcp/9090"),
        no(DATA, BACK, "tcp/8080"),
    ),
    ("003-allow-frontend-backend",): (yes(FRONT, BACK, "all"), no(DATA, BACK, "all"), yes(BACK, OUTSIDE, "all")),
    ("003-allow-prometheus",): (
        # Without policyTypes, and without egress rules, Ingress alone is meant.
        yes(PROMETHEUS, BACK, "tcp/9090"), no(FRONT, BACK, "tcp/8080"), yes(BACK, OUTSIDE, "all"),
    ),
    ("003-allow-dns",): (
        # Without policyTypes, and with egress rules, both are meant: what allows DNS forbids whatever arrives.
        yes(FRONT, DNS, "udp/53"), no(FRONT, DNS, "tcp/53"),
        no(FRONT, BACK, "tcp/8080"), no(PROMETHEUS, FRONT, "tcp/80"),
        no(FRONT, OUTSIDE, "tcp/443"),
    ),
}  # fmt: skip


def estate(files: tuple[str, ...]) -> Estate:
    folder = Path(os.environ["CLOUDSEG_SAMPLES"]) / "kubernetes"
    policies = [folder / "seeds" / f"{name}.yaml" for name in files]
    return translate(read_manifests([folder / "three-tier.yaml", *policies]))


def end(name: str, of: Estate) -> str | AddressSet:
    if name[0].isdigit():
        return AddressSet.parse(name)
    (found,) = (key for key in of.interfaces if key.startswith(f"kubernetes:manifests:{name}["))
    return found


CASES = tuple((files, verdict) for files, verdicts in TABLE.items() for verdict in verdicts)


@pytest.mark.parametrize(
    ("files", "verdict"), CASES, ids=[f"{' + '.join(files)}: {' '.join(verdict)}" for files, verdict in CASES]
)
def test_the_verdict_is_what_the_article_states(files: tuple[str, ...], verdict: Verdict) -> None:
    found = estate(files)
    asked = Traffic.parse(verdict.traffic)
    lower, upper = Reachability(found).between(end(verdict.source, found), end(verdict.target, found))
    passes = "yes" if asked <= lower else "no" if not asked & upper else "perhaps"
    assert passes == verdict.passes


def test_every_manifest_of_network_policies_is_in_the_table() -> None:
    folder = Path(os.environ["CLOUDSEG_SAMPLES"]) / "kubernetes" / "seeds"
    judged = {name for files in TABLE for name in files}
    # A policy of a mesh says nothing to those without its proxies.
    assert {path.stem for path in folder.glob("*.yaml")} - judged == {"002-api-only-from-frontend"}


FINDINGS: Final[dict[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    (): {"missing-default-deny": ("production", "production")},
    ("001-default-deny-all",): {"missing-dns-egress": ("production",)},
    ("003-default-deny",): {"missing-dns-egress": ("default",)},
    ("000-frontend-allow",): {"missing-dns-egress": ("default",)},
    ("001-allow-from-internal-lb",): {"address-based-rule": ("production/NetworkPolicy/allow-from-internal-lb",)},
    ("001-allow-dns-by-ip",): {"address-based-rule": ("production/NetworkPolicy/allow-dns",)},
    ("001-deny-from-other-namespaces",): {
        "self-referencing-all-traffic": ("production/NetworkPolicy/deny-from-other-namespaces",)
    },
    ("003-allow-frontend-backend",): {"overbroad-ports": ("default/NetworkPolicy/allow-frontend-backend",)},
    ("001-default-deny-all", "001-allow-dns"): {"missing-dns-egress": ()},
    ("001-complete-app-policies",): {"missing-dns-egress": (), "address-based-rule": ()},
    ("001-api-egress",): {"unrestricted-egress": ()},
}


@pytest.mark.parametrize("files", FINDINGS, ids=" + ".join)
def test_an_audit_tells_what_is_wrong_with_it(files: tuple[str, ...]) -> None:
    found = run_audit(estate(files), AuditRequest(checks=CHECKS, exposure=False)).findings
    for check, resources in FINDINGS[files].items():
        told = [each.resource.id for each in found if each.check == check]
        for resource in resources:
            assert told.count(resource) >= resources.count(resource), (check, told)
        if not resources:
            assert not told, (check, told)
