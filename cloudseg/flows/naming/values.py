"""Names that machines asked for, and the addresses that they were told, as logs of DNS and of firewalls hold them."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.traffic import AddressSet

__all__ = ["Lost", "ObservedName", "ObservedNames"]


class ObservedName(NamedTuple):
    """A name that a client asked for or called, with all that it was told.

    Attributes:
        provider: whose log it is: ``aws``, ``azure``, ``gcp`` or ``kubernetes``.
        scope: the account, subscription, project or cluster; empty where the log does not say.
        network: the network of the client, as the log names it; empty where it does not.
        client: the client's address, or ``namespace/pod`` of a cluster.
        name: the name in lower case, without the dot at its end; an internationalised one as it was logged.
        addresses: the addresses that were answered or called, in order.
        records: how many records say so.
        first_seen: when it was first asked for, seconds since 1970.
        last_seen: when it was last asked for.
        denied: how many of the records were refused by a firewall.
    """

    provider: str
    scope: str
    network: str
    client: str
    name: str
    addresses: tuple[str, ...]
    records: int
    first_seen: int
    last_seen: int
    denied: int = 0


class Lost(NamedTuple):
    """What of a file was not read, and why, in words; 0 lines stand for the whole file."""

    file: str
    lines: int
    reason: str


@dataclasses.dataclass(frozen=True)
class ObservedNames:
    """What logs tell of names.

    Attributes:
        names: one for each client and name, in order.
        lost: what could not be read.
        formats: how many records of each format were read, by its title.
    """

    names: tuple[ObservedName, ...] = ()
    lost: tuple[Lost, ...] = ()
    formats: Mapping[str, int] = dataclasses.field(default_factory=dict[str, int])

    def called(self, address: str, clients: AddressSet | None = None) -> tuple[str, ...]:
        """Return the names by which an address was called, in order; none where no log tells.

        Many names may share an address, of a content network above all. What a firewall always refused is none.

        Args:
            address: the address.
            clients: whose names come first: where none of these asked for one, everybody's count; None for everybody's.
        """
        found = self._by_address.get(_normal(address), ())
        own = [each.name for each in found if clients is not None and _has(clients, each.client)]
        return tuple(sorted({*(own or [each.name for each in found])}))

    @cached_property
    def _by_address(self) -> Mapping[str, tuple[ObservedName, ...]]:
        found: defaultdict[str, list[ObservedName]] = defaultdict(list)
        for each in self.names:
            if each.denied < each.records:
                for address in each.addresses:
                    found[_normal(address)].append(each)
        return {address: tuple(names) for address, names in found.items()}

    def unanswered(self, provider: str, addresses: AddressSet) -> tuple[str, ...]:
        """Return the names of which no log tells an address, in order: firewalls may log the name alone.

        Args:
            provider: whose logs.
            addresses: only names that clients with one of these addresses asked for.
        """
        return tuple(
            sorted(
                {
                    each.name
                    for each in self.names
                    if not each.addresses
                    and each.denied < each.records
                    and each.provider == provider
                    and _has(addresses, each.client)
                }
            )
        )


def _has(addresses: AddressSet, client: str) -> bool:
    try:
        return addresses.has(client)
    except ParseError:
        return False


def _normal(address: str) -> str:
    """Return an address in its usual writing; a text that is none as it is."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address
