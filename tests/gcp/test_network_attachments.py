"""Network attachments: machines of other projects that stand in a network with an interface of their own.

Sources: https://cloud.google.com/vpc/docs/about-network-attachments and
https://cloud.google.com/vpc/docs/about-private-service-connect-interfaces
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.checks import open_endpoint_service
from tests.gcp.balanced_estates import OUTSIDE, Seen, estate
from tests.gcp.raw import API, REGION
from tests.gcp.raw_parts import vpc

if TYPE_CHECKING:
    from tests.gcp.oracle_records import Json

DOOR = f"gcp:shop:regions/{REGION}/networkAttachments/door"


def attached(*rules: Json, preference: str = "ACCEPT_MANUAL", status: str = "ACCEPTED") -> Seen:
    """A machine of the project ``partner`` at 10.1.1.77."""
    b = estate(*rules)
    stands: Json = {"ipAddress": "10.1.1.77", "projectIdOrNum": "partner", "status": status}
    stands["subnetwork"] = b.raw.link("sa")
    item: Json = {"connectionPreference": preference, "connectionEndpoints": [stands, "nonsense"]}
    item |= {"producerAcceptLists": ["partner"], "region": f"{API}/projects/shop/regions/{REGION}"}
    b.raw.add("door", "network_attachments", f"regions/{REGION}/networkAttachments/door", item, "shop")
    return Seen(b)


@pytest.mark.parametrize(("source", "verdict"), [("10.1.1.77/32", "surely"), ("10.9.0.0/16", "no")])
def test_machines_know_it_by_its_address(source: str, verdict: str) -> None:
    seen = attached(vpc("allow", "tcp:80", sources=[source]))
    assert seen.passes(f"{DOOR}/0", "web", "tcp/80") == verdict


def test_what_it_lets_in_the_lists_of_this_network_do_not_say() -> None:
    seen = attached(vpc("deny", priority=1))
    assert seen.passes("client", f"{DOOR}/0", "tcp/80") == "surely"
    assert seen.passes(OUTSIDE, f"{DOOR}/0", "tcp/80") == "no"


def test_one_that_was_not_accepted_is_not_there() -> None:
    assert f"{DOOR}/0" not in attached(status="REJECTED").estate.interfaces


@pytest.mark.semantics(136)
@pytest.mark.parametrize(("preference", "count"), [("ACCEPT_AUTOMATIC", 1), ("ACCEPT_MANUAL", 0), ("", 1)])
def test_a_door_that_is_open_to_everybody_is_told(preference: str, count: int) -> None:
    seen = attached(preference=preference)
    assert len(list(open_endpoint_service.CHECK.run(seen.context(open_endpoint_service.CHECK)))) == count


def test_what_cannot_be_read_is_a_gap() -> None:
    assert any("connectionEndpoints[1]" in gap.detail for gap in attached().estate.gaps)
