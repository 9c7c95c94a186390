"""What the internet reaches because no list of rules judges it: nothing admits it, and nothing denies it either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.clusters import of_cluster
from cloudseg.checks.controls import Subject
from cloudseg.checks.exposure import classes_of, public_words, severity_of, traffic_words
from cloudseg.checks.firewall_exposure import not_by_firewalls
from cloudseg.findings import Remedy
from cloudseg.reach.delivery import senders_of
from cloudseg.reach.packets import addresses_of, traffic_of
from cloudseg.reach.passage import find_passage, stage_was_read
from cloudseg.reach.plumbing import only_passes_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.exposure import PublicServices
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Interface
    from cloudseg.reach.internet import InternetView

__all__ = ["unlisted"]


def unlisted(context: AuditContext, public: PublicServices) -> Iterator[Finding]:
    """Yield a finding for every interface that no ordered list judges and that the internet reaches, or may reach.

    Where lists admit what they name and deny the rest, a rule stands for each opening. Where there is no list
    everything passes, and no rule tells. Source:
    https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses#sku
    """
    estate = context.estate
    for _, interface in sorted(estate.interfaces.items()):
        if of_cluster(interface) or only_passes_on(interface) or not _is_unlisted(interface, context.internet):
            continue
        # What a firewall leads here is told of its rules.
        ways = not_by_firewalls(context.internet.ways_in(interface), estate)
        packets = find_passage(interface, ways, "", estate).packets
        if not ways.ways or not packets.upper:
            continue
        sure = bool(packets.lower)
        bound = packets.lower or packets.upper
        sources = senders_of(ways, addresses_of(bound)) - estate.served
        if not sources:
            continue
        traffic = traffic_of(bound)
        state = "is" if sure else "may be"
        yield context.finding(
            interface,
            f"{interface.label}: {traffic_words(traffic)} {state} open to {public_words(sources)}; no list judges it",
            severity=severity_of(traffic, sources, public_service=public.hold_all((interface,))),
            confidence="high" if sure else "low",
            evidence=(
                *(f"exposes {known.name}" for known in classes_of(traffic)),
                *(f"way in: {way.text}" for way in ways.ways),
                *(f"unknown: {text}" for text in ways.unknown),
            ),
            reachable=True if sure else None,
            affected=(interface,),
            remedy=Remedy("narrow-ports", "put a list on it or its subnet that admits only what the internet needs"),
            aspect="no list",
            subject=Subject(traffic),
        )


def _is_unlisted(interface: Interface, view: InternetView) -> bool:
    """Tell whether lists could judge what comes in to an interface, as far as was read, and none does."""
    lists = [
        (stage, judges)
        for stage, judges, _ in view.met.by(interface).ingress
        if stage.match == "first" and stage.miss == "deny" and stage.stateful
    ]
    return bool(lists) and not any(
        judges or not stage_was_read(stage, interface, view.estate) for stage, judges in lists
    )
