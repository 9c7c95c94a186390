"""Where findings over manifests stand: at what is to be mended, and what else is meant beside it."""

from collections.abc import Callable
from typing import Any

from cloudseg.checks import cross_environment_path, dangling_policy, flat_network, unenforced_policy
from cloudseg.findings import Finding
from cloudseg.model import Estate
from cloudseg.providers.kubernetes.translate import translate
from tests.kubernetes.cluster import pod, policy, snapshot, space
from tests.kubernetes.daemon_sets import flannel

Findings = Callable[..., list[Finding]]

EVERYBODY: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}
NOBODY: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress"]}


def written(line: int, item: dict[str, Any]) -> dict[str, Any]:
    metadata = {**item["metadata"], "annotations": {"cloudseg.io/location": f"a.yaml:{line}"}}
    return {**item, "metadata": metadata}


def cluster(*objects: dict[str, Any]) -> Estate:
    return translate(snapshot(*(written(number, each) for number, each in enumerate(objects, start=1))))


def lines(finding: Finding) -> list[int]:
    """The line at which a finding stands, and those that are related."""
    assert finding.location is not None
    return [int(each["line"]) for each in (finding.location, *finding.related)]


def test_a_path_between_environments_stands_at_the_policy_that_lets_it_pass(findings: Findings) -> None:
    prod, dev = space("shop", env="prod"), space("dev", env="dev")
    estate = cluster(prod, dev, pod("db"), pod("web", "dev"), policy("open", EVERYBODY), policy("shut", NOBODY, "dev"))
    (found,) = findings(cross_environment_path.CHECK, estate)
    assert found.resource.id == "pods"
    assert lines(found) == [5]


def test_a_path_that_no_policy_filters_stands_at_the_workload_that_is_reached(findings: Findings) -> None:
    prod, dev = space("shop", env="prod"), space("dev", env="dev")
    estate = cluster(prod, dev, pod("db"), pod("web", "dev"), policy("shut", NOBODY, "dev"))
    (found,) = findings(cross_environment_path.CHECK, estate)
    assert lines(found) == [3]


def test_a_flat_cluster_stands_at_its_first_workload_or_at_the_policy_that_makes_it_flat(findings: Findings) -> None:
    pods = [pod(f"web-{number}") for number in range(6)]
    (found,) = findings(flat_network.CHECK, cluster(*pods))
    assert lines(found) == [1]
    (found,) = findings(flat_network.CHECK, cluster(*pods, policy("open", EVERYBODY)))
    assert lines(found) == [7]


def test_a_policy_that_admits_little_is_not_why_a_cluster_is_flat(findings: Findings) -> None:
    narrow = {**EVERYBODY, "podSelector": {"matchLabels": {"app": "web-5"}}}
    estate = cluster(policy("open", narrow), *(pod(f"web-{number}") for number in range(6)))
    (found,) = findings(flat_network.CHECK, estate)
    assert lines(found) == [2]


def test_policies_of_which_one_finding_tells_are_all_named_the_first_of_them_as_its_place(findings: Findings) -> None:
    elsewhere = [policy(name, NOBODY, "elsewhere") for name in ("c", "b", "a")]
    (found,) = findings(dangling_policy.CHECK, cluster(pod("web"), *elsewhere))
    assert lines(found) == [4, 3, 2]
    (found,) = findings(
        unenforced_policy.CHECK, cluster(flannel(), pod("web"), policy("a", NOBODY), policy("b", NOBODY))
    )
    assert lines(found) == [3, 4]


def test_what_no_file_holds_has_no_place(findings: Findings) -> None:
    (found,) = findings(flat_network.CHECK, translate(snapshot(*(pod(f"web-{number}") for number in range(6)))))
    assert (found.location, found.related) == (None, ())
