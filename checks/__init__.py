"""One file a check, listed in one explicit tuple."""

from cloudseg.checks import internet_exposed_port, latent_internet_rule
from cloudseg.checks.interface import Check

__all__ = ["CHECKS"]

CHECKS: tuple[Check, ...] = (
    internet_exposed_port.CHECK,
    latent_internet_rule.CHECK,
)
