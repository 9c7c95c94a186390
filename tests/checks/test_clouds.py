"""No check is silent about a cloud: it looks at something there, or says why there is nothing to look at."""

import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.interface import Check

CLOUDS = ("aws", "azure", "gcp", "kubernetes")
JUDGING = [check for check in CHECKS if not check.after_waivers]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("check", JUDGING, ids=lambda check: check.id)
def test_a_check_has_the_concept_or_says_why_not(check: Check, cloud: str) -> None:
    said = check.concept.get(cloud) or check.absent.get(cloud)
    assert said
    assert said.strip() == said


@pytest.mark.parametrize("cloud", ["azure", "gcp"])
@pytest.mark.parametrize("check", JUDGING, ids=lambda check: check.id)
def test_a_check_of_a_cloud_has_a_bad_and_a_good_estate_of_it(check: Check, cloud: str) -> None:
    built = [(bool(example.finds), example.build()) for example in check.examples]
    shown = {bad for bad, estate in built if any(scope.provider == cloud for scope in estate.scopes)}
    assert shown == ({True, False} if cloud in check.concept else set())
