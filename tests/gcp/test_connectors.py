"""Connectors of Serverless VPC Access: where they stand, what they carry, and the rules that come with them.

Sources: https://cloud.google.com/vpc/docs/serverless-vpc-access and
https://cloud.google.com/run/docs/configuring/vpc-connectors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.traffic import AddressSet
from tests.gcp.balanced_estates import OUTSIDE, Seen, estate
from tests.gcp.raw_hubs import connector
from tests.gcp.raw_parts import vpc

if TYPE_CHECKING:
    from tests.gcp.oracle_records import Json

NAME = "gcp:shop:locations/us-central1/connectors/api/machines"


def connected(*rules: Json, subnet: bool = False) -> Seen:
    b = estate(*rules)
    if subnet:
        b.raw.subnet("main", "conn", "10.8.0.0/28")
    connector(b.raw, "main", "api", prefix="10.8.0.0/28", subnet="conn" if subnet else "")
    return Seen(b)


@pytest.mark.parametrize("subnet", [True, False])
def test_a_connector_stands_in_its_range_and_bears_its_tags(subnet: bool) -> None:  # noqa: FBT001 - either way
    seen = connected(subnet=subnet)
    found = seen.estate.interfaces[NAME]
    assert found.network == "gcp:shop:global/networks/main"
    assert seen.estate.subnets[found.subnet or ""].addresses == AddressSet.parse("10.8.0.0/28")
    tags = ("vpc-connector", "vpc-connector-us-central1-api")
    assert found.attached == {f"gcp:shop:global/networks/main/tags/{tag}" for tag in tags}


def test_a_connector_reaches_everything_unless_a_rule_before_1000_denies_it() -> None:
    """https://cloud.google.com/run/docs/configuring/vpc-connectors#restrict-access"""
    assert connected().passes(NAME, "web", "tcp/5432") == "surely"
    assert connected(vpc("deny", priority=999, sources=["10.8.0.0/28"])).passes(NAME, "web", "tcp/5432") == "no"
    assert connected(vpc("deny", priority=1001, sources=["10.8.0.0/28"])).passes(NAME, "web", "tcp/5432") == "surely"


def test_rules_name_it_by_its_tag() -> None:
    rules = vpc("deny", priority=1, sources=["10.8.0.0/28"]), vpc("allow", "tcp:80", priority=0, tags=["vpc-connector"])
    seen = connected(*rules)
    assert seen.passes(NAME, "web", "tcp/80") == "surely"
    assert seen.passes(NAME, "web", "tcp/81") == "no"


def test_the_internet_does_not_come_in_by_a_connector() -> None:
    assert connected(vpc("allow")).passes(OUTSIDE, NAME, "tcp/80") == "no"


def test_in_a_shared_network_no_rule_comes_with_it() -> None:
    """https://cloud.google.com/run/docs/configuring/shared-vpc-service-projects#firewall-rules-shared-vpc"""
    b = estate()
    b.raw.project("guest", "2002", host="shop")
    b.raw.subnet("main", "conn", "10.8.0.0/28")
    connector(b.raw, "main", "api", subnet="conn", project="guest")
    seen = Seen(b)
    assert seen.passes(NAME.replace("shop", "guest"), "web", "tcp/5432") == "no"
