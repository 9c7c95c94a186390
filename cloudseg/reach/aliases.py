"""Names that stand for others on a command line: a service of a cluster becomes the pods behind it.

Packets to the address of a service are rewritten before anybody judges them, so that what is asked of a service is
asked of its pods, on their own ports. Source:
https://kubernetes.io/docs/reference/networking/virtual-ips/
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import own_id
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Alias, AliasPort, Estate, Interface
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Aliases", "Asked", "asked_of", "ports_in_words"]

_SHOWN = 8


class Asked(NamedTuple):
    """What is asked of those behind a name: their traffic, and what is said of it."""

    traffic: Traffic
    notes: tuple[str, ...] = ()


class Aliases:
    """Finds the names that stand for others, and whom these are."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def find(self, word: str) -> tuple[Alias, ...]:
        """Return what bears a name or an id, in order of their ids."""
        known = self._by_word.get(word) or self._by_word.get(word.casefold()) or []
        return tuple(sorted(known, key=lambda alias: alias.id))

    def at(self, addresses: AddressSet) -> tuple[Alias, ...]:
        """Return what a single address stands for, in order of their ids."""
        if addresses.size != 1:
            return ()
        return tuple(a for _, a in sorted(self._estate.aliases.items()) if addresses <= a.addresses)

    def interfaces(self, alias: Alias) -> tuple[Interface, ...]:
        """Return whoever is behind a name, in order of their ids."""
        estate = self._estate
        found: dict[str, Interface] = {}
        for target in alias.targets:
            own = estate.interfaces.get(target)
            each = (own,) if own is not None else estate.interfaces_of(target)
            found |= {interface.id: interface for interface in each}
        return tuple(found[key] for key in sorted(found))

    @cached_property
    def _by_word(self) -> dict[str, list[Alias]]:
        found: defaultdict[str, list[Alias]] = defaultdict(list)
        for alias in self._estate.aliases.values():
            for word in dict.fromkeys((alias.id, own_id(alias.id), *alias.words)):
                found[word].append(alias)
        return found


def asked_of(ports: Sequence[AliasPort], traffic: Traffic, name: str) -> Asked:
    """Return what traffic that is asked of a name becomes behind it, and how, in words.

    Where nothing of it is served under the name, it stays as it is: the ports of those behind the name are meant.

    Args:
        ports: the ports of the name.
        traffic: what is asked for.
        name: the name, for people.
    """
    told = ports_in_words(ports)
    if not told:
        return Asked(traffic)
    about = f"{name} stands for the pods behind it: {told}"
    if traffic.is_all:
        return Asked(traffic, (about,))
    served = sent = NO_TRAFFIC
    for port in ports:
        if port.listens is not None and port.sends is not None and port.listens.overlaps(traffic):
            served |= port.listens
            sent |= port.sends
    if not served:
        return Asked(
            traffic, (about, f"{name} serves nothing of {traffic}: the answer is about these ports of its pods")
        )
    rest = traffic - served
    notes = [about] if served <= sent <= served else [about, f"asked for {traffic & served}, answered for {sent}"]
    if rest:
        notes.append(f"{name} serves nothing of {rest}, which is left out")
    return Asked(sent, tuple(notes))


def ports_in_words(ports: Iterable[AliasPort]) -> str:
    """Return what becomes of what is asked for: ``tcp/80 goes to tcp/8080``; empty where nothing is."""
    words = dict.fromkeys(
        f"{port.listens} goes to {port.sends}" for port in ports if port.listens is not None and port.sends is not None
    )
    shown = list(words)[:_SHOWN]
    return ", ".join(shown) + (f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else "")
