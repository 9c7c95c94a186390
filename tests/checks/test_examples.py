"""Every check against its own examples, and the form that all checks share."""

import importlib
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import cloudseg.checks
from cloudseg.checks import CHECKS
from cloudseg.checks.interface import Check, Example
from cloudseg.findings import Finding
from cloudseg.model import FACETS

Findings = Callable[..., list[Finding]]

REMEDIES = {
    "replace-addresses-with-group",
    "narrow-ports",
    "remove-unused-rule",
    "close-public-endpoint",
    "add-private-endpoint",
    "restrict-egress",
    "add-default-deny",
    "empty-default-group",
    "enable-flow-logs",
    "require-mtls",
}
PROVIDERS = {"aws", "azure", "gcp", "kubernetes"}
BENCHMARKS = {
    "cis-aws-3.0",
    "cis-aws-5.0",
    "cis-azure-3.0",
    "cis-azure-4.0",
    "cis-azure-5.0",
    "cis-gcp-3.0",
    "cis-gcp-4.0",
    "cis-kubernetes-1.9",
    "cisa-ztmm-2",
    "nist-800-204b",
    "nist-800-207",
    "nist-800-53r5",
    "nsa-cisa-kubernetes-1.2",
    "pci-dss-4.0",
}
EXAMPLES = [(check, example) for check in CHECKS for example in check.examples]

every_check = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
every_example = pytest.mark.parametrize(
    ("check", "example"), EXAMPLES, ids=[f"{check.id}: {example.name}" for check, example in EXAMPLES]
)


def found_in(example: Example, check: Check, findings: Findings) -> list[Finding]:
    """Return what a check finds in an example."""
    intent = None if example.intent is None else example.intent()
    flows = None if example.flows is None else example.flows()
    return findings(check, example.build(), example.waivers, intent=intent, flows=flows)


def module_of(check: Check) -> str:
    return check.id.replace("-", "_")


@every_example
def test_example_finds_what_it_says(check: Check, example: Example, findings: Findings) -> None:
    found = found_in(example, check, findings)
    assert sorted(finding.resource.id for finding in found) == sorted(example.finds)
    if example.severity is not None:
        assert {finding.severity for finding in found} <= {example.severity}
    if example.remedy_groups is not None:
        named = [() if finding.remedy is None else finding.remedy.groups for finding in found]
        assert named == [example.remedy_groups] * len(found)


@every_example
def test_findings_of_an_example_are_complete_and_told_apart(check: Check, example: Example, findings: Findings) -> None:
    found = found_in(example, check, findings)
    services = {service.own_id for service in example.build().services.values()}
    assert {finding.check for finding in found} <= {check.id}
    # Rules that do the same have one normal form, so only they may share an id.
    identities = Counter(finding.id for finding in found)
    for finding in found:
        assert identities[finding.id] == 1
        assert finding.message
        assert finding.message == finding.message.strip().rstrip(".")
        # In a cluster, what leads to pods is told, and policies only let it in; of a service its setting is.
        told_as_a_whole = finding.provider == "kubernetes" or finding.resource.id in services
        assert (finding.rule is not None) or not check.per_rule or told_as_a_whole
        if finding.remedy is not None:
            assert finding.remedy.id in REMEDIES
            assert finding.remedy.summary


@every_example
def test_an_example_gives_the_same_findings_twice(check: Check, example: Example, findings: Findings) -> None:
    assert found_in(example, check, findings) == found_in(example, check, findings)


@every_check
def test_a_check_has_good_and_bad_examples(check: Check) -> None:
    assert any(example.finds for example in check.examples)
    assert any(not example.finds for example in check.examples)
    assert len({example.name for example in check.examples}) == len(check.examples)


@every_check
def test_a_remedy_is_shown_by_an_example(check: Check, findings: Findings) -> None:
    shown = {
        finding.remedy.id
        for example in check.examples
        for finding in found_in(example, check, findings)
        if finding.remedy is not None
    }
    assert (check.remedy in shown) if check.remedy else not shown


@every_check
def test_the_docstring_has_the_four_headings_in_order(check: Check) -> None:
    text = importlib.import_module(f"cloudseg.checks.{module_of(check)}").__doc__ or ""
    headings = re.findall(r"^([A-Z][a-z ]+):$", text, re.MULTILINE)
    assert headings == ["What it finds", "Why it matters", "Example", "Remedy"]
    assert text.splitlines()[0].endswith(".")


@every_check
def test_the_id_is_the_name_of_the_file(check: Check) -> None:
    module = importlib.import_module(f"cloudseg.checks.{module_of(check)}")
    assert module.CHECK is check
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.id)


def test_ids_are_unique() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_every_file_with_a_check_is_listed() -> None:
    folder = Path(cloudseg.checks.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if re.search(r"^CHECK = ", path.read_text(), re.MULTILINE)}
    assert files == {module_of(check) for check in CHECKS}


@every_check
def test_parameters_have_a_type_that_a_configuration_can_give(check: Check) -> None:
    assert len({parameter.name for parameter in check.parameters}) == len(check.parameters)
    for parameter in check.parameters:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", parameter.name)
        assert parameter.description.endswith(".")
        assert isinstance(parameter.default, bool | int | str | tuple)
        if isinstance(parameter.default, tuple):
            assert all(isinstance(text, str) for text in parameter.default)


@every_check
def test_metadata_names_what_exists(check: Check) -> None:
    assert set(check.needs) | set(check.uses) <= set(FACETS)
    assert not set(check.needs) & set(check.uses)
    assert check.concept
    assert set(check.concept) | set(check.absent) <= PROVIDERS
    assert not set(check.concept) & set(check.absent)
    assert set(check.compliance) <= BENCHMARKS
    assert all(controls for controls in check.compliance.values())
    assert not check.remedy or check.remedy in REMEDIES
