"""Checks about ways to the internet over raw Azure answers, decided by hand.

Default outbound access: https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.interface import AuditContext
from cloudseg.cli.sources import translate
from cloudseg.reach.internet import InternetView
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw
from tests.azure.raw_firewalls import application_rule, collection, hub_and_spokes, network_rule, rule_group

if TYPE_CHECKING:
    from cloudseg.findings import Finding


def found(raw: Raw, check: str) -> list[Finding]:
    estate = translate(snapshot_of(raw.answers))
    chosen = next(each for each in CHECKS if each.id == check)
    context = AuditContext(
        estate=estate,
        check=chosen,
        settings={each.name: each.default for each in chosen.parameters},
        internet=InternetView(estate),
        as_of=estate.taken_at,
    )
    return list(chosen.run(context))


def about(raw: Raw, check: str) -> dict[str, str]:
    """The last names of what a check finds, with its confidence."""
    return {each.resource.id.rpartition("/")[2]: each.confidence for each in found(raw, check)}


def walled(*rules: dict[str, object], routed_back: bool = True) -> Raw:
    raw = hub_and_spokes(routed_back=routed_back)
    rule_group(raw, "pol", "one", 100, collection("all", 100, "Allow", *rules))
    return raw


def machine(*, outbound: bool | None, nat: bool = False, public: bool = False) -> Raw:
    raw = Raw()
    raw.vnet("v", "10.1.0.0/16")
    if nat:
        raw.public("pip-nat", "20.50.0.1")
        raw.nat("nat", "pip-nat")
    raw.subnet("v", "s", "10.1.1.0/24", outbound=outbound, nat="nat" if nat else "")
    if public:
        raw.public("pip", "20.50.0.2")
    raw.nic("a", "s", ("10.1.1.4", "pip") if public else "10.1.1.4")
    return raw


@pytest.mark.semantics(131)
@pytest.mark.parametrize(("outbound", "told"), [(True, {"s": "high"}), (None, {"s": "low"}), (False, {})])
def test_a_subnet_that_is_not_private_lends_addresses_unasked(*, outbound: bool | None, told: dict[str, str]) -> None:
    assert about(machine(outbound=outbound), "default-outbound-access") == told


@pytest.mark.semantics(131)
def test_who_has_an_address_to_leave_under_is_lent_none() -> None:
    for raw in (machine(outbound=True, nat=True), machine(outbound=True, public=True)):
        assert about(raw, "default-outbound-access") == {}


@pytest.mark.semantics(131)
def test_what_goes_through_a_firewall_is_lent_no_address() -> None:
    assert about(walled(network_rule()), "default-outbound-access") == {"shared": "high"}


def test_spokes_behind_application_rules_are_filtered_by_name() -> None:
    names = application_rule(("*.ubuntu.com",))
    assert about(walled(names), "unfiltered-internet-route") == {"hub": "high"}
    assert about(walled(network_rule()), "unfiltered-internet-route") == {
        "hub": "high", "spoke-a": "high", "spoke-b": "high",
    }  # fmt: skip


def test_a_spoke_beside_the_firewall_that_its_neighbour_sends_through_is_told() -> None:
    names = application_rule(("*.ubuntu.com",))
    assert about(walled(names), "firewall-bypass") == {"hub": "high"}
    assert about(walled(names, routed_back=False), "firewall-bypass") == {"hub": "high", "spoke-b": "high"}


def test_only_a_firewall_that_filters_nothing_lets_anything_out() -> None:
    assert about(walled(application_rule(("*.ubuntu.com",))), "unrestricted-egress") == {"hub": "high"}
    assert set(about(walled(network_rule()), "unrestricted-egress")) == {"hub", "spoke-a", "spoke-b"}


# Flow logs record firewalls as they record machines, and others need an intent.
_OTHERS = frozenset(("missing-flow-logs", "partial-flow-logs", "blocked-intent", "outside-intent"))


@pytest.mark.parametrize("check", [each.id for each in CHECKS if each.id not in _OTHERS])
def test_no_check_takes_the_firewall_for_a_machine(check: str) -> None:
    raw = walled(application_rule(("*.ubuntu.com",)))
    own = raw.own("fw")
    for each in found(raw, check):
        assert own not in each.resource.id
        assert not any(own in name for name in each.affected)
