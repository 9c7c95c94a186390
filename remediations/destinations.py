"""Destinations of what leaves: the estate's own, the cloud's services, names, and addresses that nobody named."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.remediations.address_parts import parsed
from cloudseg.traffic import ALL_IPV4, GLOBAL_UNICAST, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.model import AddressList, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.demand import Passing
    from cloudseg.traffic import Traffic

__all__ = ["Destinations", "Named", "Serving", "destinations", "traffic_of"]

_WIDE: Final = 1 << 24
"""From so many IPv4 addresses on an intended destination is no list of hosts, but the internet."""
_SHARED: Final = ("azurecloud", "internet", "virtualnetwork", "azureloadbalancer", "cloudfront")
"""Lists of the provider that stand for more than one service of its own."""


class Serving(NamedTuple):
    """A list of the provider's that names a service, and what is needed of it."""

    list: AddressList
    users: tuple[Passing, ...]


class Named(NamedTuple):
    """Names by which one destination was called, and what is needed of it."""

    names: tuple[str, ...]
    users: tuple[Passing, ...]


class Destinations(NamedTuple):
    """What leaves, by where it goes.

    Attributes:
        inside: the estate's own, and private addresses that nobody read.
        services: the cloud's own services, by the list that names each.
        named: what a log calls by a name.
        anywhere: what the intent lets go to the whole internet.
        plain: addresses of which no name is known.
    """

    inside: tuple[Passing, ...] = ()
    services: tuple[Serving, ...] = ()
    named: tuple[Named, ...] = ()
    anywhere: tuple[Passing, ...] = ()
    plain: tuple[Passing, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted({name for each in self.named for name in each.names}))

    @property
    def by_name(self) -> tuple[Passing, ...]:
        """What goes to names."""
        return tuple(user for each in self.named for user in each.users)


def destinations(context: RemedyContext, rule_set: RuleSet, passing: Sequence[Passing]) -> Destinations:
    """Return what leaves, by where it goes.

    Args:
        context: what all remedies share.
        rule_set: the list whose rules are to name the destinations: it knows the lists of its own scope and region.
        passing: what leaves, by other end.
    """
    lists = _lists(context, rule_set)
    inside: list[Passing] = []
    anywhere: list[Passing] = []
    plain: list[Passing] = []
    served: defaultdict[str, list[Passing]] = defaultdict(list)
    called: defaultdict[tuple[str, ...], list[Passing]] = defaultdict(list)
    for each in passing:
        addresses = parsed(each.other.address)
        if each.other.interface or not addresses.overlaps(GLOBAL_UNICAST):
            inside.append(each)
        elif (addresses & ALL_IPV4).size >= _WIDE or (not addresses & ALL_IPV4 and addresses.size >= 1 << 96):
            anywhere.append(each)
        elif (own := _serving(lists, addresses)) is not None:
            served[own].append(each)
        elif names := _names(context, rule_set, each):
            called[names].append(each)
        else:
            plain.append(each)
    return Destinations(
        tuple(inside),
        tuple(Serving(context.estate.address_lists[name], tuple(served[name])) for name in sorted(served)),
        tuple(Named(names, tuple(called[names])) for names in sorted(called)),
        tuple(anywhere),
        tuple(plain),
    )


def traffic_of(users: Iterable[Passing]) -> Traffic:
    """Return all traffic of some needs."""
    found = NO_TRAFFIC
    for each in users:
        found |= each.traffic
    return found


def _names(context: RemedyContext, rule_set: RuleSet, passing: Passing) -> tuple[str, ...]:
    """Return the names of an address, those that somebody in the network of a list asked for before all others."""
    network = context.estate.networks.get(rule_set.network or "")
    clients = None if network is None else network.addresses
    return () if context.names is None else context.names.called(passing.other.address, clients)


def _lists(context: RemedyContext, rule_set: RuleSet) -> Mapping[str, AddressSet]:
    """Return the lists of the provider's services that rules of a list can name, the smallest first.

    A prefix list of AWS belongs to one region. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
    """
    found: dict[str, AddressSet] = {}
    for name, known in context.estate.address_lists.items():
        addresses = known.addresses
        if (
            addresses
            and known.owner == "provider"
            and known.provider == rule_set.provider
            and known.scope == rule_set.scope
            and (known.provider != "aws" or known.region == rule_set.region)
            and addresses <= GLOBAL_UNICAST
            and not any(word in known.name.lower() for word in _SHARED)
        ):
            found[name] = addresses
    return dict(sorted(found.items(), key=lambda item: (item[1].size, item[0])))


def _serving(lists: Mapping[str, AddressSet], addresses: AddressSet) -> str | None:
    return next((name for name, held in lists.items() if addresses <= held), None)
