"""The interfaces of private link services: Azure's own, which send what consumers sent under addresses of a subnet.

What they are: https://learn.microsoft.com/azure/private-link/private-link-service-overview#nat-ip
Which lists judge them: https://learn.microsoft.com/azure/private-link/disable-private-link-service-network-policy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from cloudseg.checks import CHECKS
from cloudseg.engine import AuditRequest, run_audit
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_parts import rule
from tests.azure.said import Said

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

SERVICE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/privateLinkServices/pls"
)  # fmt: skip


def served() -> Raw:
    """A machine ``b`` behind a private link service whose interface ``pls`` stands in a subnet with an NSG."""
    raw = Raw()
    raw.nsg("nsg-p", rule(100, "Deny", direction="Outbound"))
    raw.nsg("nsg-b", rule(100, "Allow", "10.1.2.4", ports="443"), rule(4096, "Deny"))
    raw.vnet("v", "10.1.0.0/16")
    raw.subnet("v", "sp", "10.1.2.0/24", nsg="nsg-p")
    raw.subnet("v", "sb", "10.1.1.0/24", nsg="nsg-b")
    raw.nic("pls", "sp", "10.1.2.4")
    raw.nic("other", "sp", "10.1.2.5")
    raw.nic("b", "sb", "10.1.1.4")
    wire = next(each for each in raw.listed(SUBSCRIPTION, "network_interfaces") if each["name"] == "pls")
    properties = cast("Json", wire["properties"])
    del properties["virtualMachine"]
    properties["privateLinkService"] = {"id": SERVICE}
    return raw


def test_no_nsg_judges_what_a_private_link_service_sends() -> None:
    found = Said(served())
    found.names |= {each.name: name for name, each in found.estate.interfaces.items()}
    assert [found("pls", "b"), found("other", "b")] == ["surely", "no"]
    assert found.disagreements() == []


@pytest.mark.parametrize(
    "check", ["unfiltered-interface", "unrestricted-egress", "internet-exposed-port", "flat-network",
              "default-outbound-access"],
)  # fmt: skip
def test_checks_of_machines_leave_private_link_services_out(check: str) -> None:
    found = run_audit(Said(served()).estate, AuditRequest(checks=tuple(c for c in CHECKS if c.id == check)))
    told = [name for finding in found.findings for name in (finding.resource.name, *finding.affected)]
    assert not [name for name in told if name.endswith("pls")]
