"""Names of Azure resources: ARM ids, which are compared without case."""

from __future__ import annotations

from functools import lru_cache

from cloudseg.model import qualified

__all__ = ["PROVIDER", "name_of", "parent_of", "place_of", "qualified_id", "region_of", "subscription_of"]

PROVIDER = "azure"
_SUBSCRIPTIONS = "/subscriptions/"


# The same few thousand ids stand in every answer that refers to them.
@lru_cache(maxsize=1 << 17)
def qualified_id(arm: str) -> str:
    """Return the estate-wide name of a resource: ``azure:<subscription>:<ARM id in lower case>``.

    Answers spell one id in several ways (``resourceGroups`` and ``resourcegroups``), since ARM compares without case.
    Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """
    own = "/" + arm.strip().strip("/").lower()
    return qualified(PROVIDER, subscription_of(own), own)


def subscription_of(arm: str) -> str:
    """Return the subscription that an ARM id names, in lower case; empty where it names none."""
    lower = arm.lower()
    if not lower.startswith(_SUBSCRIPTIONS):
        return ""
    return lower.split("/", 3)[2]


def name_of(arm: str) -> str:
    """Return the last name in an ARM id, in the case that it shows."""
    return arm.rstrip("/").rpartition("/")[2]


def parent_of(arm: str) -> str:
    """Return the ARM id of what a child resource belongs to: a subnet's network, a rule's group."""
    return arm.rstrip("/").rsplit("/", 2)[0]


def place_of(arm: str) -> str:
    """Return resource group and names out of an id: they tell resources of one kind in a subscription apart."""
    group, _, path = arm.lower().partition("/resourcegroups/")[2].partition("/providers/")
    names = "/".join(path.split("/")[2::2])
    return f"{group}/{names}" if group and names else name_of(arm)


@lru_cache(maxsize=1024)
def region_of(location: str) -> str:
    """Return a location as it is told everywhere: ``eastus2`` for ``East US 2``; ``global`` where there is none."""
    return location.replace(" ", "").lower() or "global"
