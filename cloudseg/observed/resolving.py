"""Whom an end of a conversation stands for: by the interface that reported it, by name, by address and network."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.model import qualified, shown_id
from cloudseg.observed.bearers import Bearers, nearest
from cloudseg.observed.called import Names, network_names, reporter_names, reports_by_itself
from cloudseg.observed.ends import End
from cloudseg.observed.neighbours import Neighbours
from cloudseg.traffic import GLOBAL_UNICAST
from cloudseg.traffic.cidr import parse_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate, Interface

__all__ = ["Resolver", "Seen", "Told"]


class Seen(NamedTuple):
    """One end as it was logged.

    Attributes:
        provider: whose log it was.
        address: its address.
        interface: who reported it at this end; None where nobody did.
        network: the network of the reporter, as logged.
        scope: the scope of the reporter.
        name: what the log calls the end.
        near_interface: who reported it at the other end, where nobody did at this one.
        near_network: the network of that reporter.
        near_scope: the scope of it.
    """

    provider: str
    address: str
    interface: str | None
    network: str | None
    scope: str | None
    name: str | None
    near_interface: str | None = None
    near_network: str | None = None
    near_scope: str | None = None


class Told(NamedTuple):
    """An end, and the network in which its address was looked up; empty where that is not known."""

    end: End
    network: str


class Resolver:
    """Says whom ends stand for.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._bearers = Bearers(estate)
        self._reporters = reporter_names(estate)
        self._networks = network_names(estate)
        self._names = Names(estate)

    def resolve(self, seen: Seen) -> Told:
        """Return whom an end stands for."""
        told = self._resolve(seen)
        if told.end.kind in {"gone", "unknown"} and told.network:
            return told._replace(end=told.end._replace(network=told.network))
        return told

    def _resolve(self, seen: Seen) -> Told:
        name = seen.name or ""
        try:
            version, value = parse_address(seen.address)
        except ParseError:
            return Told(End("unknown", "", seen.address, f"{seen.address!r} is no address", name=name), "")
        if named := self._by_name(seen, version, value):
            return named
        if seen.interface is not None and (told := self._by_reporter(seen, version, value)) is not None:
            return told
        if seen.interface is not None:
            network = self._network_of(seen.provider, seen.scope, seen.network)
            if network is None and seen.network is not None:
                reason = f"it stands in {seen.network}, which was not read"
                return Told(End("gone", "", seen.address, reason, name=name), _unread(seen))
        else:
            network = self._near(seen)
        return self._by_address(seen, version, value, network)

    def reporter(self, provider: str, interface: str | None) -> Interface | None:
        """Return the interface of the estate that reported under an id; None where it has none such."""
        found = self._reporters.get((provider, interface or ""), ())
        return found[0] if len(found) == 1 else None

    def _by_name(self, seen: Seen, version: int, value: int) -> Told | None:
        if not seen.name:
            return None
        scope = seen.scope or seen.near_scope if seen.provider == "kubernetes" else None
        found = self._names.of(seen.provider, scope, seen.name)
        if not found:
            return None
        bearing = [each for each in found if _bears(each, version, value)]
        return self._one_of(seen, bearing or found, f"several workloads are called {seen.name}")

    def _by_reporter(self, seen: Seen, version: int, value: int) -> Told | None:
        """Return the end that an interface reported for itself; None where the log names nothing that could be one."""
        named = self._reporters.get((seen.provider, seen.interface or ""), ())
        if not named:
            return self._gone(seen)
        bearing = [each for each in named if _bears(each, version, value)]
        own = (bearing or named)[0]
        if len(bearing or named) > 1:
            return self._one_of(seen, bearing or named, f"{seen.interface} has several interfaces")
        if own.network in self._with_pods:
            # A machine reports what its pods send and take.
            pods = [
                each
                for each in self._bearers.inside(version, value)
                if each.is_pod and each.role != "host" and each.network == own.network and each.id != own.id
            ]
            if pods:
                return self._one_of(seen, pods, f"several pods bear {seen.address}")
        return Told(_interface(own, seen), own.network or "")

    def _gone(self, seen: Seen) -> Told | None:
        if not reports_by_itself(seen.provider, seen.interface or ""):
            return None
        network = self._network_of(seen.provider, seen.scope, seen.network) or _unread(seen)
        deleted = self._read_in_full(seen.provider, seen.scope)
        if deleted:
            reason = f"{seen.interface} reported it and is not in the estate any more"
        else:
            where = f" of {seen.scope}" if seen.scope else ""
            reason = f"{seen.interface}{where} reported it, which was not read"
        return Told(End("gone", "", seen.address, reason, name=seen.name or "", deleted=deleted), network)

    def _by_address(self, seen: Seen, version: int, value: int, network: str | None) -> Told:
        bearers = self._bearers.inside(version, value)
        name = seen.name or ""
        if network is not None:
            own = [each for each in bearers if each.network == network]
            if own:
                return self._one_of(seen, nearest(own, version, value), f"several interfaces bear {seen.address}")
            if self._holds(network, version, value):
                reason = f"no interface that was read bears {seen.address} in {shown_id(network)}"
                return Told(End("unknown", "", seen.address, reason, name=name), network)
            return self._around(seen, version, value, network, bearers)
        if bearers:
            return self._one_of(seen, nearest(bearers, version, value), f"several networks hold {seen.address}")
        return self._elsewhere(seen, version, value)

    def _around(self, seen: Seen, version: int, value: int, network: str, bearers: Sequence[Interface]) -> Told:
        """Return who bears an address that does not lie in the network of the other end."""
        neighbours = self._neighbours
        for near in (neighbours.beside(network), neighbours.joined(network)):
            if found := [each for each in bearers if each.network in near]:
                return self._one_of(seen, nearest(found, version, value), f"several networks hold {seen.address}")
            held = sorted(each for each in near if self._holds(each, version, value))
            if held:
                reason = f"no interface that was read bears {seen.address} in {shown_id(held[0])}"
                return Told(End("unknown", "", seen.address, reason, name=seen.name or ""), held[0])
        private = not _is_global(version, value)
        if bearers and private:
            where = shown_id(bearers[0].network or "")
            reason = f"{seen.address} is borne in {where} alone, to which nothing read leads"
            names = tuple(sorted(each.id for each in bearers))
            return Told(End("unknown", "", seen.address, reason, names, seen.name or ""), "")
        if bearers:
            return self._one_of(seen, nearest(bearers, version, value), f"several interfaces bear {seen.address}")
        return self._elsewhere(seen, version, value)

    def _elsewhere(self, seen: Seen, version: int, value: int) -> Told:
        """Return the end of an address that no interface bears inside of its network."""
        name = seen.name or ""
        if public := self._bearers.public(version, value):
            carriers = [each for each in public if each.role.lower() in _TRANSLATES]
            if carriers:
                reason = f"{seen.address} is the address of {carriers[0].shown_id}, which stands for others"
                return Told(End("unknown", "", seen.address, reason, name=name), "")
            return self._one_of(seen, public, f"several interfaces have the public address {seen.address}")
        if lent := self._bearers.lent(version, value):
            return self._one_of(seen, lent, f"several interfaces send under the address {seen.address}")
        if _is_global(version, value):
            inside = next((own for own in sorted(self._estate.networks) if self._holds(own, version, value)), "")
            if inside:
                reason = f"no interface that was read bears {seen.address} in {shown_id(inside)}"
                return Told(End("unknown", "", seen.address, reason, name=name), inside)
            return Told(End("outside", "", seen.address, name=name), "")
        held = [own for own in sorted(self._estate.networks) if self._holds(own, version, value)]
        if held:
            reason = f"no interface that was read bears {seen.address} in {shown_id(held[0])}"
            return Told(End("unknown", "", seen.address, reason, name=name), held[0] if len(held) == 1 else "")
        reason = f"{seen.address} lies in no network that was read"
        return Told(End("beyond", "", seen.address, reason, name=name), "")

    def _one_of(self, seen: Seen, found: Sequence[Interface], reason: str) -> Told:
        if len(found) == 1:
            return Told(_interface(found[0], seen), found[0].network or "")
        each = sorted(found, key=lambda interface: interface.id)
        networks = {one.network or "" for one in each}
        network = networks.pop() if len(networks) == 1 else ""
        names = tuple(one.id for one in each)
        return Told(End("unknown", "", seen.address, reason, names, seen.name or ""), network)

    def _near(self, seen: Seen) -> str | None:
        """Return the network of the other end; None where nobody reported there, or its network was not read."""
        if seen.near_interface is not None:
            reporter = self.reporter(seen.provider, seen.near_interface)
            if reporter is not None:
                return reporter.network
        found = self._network_of(seen.provider, seen.near_scope, seen.near_network)
        if found is not None or (seen.near_network is None and seen.near_scope in (None, *self._scopes)):
            return found
        # A network that nobody read: the end may stand in one that is peered with it, and in no other.
        return qualified(seen.provider, seen.near_scope or "", seen.near_network or "")

    def _network_of(self, provider: str, scope: str | None, network: str | None) -> str | None:
        """Return the qualified id of a network as logged; None where the log names none, or none that was read."""
        if network is None:
            return None
        found = self._networks.get((provider, network.lower()), ())
        own = [each for each in found if each.split(":", 2)[1] == scope] or found
        return own[0] if len(own) == 1 else None

    def _holds(self, network: str, version: int, value: int) -> bool:
        known = self._estate.networks.get(network)
        return known is not None and value in (known.addresses.v4 if version == 4 else known.addresses.v6)

    def _read_in_full(self, provider: str, scope: str | None) -> bool:
        states = self._interfaces_read.get((provider, scope or ""), []) if scope else self._all_read(provider)
        return bool(states) and all(state == "read" for state in states)

    def _all_read(self, provider: str) -> list[str]:
        return [state for (own, _), each in self._interfaces_read.items() if own == provider for state in each]

    @cached_property
    def _interfaces_read(self) -> dict[tuple[str, str], list[str]]:
        found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for reading in self._estate.coverage.places("interfaces"):
            found[reading.provider, reading.scope].append(reading.state)
        return dict(found)

    @cached_property
    def _with_pods(self) -> frozenset[str | None]:
        """The networks in which pods stand."""
        return frozenset(each.network for each in self._estate.interfaces.values() if each.is_pod)

    @cached_property
    def _scopes(self) -> frozenset[str]:
        return frozenset(scope.scope for scope in self._estate.scopes)

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self._estate)


_TRANSLATES = frozenset(("nat_gateway", "natgateway"))


def _interface(interface: Interface, seen: Seen) -> End:
    return End("interface", interface.id, seen.address, name=seen.name or "")


def _unread(seen: Seen) -> str:
    """Return the qualified name of the network of an end, which nobody read; empty where the log names none."""
    return "" if seen.network is None else qualified(seen.provider, seen.scope or "", seen.network)


def _bears(interface: Interface, version: int, value: int) -> bool:
    held = interface.addresses.v4 if version == 4 else interface.addresses.v6
    return value in held


def _is_global(version: int, value: int) -> bool:
    return value in (GLOBAL_UNICAST.v4 if version == 4 else GLOBAL_UNICAST.v6)
