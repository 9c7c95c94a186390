"""Google's own services are reached past Cloud NAT, by whatever protocol: which addresses they have is not told.

Sources: https://cloud.google.com/nat/docs/nat-product-interactions and
https://cloud.google.com/vpc/docs/private-google-access
"""

from __future__ import annotations

import pytest

from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import translated
from tests.gcp.partly import passes
from tests.gcp.raw import Raw
from tests.gcp.raw_more import nat
from tests.gcp.raw_parts import Card, vpc

OUT = "9.9.9.9"


def network(*, google_access: bool, addresses: tuple[str, ...] | None) -> Raw:
    """``a``, without an address of its own; ``addresses`` are those of Cloud NAT, none for those that Google picks."""
    raw = Raw()
    raw.network("main")
    raw.subnet("main", "sa", "10.1.1.0/24", google_access=google_access)
    raw.route("main", "default", "0.0.0.0/0", "gateway")
    raw.vm("a", Card("sa", "10.1.1.2"))
    raw.firewall("main", vpc("allow"))
    if addresses is not None:
        nat(raw, "main", "out", addresses=addresses)
    return raw


@pytest.mark.parametrize("addresses", [(), ("34.9.0.1",)])
@pytest.mark.parametrize("google_access", [True, False])
def test_what_cloud_nat_does_not_carry_leaves_at_most(google_access: bool, addresses: tuple[str, ...]) -> None:  # noqa: FBT001 - a table
    """Cloud NAT turns Private Google Access on for the ranges that it serves, whatever the subnet says."""
    raw = network(google_access=google_access, addresses=addresses)
    estate = translated(raw.answers)
    assert passes(raw, estate, "a", OUT, "tcp/443") == "surely"
    assert passes(raw, estate, "a", OUT, "esp") == "at most"
    told = explain(Reachability(estate), raw.own("a"), AddressSet.parse(OUT), Traffic.parse("esp"))
    assert told.verdict == "unknown"


def test_without_either_nothing_leaves() -> None:
    raw = network(google_access=False, addresses=None)
    estate = translated(raw.answers)
    assert passes(raw, estate, "a", OUT, "tcp/443") == "no"
    assert passes(raw, estate, "a", OUT, "esp") == "no"


def test_without_cloud_nat_the_subnet_decides() -> None:
    raw = network(google_access=True, addresses=None)
    assert passes(raw, translated(raw.answers), "a", OUT, "tcp/443") == "at most"
