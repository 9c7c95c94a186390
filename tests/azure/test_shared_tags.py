"""Which service tags hold addresses that any customer of Azure can send from, by Microsoft's words.

AzureCloud: https://learn.microsoft.com/azure/virtual-network/service-tags-overview#available-service-tags
Front Door: https://learn.microsoft.com/azure/frontdoor/origin-security
Services that send what users write: https://msrc.microsoft.com/blog/2024/06/improved-guidance-for-azure-network-service-tags/
"""

from __future__ import annotations

import pytest

from cloudseg.cli.sources import translate
from cloudseg.engine import AuditRequest, run_audit, select_checks
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw
from tests.azure.raw_parts import rule


def told(tag: str) -> bool:
    """Whether a rule for a tag counts as one for every customer."""
    raw = Raw()
    raw.vnet("vnet", "10.1.0.0/16")
    raw.nsg("nsg", rule(100, "Allow", tag, ports="443"))
    raw.subnet("vnet", "web", "10.1.1.0/24", nsg="nsg")
    raw.nic("nic", "web", "10.1.1.4")
    request = AuditRequest(checks=select_checks(("any-tenant-source",)), exposure=False)
    return bool(run_audit(translate(snapshot_of(raw.answers)), request).findings)


@pytest.mark.semantics(134)
@pytest.mark.parametrize(
    "tag", ["AzureCloud", "AzureCloud.westeurope", "AzureFrontDoor.Backend", "LogicApps", "LogicApps.westeurope",
            "ActionGroup", "ApplicationInsightsAvailability", "AzureDevOps", "DataFactory.northeurope"],
)  # fmt: skip
def test_any_customer_can_send_from_these(tag: str) -> None:
    assert told(tag)


@pytest.mark.parametrize(
    "tag", ["GatewayManager", "AzureLoadBalancer", "ApiManagement", "AzureFrontDoor.FirstParty", "AzureTrafficManager"]
)
def test_from_these_azure_itself_sends(tag: str) -> None:
    assert not told(tag)
