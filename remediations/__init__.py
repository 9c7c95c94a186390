"""Remedies: one file each, listed in one explicit table."""

from cloudseg.remediations import (
    add_default_deny,
    add_private_endpoint,
    close_public_endpoint,
    empty_default_group,
    enable_flow_logs,
    narrow_ports,
    remove_unused_rule,
    replace_addresses_with_group,
    require_mtls,
    restrict_egress,
)
from cloudseg.remediations.interface import Remedy

__all__ = ["REMEDIES"]

REMEDIES: tuple[Remedy, ...] = (
    remove_unused_rule.REMEDY,
    replace_addresses_with_group.REMEDY,
    narrow_ports.REMEDY,
    add_default_deny.REMEDY,
    empty_default_group.REMEDY,
    add_private_endpoint.REMEDY,
    close_public_endpoint.REMEDY,
    restrict_egress.REMEDY,
    require_mtls.REMEDY,
    enable_flow_logs.REMEDY,
)
"""Where two would change the same thing, the one that stands first goes first: what goes needs no narrowing."""
