"""One file a check, listed in one explicit tuple."""

from cloudseg.checks import (
    default_network,
    expired_waiver,
    internet_exposed_port,
    latent_internet_rule,
    missing_flow_logs,
    missing_private_endpoint,
    open_endpoint_policy,
    open_endpoint_service,
    partial_flow_logs,
    public_address,
    public_control_plane,
    public_endpoint,
    unapproved_private_endpoint,
    unmatched_waiver,
)
from cloudseg.checks.interface import Check

__all__ = ["CHECKS"]

CHECKS: tuple[Check, ...] = (
    internet_exposed_port.CHECK,
    latent_internet_rule.CHECK,
    public_address.CHECK,
    public_control_plane.CHECK,
    public_endpoint.CHECK,
    missing_private_endpoint.CHECK,
    unapproved_private_endpoint.CHECK,
    open_endpoint_policy.CHECK,
    open_endpoint_service.CHECK,
    default_network.CHECK,
    missing_flow_logs.CHECK,
    partial_flow_logs.CHECK,
    expired_waiver.CHECK,
    unmatched_waiver.CHECK,
)
