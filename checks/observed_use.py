"""How much of what a rule or a service is open for was seen in use: evidence of findings, where flows are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.rule_lists import counted
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.checks.interface import AuditContext
    from cloudseg.model import Rule, RuleSet
    from cloudseg.observed.observed import Observed

__all__ = ["UNOBSERVED", "observed_use", "service_use"]

UNOBSERVED: Final = "use was not observed: no flow logs were read"


def observed_use(context: AuditContext, rule_set: RuleSet, rule: Rule) -> tuple[str, ...]:
    """Return how much of a rule observed conversations used; nothing where none were given.

    Where nothing was seen, that counts for little unless everything that the rule judges was logged.
    """
    observed = context.observed
    if observed is None:
        return ()
    use = observed.usage.of(rule_set, rule)
    if use is None:
        gap = _gap(context, observed, rule_set, rule)
        where = f"; unknown: whether one that was not logged did, {gap}" if gap else ""
        return (f"no observed conversation used it, {observed.logged.window}{where}",)
    if use.replies_only:
        return (f"observed: it let answers to {counted(use.conversations, 'conversation')} through, and no request",)
    parts = [*_addresses(context, rule, use.addresses), *_ports(rule, use.ports)]
    unsure = use.conversations - use.certain
    doubt = f"; of {unsure:,} of these an end or the initiator is not known" if unsure else ""
    last = observed.logged.day(use.last_seen)
    of = f"{' and '.join(parts)} in " if parts else ""
    return (f"observed use: {of}{counted(use.conversations, 'conversation')}, last seen {last}{doubt}",)


def service_use(context: AuditContext, network: str, services: Iterable[str]) -> tuple[str, ...]:
    """Return how much some services of the cloud were used from a network, by the names that logs have for them.

    Args:
        context: the audit.
        network: qualified id of the network.
        services: the services, as endpoints name them: ``s3``.
    """
    observed = context.observed
    if observed is None:
        return (UNOBSERVED,)
    import numpy as np

    joined, estate = observed.joined, context.estate
    names = [None if name is None else str(name).lower() for name in joined.conversations.column("responder_name")]
    if not any(names):
        return ("use was not observed: the flow logs name no services of the cloud",)
    here = [bool(end.interface) and estate.interfaces[end.interface].network == network for end in joined.ends]
    own = np.array(here, dtype=np.bool_)[joined.initiators] & (joined.conversations.column("verdict") == "accepted")
    rows: list[int] = np.flatnonzero(own).tolist()
    found: list[str] = []
    for service in services:
        used = [row for row in rows if names[row] == service]
        if not used:
            found.append(f"no observed conversation of the network went to {service}, {observed.logged.window}")
            continue
        who = {joined.initiator(row).interface for row in used}
        last = joined.conversations.column("last_seen")[used].max().astype("datetime64[s]").astype(np.int64)
        found.append(
            f"observed use of {service}: {counted(len(used), 'conversation')} of {counted(len(who), 'interface')}, "
            f"last seen {observed.logged.day(int(last))}"
        )
    return tuple(found)


def _gap(context: AuditContext, observed: Observed, rule_set: RuleSet, rule: Rule) -> str:
    gaps = (observed.logged.gap(each, rule_set.provider) for each in context.judged(rule_set, rule))
    return next((gap for gap in gaps if gap), "")


def _addresses(context: AuditContext, rule: Rule, used: int) -> list[str]:
    """Return how many of a rule's addresses were used; nothing where it names none, or everyone."""
    _, most = outside_addresses(rule.remote, context.estate)
    if not most or most == ALL_ADDRESSES:
        return []
    # Ranges of IPv6 hold more addresses than anybody reads.
    size = most.v4.size if most.v4 and not most.v6 else 0
    return [f"{used:,} of {counted(size, 'address')}"] if size > 1 else []


def _ports(rule: Rule, used: int) -> list[str]:
    """Return how many of a rule's ports were used; nothing where it is for one alone, or names protocols as well."""
    traffic = rule.traffic
    if traffic.is_all or traffic.other or traffic.icmp or traffic.icmpv6:
        return [counted(used, "port")] if traffic.is_all else []
    size = traffic.tcp.size + traffic.udp.size + traffic.sctp.size
    return [f"{used:,} of {counted(size, 'port')}"] if size > 1 else []
