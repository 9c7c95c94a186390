"""Instances that tell less than every instance has are gaps, and not machines that nobody reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import translated
from tests.gcp.raw_parts import vpc
from tests.gcp.shapes import OUTSIDE, one_network

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from tests.gcp.raw import Raw

HTTPS = Traffic.ports(6, 443, 443)


def _estate() -> tuple[Raw, dict[str, Any]]:
    """``b`` with a public address, open to HTTPS from everywhere, and what the answer says of it."""
    raw = one_network(vpc("allow", "tcp:443"), public=["b"])
    return raw, raw.item("b", "instances")


def _told(estate: Estate) -> list[tuple[str, str]]:
    return [(each.resource, each.detail) for each in estate.gaps]


def test_a_public_address_that_cannot_be_read_may_be_any() -> None:
    raw, item = _estate()
    item["networkInterfaces"][0]["accessConfigs"][0]["natIP"] = "34.1.0.x"

    estate = translated(raw.answers)
    found = Reachability(estate).between(AddressSet.parse(OUTSIDE), raw.own("b"))

    assert (found.lower >= HTTPS, found.upper >= HTTPS) == (False, True)


def test_an_interface_without_any_address_is_a_gap() -> None:
    raw, item = _estate()
    for key in ("networkIP", "ipv6AccessConfigs"):
        del item["networkInterfaces"][0][key]

    expected = ("zones/europe-west1-a/instances/b/nic0", "it tells no address that can be read")
    assert expected in _told(translated(raw.answers))


def test_an_instance_without_interfaces_is_a_gap() -> None:
    raw, item = _estate()
    del item["networkInterfaces"]

    expected = ("projects/shop/zones/europe-west1-a/instances/b", "networkInterfaces are missing")
    assert expected in _told(translated(raw.answers))


def test_an_instance_that_tells_all_is_no_gap() -> None:
    assert _told(translated(_estate()[0].answers)) == []
