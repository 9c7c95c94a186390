"""No check is silent about a cloud: it looks at something there, or says why there is nothing to look at."""

import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.interface import Check

CLOUDS = ("aws", "azure", "kubernetes")
JUDGING = [check for check in CHECKS if not check.after_waivers]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("check", JUDGING, ids=lambda check: check.id)
def test_a_check_has_the_concept_or_says_why_not(check: Check, cloud: str) -> None:
    said = check.concept.get(cloud) or check.absent.get(cloud)
    assert said
    assert said.strip() == said


@pytest.mark.parametrize("check", [each for each in JUDGING if "azure" in each.concept], ids=lambda check: check.id)
def test_a_check_of_azure_has_a_bad_and_a_good_estate_of_it(check: Check) -> None:
    built = [(bool(example.finds), example.build()) for example in check.examples]
    assert {bad for bad, estate in built if any(scope.provider == "azure" for scope in estate.scopes)} == {True, False}
