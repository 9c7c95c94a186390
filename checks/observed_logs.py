"""What the flow logs that were read leave out of a network that is said to be logged."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cloudseg.checks.rule_lists import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.model import Network

__all__ = ["observed_gaps"]

_REASONS = 3


def observed_gaps(context: AuditContext, network: Network) -> tuple[str, ...]:
    """Return what is missing of a network in the logs that were read, in words.

    Nothing where no observed conversations were given, or none of the network's scope: then nobody asked for its logs.
    """
    observed = context.observed
    if observed is None or not observed.logged.covers(network.provider, network.scope):
        return ()
    return tuple(_gaps(context, network))


def _gaps(context: AuditContext, network: Network) -> Iterator[str]:
    observed, estate = context.observed, context.estate
    if observed is None:
        return
    logged = observed.logged
    interfaces = [each for each in estate.interfaces_in(network.id) if each.provider == network.provider]
    reasons = Counter(gap for each in interfaces if (gap := logged.gap(each, network.provider)))
    missing = sum(reasons.values())
    if missing:
        shown = "; ".join(f"{count:,}: {reason}" for reason, count in reasons.most_common(_REASONS))
        yield (
            f"the logs read do not show all of {missing:,} of {counted(len(interfaces), 'interface')} "
            f"over {logged.window} ({shown})"
        )
    if skipped := logged.skipped(network.id):
        yield f"{counted(skipped, 'record')} of it say that the cloud lost others (SKIPDATA)"
