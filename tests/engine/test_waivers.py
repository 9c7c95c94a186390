"""A waiver accepts exactly what it names, as long as it holds."""

import pytest

from cloudseg.findings import Finding, ResourceInfo, RuleInfo, Severity
from cloudseg.waivers import Waiver, apply_waivers

FINDING = Finding(
    id="0123456789abcdef0123",
    check="internet-exposed-port",
    severity=Severity.HIGH,
    provider="aws",
    scope="111122223333",
    region="eu-west-1",
    resource=ResourceInfo("security-group", "sg-web", "web"),
    rule=RuleInfo("sgr-1", "ingress", "tcp/22", "0.0.0.0/0"),
    message="open",
)


def waiver(expires: str = "2026-12-31", **how: object) -> Waiver:
    return Waiver(owner="ops", reason="bastion", expires=expires, place="waivers.yaml, entry 1", **how)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("how", "chosen"),
    [
        ({"finding": "0123456789abcdef0123"}, True),
        ({"finding": "other"}, False),
        ({"check": "internet-exposed-port", "resource": "sg-web"}, True),
        ({"check": "internet-exposed-port", "resource": "web"}, True),
        ({"check": "internet-exposed-port", "resource": "sg-*"}, True),
        ({"check": "internet-exposed-port", "resource": "sg-we"}, False),
        ({"check": "public-address", "resource": "sg-web"}, False),
        ({"check": "internet-exposed-port", "rule": "sgr-1"}, True),
        ({"check": "internet-exposed-port", "rule": "tcp/22 from 0.0.0.0/0"}, True),
        ({"check": "internet-exposed-port", "rule": "tcp/22 to 0.0.0.0/0"}, False),
        ({"check": "internet-exposed-port", "tags": {"team": "net"}}, True),
        ({"check": "internet-exposed-port", "tags": {"team": "app"}}, False),
        ({"check": "internet-exposed-port", "resource": "sg-web", "tags": {"team": "app"}}, False),
    ],
)
def test_a_waiver_chooses_what_all_of_its_parts_name(how: dict[str, object], *, chosen: bool) -> None:
    assert waiver("2026-12-31", **how).matches(FINDING, {"team": "net"}) is chosen


def test_a_waiver_holds_through_its_last_day_and_no_longer() -> None:
    accepted = waiver("2026-06-30", finding=FINDING.id)
    for day, waived in (("2026-06-30T23:59:59Z", True), ("2026-07-01", False)):
        (finding,), (state,) = apply_waivers([FINDING], [accepted], {}, day)
        assert (finding.waiver is not None) is waived
        assert state.expired is not waived
        assert state.matched == 1


def test_a_waiver_that_chooses_nothing_is_told() -> None:
    findings, states = apply_waivers([FINDING], [waiver(finding="gone")], {}, "2026-01-01")
    assert findings == [FINDING]
    assert [state.matched for state in states] == [0]


def test_a_valid_waiver_counts_although_an_expired_one_comes_first() -> None:
    both = [waiver("2025-01-01", finding=FINDING.id), waiver("2027-01-01", finding=FINDING.id)]
    (finding,), states = apply_waivers([FINDING], both, {}, "2026-01-01")
    assert finding.waiver is not None
    assert finding.waiver.expires == "2027-01-01"
    assert [state.matched for state in states] == [1, 1]
