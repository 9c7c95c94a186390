"""Whether what an interface accepted was logged over the whole window: only then nothing seen means nothing there."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cloudseg.flows.coverage import Observer
from cloudseg.observed.called import network_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloudseg.flows.coverage import Coverage
    from cloudseg.model import Estate, FlowLog, Interface

__all__ = ["DAY", "Logged", "day_of", "days_of", "moment"]

DAY: Final = 86_400
"""Seconds of a day."""
_LATEST: Final = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
_SLACK: Final = DAY
"""So much later than the window an observer may begin, and so much earlier it may end: files are written in turn."""
_UNRECORDED: Final = frozenset(("private_endpoint", "proxy"))
"""Roles of interfaces that no flow log sees. Sources:
https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview and
https://cloud.google.com/vpc/docs/about-flow-logs-records"""
_ACCEPTED: Final = frozenset(("all", "accepted"))


class Logged:
    """Says what the logs cover.

    Args:
        coverage: what the conversations rest on.
        estate: the estate.
    """

    def __init__(self, coverage: Coverage, estate: Estate) -> None:
        self._coverage, self._estate = coverage, estate
        self._known: dict[tuple[str, str], str] = {}

    @property
    def days(self) -> int:
        """How many whole days the window has; 0 where nothing was logged."""
        return days_of(self._coverage)

    @property
    def window(self) -> str:
        """The window in words: ``2026-09-25 to 2026-10-31 (35 days)``."""
        first, last = self._coverage.first, self._coverage.last
        if first is None or last is None:
            return "no record"
        return f"{day_of(first)} to {day_of(last)} ({self.days} day{'' if self.days == 1 else 's'})"

    @staticmethod
    def day(seconds: int) -> str:
        """Return the day of a time in seconds since 1970, ISO 8601 in UTC."""
        return day_of(seconds)

    @property
    def ends_a_month(self) -> bool:
        """Whether the end of a month lies in the window: what happens once a month mostly happens then."""
        first, last = self._coverage.first, self._coverage.last
        if first is None or last is None:
            return False
        # The last day of a month, from its begin to its end.
        whole_days = range(-(-first // DAY) * DAY, last - DAY + 1, DAY)
        return any(moment(begin + DAY).day == 1 for begin in whole_days)

    @cached_property
    def doubts(self) -> tuple[str, ...]:
        """Why something may have happened that no record shows, in words; nothing where all of it was recorded."""
        coverage, found = self._coverage, list[str]()
        if coverage.losses:
            found.append(f"{_counted(len(coverage.losses), 'file')} of the logs could not be read, or only in part")
        if coverage.skipped:
            found.append(f"{_counted(coverage.skipped, 'record')} say that the cloud lost others (SKIPDATA)")
        if coverage.bad:
            found.append(f"{_counted(coverage.bad, 'row')} of the logs make no sense")
        return tuple(found)

    def sampled(self, provider: str) -> str:
        """Return why what a provider logs is a part of what there was; empty where it is all of it."""
        if provider == "kubernetes" and not all(self._machines.get(each) for each in self._clusters):
            return "each node logs its own pods, and whether all nodes are in the logs is not known"
        return "Google Cloud logs a sample of the packets" if provider == "gcp" else ""

    def covers(self, provider: str, scope: str) -> bool:
        """Tell whether any log of a scope was read: of others nothing is missing."""
        return any(each.provider == provider and each.scope in {None, scope} for each in self._coverage.observers)

    def skipped(self, network: str) -> int:
        """Return how many records of a network say that the cloud lost others (SKIPDATA)."""
        return sum(each.skipped for each in self._in_network.get(network, ()))

    def gap(self, interface: Interface, provider: str) -> str:
        """Return why nothing follows where nothing was seen of an interface; empty where all it accepted was logged.

        Args:
            interface: the interface.
            provider: whose logs are asked about: those of a cluster show what those of its cloud do not.
        """
        key = (interface.id, provider)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._gap(interface, provider)
        return known

    def _gap(self, interface: Interface, provider: str) -> str:
        if interface.role in _UNRECORDED:
            return "what it takes is recorded where its clients stand, if at all"
        if provider == "kubernetes":
            observers = self._clusters.get(interface.scope, ())
            return self._times(observers, "its cluster") or self._nodes(interface.scope, observers)
        if interface.is_pod:
            carriers = () if interface.exit is None else interface.exit.interfaces
            machines = [self._estate.interfaces[name] for name in carriers if name in self._estate.interfaces]
            if not machines:
                return "the machine that carries it is not known"
            return next((found for each in machines if (found := self.gap(each, provider))), "")
        own = self._by_name.get((provider, interface.own_id))
        if own is not None:
            return self._of_observer(interface, own)
        observers = self._in_network.get(interface.network or "", ())
        if any(map(_names_interface, observers)):
            return "no record of it is in the logs"
        if not observers:
            return "no record of its network is in the logs"
        if found := self._times(observers, "its network"):
            return found
        if not self._estate.read("flow-logs", interface):
            return "which subnets are logged was not read"
        return "" if self._configured(interface) else "no flow log of today records what it accepts"

    def _of_observer(self, interface: Interface, own: Observer) -> str:
        if own.records == own.refused and not self._configured(interface):
            return "no record shows that what it accepts is logged"
        first, last = self._coverage.first or 0, self._coverage.last or 0
        if own.last is not None and own.last < last - _SLACK:
            return f"its logs end on {day_of(own.last)}"
        if own.first is not None and own.first > first + _SLACK:
            # What stands where logs began in time is younger than the window itself.
            others = self._beside(interface)
            if min((each.first for each in others if each.first is not None), default=own.first) > first + _SLACK:
                return f"its logs begin on {day_of(own.first)}"
        return ""

    def _times(self, observers: Sequence[Observer], who: str) -> str:
        begun = [each.first for each in observers if each.first is not None]
        ended = [each.last for each in observers if each.last is not None]
        if not begun or not ended:
            return f"no record of {who} is in the logs"
        if min(begun) > (self._coverage.first or 0) + _SLACK:
            return f"the logs of {who} begin on {day_of(min(begun))}"
        if max(ended) < (self._coverage.last or 0) - _SLACK:
            return f"the logs of {who} end on {day_of(max(ended))}"
        return ""

    def _nodes(self, cluster: str, observers: Sequence[Observer]) -> str:
        """Return that nodes of a cluster are not in the logs: each sees its own pods alone."""
        told = {each.name for each in observers if each.name is not None}
        known = len(self._machines.get(cluster, ()))
        return f"{len(told)} of {known} nodes of its cluster are in the logs" if 0 < len(told) < known else ""

    def _configured(self, interface: Interface) -> bool:
        """Tell whether a flow log that was read records what an interface accepts, today."""
        places = (interface.network, interface.subnet, interface.id)
        return any(
            log.traffic in _ACCEPTED and log.delivers is not False
            for place in places
            for log in self._by_target.get(place or "", ())
        )

    def _beside(self, interface: Interface) -> Sequence[Observer]:
        """Return the observers that are logged by the same flow log as an interface; those of its subnet in doubt."""
        if self._by_target.get(interface.id):
            return ()
        whole = bool(self._by_target.get(interface.network or ""))
        return self._in_network.get(interface.network or "", ()) if whole else self._in_subnet[interface.subnet or ""]

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Observer]:
        found: dict[tuple[str, str], Observer] = {}
        for each in self._coverage.observers:
            if each.name is None:
                continue
            other = found.get((each.provider, each.name))
            found[each.provider, each.name] = each if other is None else _together(each, other)
        return found

    @cached_property
    def _in_network(self) -> Mapping[str, Sequence[Observer]]:
        """The observers by the qualified id of their network."""
        names = network_names(self._estate)
        found: defaultdict[str, list[Observer]] = defaultdict(list)
        own = {each.own_id: each for each in self._estate.interfaces.values()}
        for each in self._coverage.observers:
            networks = names.get((each.provider, (each.network or "").lower()), ())
            if not networks and each.name in own:
                networks = (own[each.name].network or "",)
            for network in networks:
                found[network].append(each)
        return found

    @cached_property
    def _in_subnet(self) -> Mapping[str, Sequence[Observer]]:
        found: defaultdict[str, list[Observer]] = defaultdict(list)
        for interface in self._estate.interfaces.values():
            own = self._by_name.get((interface.provider, interface.own_id))
            if own is not None and interface.subnet is not None:
                found[interface.subnet].append(own)
        return found

    @cached_property
    def _clusters(self) -> Mapping[str, Sequence[Observer]]:
        """The observers of each cluster; logs that name none belong to the only one there is."""
        clusters = sorted({each.scope for each in self._estate.interfaces.values() if each.is_pod})
        found: defaultdict[str, list[Observer]] = defaultdict(list)
        for each in self._coverage.observers:
            if each.provider == "kubernetes":
                only = clusters[0] if len(clusters) == 1 and each.scope in {None, "", "default"} else each.scope
                found[only or ""].append(each)
        return found

    @cached_property
    def _machines(self) -> Mapping[str, set[str]]:
        """The machines that are known to carry pods of each cluster."""
        interfaces = self._estate.interfaces
        found: defaultdict[str, set[str]] = defaultdict(set)
        for each in interfaces.values():
            for name in () if each.exit is None or not each.is_pod else each.exit.interfaces:
                found[each.scope].add((interfaces[name].workload or name) if name in interfaces else name)
        return found

    @cached_property
    def _by_target(self) -> Mapping[str, Sequence[FlowLog]]:
        found: defaultdict[str, list[FlowLog]] = defaultdict(list)
        for _, log in sorted(self._estate.flow_logs.items()):
            found[log.target].append(log)
        return found


def days_of(coverage: Coverage) -> int:
    """Return how many whole days a window has; 0 where nothing was logged."""
    if coverage.first is None or coverage.last is None:
        return 0
    return max(0, round((coverage.last - coverage.first) / DAY))


def day_of(seconds: int) -> str:
    """Return the day of a time in seconds since 1970, ISO 8601 in UTC."""
    return moment(seconds).date().isoformat()


def moment(seconds: int) -> datetime:
    """Return a time in seconds since 1970; what no calendar holds is the first or the last moment of it."""
    return datetime.fromtimestamp(min(max(seconds, 0), _LATEST), tz=UTC)


def _names_interface(observer: Observer) -> bool:
    """Tell whether what reports is told interface by interface, so that who is not there was not logged."""
    return observer.provider == "aws" and observer.name is not None


def _together(one: Observer, other: Observer) -> Observer:
    return Observer(
        one.provider,
        one.name,
        one.network or other.network,
        one.scope or other.scope,
        min((each for each in (one.first, other.first) if each is not None), default=None),
        max((each for each in (one.last, other.last) if each is not None), default=None),
        one.records + other.records,
        one.refused + other.refused,
        one.idle + other.idle,
        one.skipped + other.skipped,
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
