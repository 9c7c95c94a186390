"""What the flow logs of a network record, put together over the network, its subnets and its interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Estate, FlowLog, Network

__all__ = ["UNRECORDED", "Visibility", "visibilities"]

_BOTH = frozenset(("accepted", "rejected"))
_SHOWN = 5


class Visibility(NamedTuple):
    """What is recorded of the traffic of one network.

    Attributes:
        network: the network.
        logs: the flow logs on it, its subnets and its interfaces, and those of lists of rules over its interfaces.
        transit: the flow logs on transit gateways that it is attached to, which see what leaves the network by them.
        full: every packet is recorded and delivered; None where only an unknown delivery stands against it.
        nothing: no record arrives anywhere.
        lacks: what is missing, in words.
    """

    network: Network
    logs: tuple[FlowLog, ...]
    transit: tuple[FlowLog, ...]
    full: bool | None
    nothing: bool
    lacks: tuple[str, ...]

    @property
    def recorded(self) -> bool:
        """Whether there are flow logs at all: what single rules log of their own decisions is none."""
        return bool(self.transit) or any(log.kind != _OF_RULES for log in self.logs)


# What is recorded of a private endpoint is recorded where its clients stand. Proxies and subnets that stand for what is
# elsewhere have no flow logs: https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks
UNRECORDED: Final = frozenset(
    (
        *("private-endpoints", "private_endpoint", "proxy", "proxy-only-subnet"),
        *("private-service-connect-subnet", "private-nat-subnet", "peer-migration-subnet"),
    )
)
_OFFERED = {"gcp": frozenset(("accepted",))}
"""The verdicts that flow logs of a provider can record, where these are not both: what firewall rules stop on its way
in those of Google Cloud never show. Source: https://cloud.google.com/vpc/docs/flow-logs"""
_OF_RULES = "firewall-rules-log"


class _Place(NamedTuple):
    """A subnet or an interface, and the logs that see all of its traffic."""

    label: str
    logs: tuple[FlowLog, ...]


def visibilities(estate: Estate) -> Iterator[Visibility]:
    """Yield what is recorded of every network whose flow logs were read."""
    by_target: dict[str, list[FlowLog]] = {}
    for _, log in sorted(estate.flow_logs.items()):
        by_target.setdefault(log.target, []).append(log)
    gateways: dict[str, set[str]] = {}
    for attachment in estate.transit_attachments.values():
        if attachment.network is not None:
            gateways.setdefault(attachment.network, set()).add(attachment.gateway)
    by_rules = _by_rules(estate, by_target)
    for _, network in sorted(estate.networks.items()):
        if estate.read("flow-logs", network):
            transit = (log for name in sorted(gateways.get(network.id, ())) for log in by_target.get(name, ()))
            yield _visibility(network, estate, by_target, tuple(transit), by_rules.get(network.id, {}))


def _visibility(
    network: Network,
    estate: Estate,
    by_target: dict[str, list[FlowLog]],
    transit: tuple[FlowLog, ...],
    by_rules: dict[str, FlowLog],
) -> Visibility:
    own = tuple(by_target.get(network.id, ()))
    subnets = [
        _Place(subnet.label, (*own, *by_target.get(subnet.id, ())))
        for subnet in estate.subnets_in(network.id)
        if subnet.kind not in UNRECORDED
    ]
    interfaces = [
        _Place(
            interface.label,
            (*own, *by_target.get(interface.subnet or "", ()), *by_target.get(interface.id, ())),
        )
        for interface in estate.interfaces_in(network.id)
        if interface.role not in UNRECORDED
    ]
    found = {log.id: log for place in (*subnets, *interfaces) for log in place.logs} or {log.id: log for log in own}
    logs = tuple({**found, **by_rules}.values())
    offered = _OFFERED.get(network.provider, _BOTH)
    levels = [[_Place(network.label, own)]]
    levels.extend(
        places
        for facet, places in (("subnets", subnets), ("interfaces", interfaces))
        if places and estate.read(facet, network)
    )
    full: bool | None = None if any(_all_seen(level, offered, sure=False) for level in levels) else False
    if any(_all_seen(level, offered, sure=True) for level in levels):
        full = True
    return Visibility(
        network=network,
        logs=logs,
        transit=transit,
        full=full,
        nothing=all(log.delivers is False for log in logs),
        lacks=() if full else (*_limits(by_rules.values()), *_lacks(logs, offered, subnets, interfaces, transit)),
    )


def _by_rules(estate: Estate, by_target: dict[str, list[FlowLog]]) -> dict[str, dict[str, FlowLog]]:
    """Return the flow logs of lists of rules that stand in a network, by the network and the log.

    Such a log records what its list judges and nothing beside, so that no place counts as recorded by it.
    """
    found: dict[str, dict[str, FlowLog]] = {}
    for name, rule_set in sorted(estate.rule_sets.items()):
        # A list that stands at several places has a part for each, named behind its own id.
        for log in by_target.get(name.partition("@")[0], ()):
            found.setdefault(rule_set.network or "", {})[log.id] = log
    return found


def _all_seen(places: Iterable[_Place], offered: frozenset[str], *, sure: bool) -> bool:
    return all(_whole(place.logs, sure=sure) >= offered for place in places)


def _whole(logs: Iterable[FlowLog], *, sure: bool) -> frozenset[str]:
    """Return the verdicts that are recorded without leaving anything out."""
    return _seen((log for log in logs if not log.omits), sure=sure)


def _seen(logs: Iterable[FlowLog], *, sure: bool) -> frozenset[str]:
    """Return the verdicts that are recorded and delivered for sure, or at most."""
    seen: set[str] = set()
    for log in logs:
        if log.delivers is True or (log.delivers is None and not sure):
            seen |= _BOTH if log.traffic == "all" else {log.traffic}
    return frozenset(seen)


def _limits(logs: Iterable[FlowLog]) -> Iterator[str]:
    for log in logs:
        ends = f", and the provider stops such logs on {log.ends}" if log.ends else ""
        yield f"{log.label} records only what one list of rules judges{ends}"


def _lacks(
    logs: tuple[FlowLog, ...],
    offered: frozenset[str],
    subnets: list[_Place],
    interfaces: list[_Place],
    transit: tuple[FlowLog, ...],
) -> Iterator[str]:
    for log in logs:
        if log.delivers is False:
            yield f"{log.label} does not deliver{': ' + log.reason if log.reason else ''}"
        elif log.delivers is None:
            yield f"unknown: whether {log.label} delivers{': ' + log.reason if log.reason else ''}"
        if log.omits:
            yield f"{log.label}: {log.omits}"
    seen = _seen(logs, sure=False)
    if len(seen) == 1 and not seen >= offered:
        yield f"only {next(iter(seen))} traffic is recorded"
    places, word = (subnets, "subnets") if subnets else (interfaces, "interfaces")
    dark = [place.label for place in places if not _seen(place.logs, sure=False) >= offered]
    if logs and dark and seen >= offered:
        more = f" and {len(dark) - _SHOWN} more" if len(dark) > _SHOWN else ""
        yield (
            f"{word} without a flow log of their own that records everything, {len(dark)} of {len(places)}: "
            f"{', '.join(dark[:_SHOWN])}{more}"
        )
    if not logs and transit:
        yield f"only what crosses a transit gateway is recorded, by {', '.join(log.label for log in transit)}"
