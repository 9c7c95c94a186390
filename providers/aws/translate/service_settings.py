"""Settings that several managed services share: groups, subnets, and whether an address is public."""

from __future__ import annotations

import msgspec

__all__ = [
    "GroupMembership",
    "SubnetGroup",
    "SubnetMembership",
    "publicly_accessible_reason",
    "shown",
]


class GroupMembership(msgspec.Struct, rename="pascal"):
    """A security group of a database; one under removal still counts."""

    vpc_security_group_id: str = ""


class SubnetMembership(msgspec.Struct, rename="pascal"):
    """A subnet of a subnet group."""

    subnet_identifier: str = ""


class SubnetGroup(msgspec.Struct, rename="pascal"):
    """The subnets that a database may stand in."""

    db_subnet_group_name: str = msgspec.field(default="", name="DBSubnetGroupName")
    cluster_subnet_group_name: str = ""
    cache_subnet_group_name: str = ""
    vpc_id: str = ""
    subnets: list[SubnetMembership] = []


def shown(**settings: object) -> dict[str, str]:
    """Return settings as the provider spells them; those that were not read are left out."""
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()}
    return {name: text for name, text in texts.items() if settings[name] is not None and text}


def publicly_accessible_reason(value: object) -> str:
    """Return what the setting ``PubliclyAccessible`` says, for people."""
    return "PubliclyAccessible was not read" if value is None else f"PubliclyAccessible is {str(value).lower()}"
