"""Every remedy answers its own examples as it says, and nothing that it proposes lets anybody gain anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.checks import CHECKS
from cloudseg.remediations import REMEDIES
from tests.remediations.judged import answered, assert_gains_nothing

if TYPE_CHECKING:
    from cloudseg.remediations.interface import Remedy, RemedyExample

EXAMPLES = [
    pytest.param(remedy, each, id=f"{remedy.id}: {each.name}") for remedy in REMEDIES for each in remedy.examples
]


@pytest.mark.parametrize(("remedy", "example"), EXAMPLES)
def test_examples_are_answered_as_they_say(remedy: Remedy, example: RemedyExample) -> None:
    judged = answered(
        remedy,
        example.check,
        example.build(),
        intent=example.intent() if example.intent else None,
        flows=example.flows() if example.flows else None,
    )

    assert judged.findings, "the example has no finding to answer"
    assert judged.lines == example.changes
    if example.advice:
        assert any(example.advice in reason for reason in judged.reasons), judged.reasons
    else:
        assert judged.reasons == []
    assert_gains_nothing(judged)


@pytest.mark.parametrize("remedy", [pytest.param(remedy, id=remedy.id) for remedy in REMEDIES])
def test_every_provider_has_a_concept_or_a_reason_and_checks_exist(remedy: Remedy) -> None:
    assert sorted((*remedy.concept, *remedy.absent)) == ["aws", "azure", "gcp", "kubernetes"]
    assert all((*remedy.concept.values(), *remedy.absent.values()))
    assert set(remedy.answers) <= {check.id for check in CHECKS}
    assert any(example.changes for example in remedy.examples)
    assert any(example.advice for example in remedy.examples)


@pytest.mark.parametrize("remedy", [pytest.param(remedy, id=remedy.id) for remedy in REMEDIES])
def test_the_docstring_has_the_headings_of_a_page(remedy: Remedy) -> None:
    import sys

    text = sys.modules[remedy.propose.__module__].__doc__ or ""

    for heading in ("What it changes:", "What it proves:", "What it leaves to people:", "How it is undone:"):
        assert heading in text
