"""What must go on passing, over the columns of a ledger: observed needs by end, and what the intent allows."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.errors import ParseError
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Estate, Family
    from cloudseg.observed.ends import End
    from cloudseg.plan.proving.ledger import Ledger
    from cloudseg.remediations.demand import Demand

__all__ = ["Needs", "Veiled", "address_of", "veiled_interfaces"]

_Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
_FOUR: Final = 4


class _End(NamedTuple):
    """Where an end stands.

    Attributes:
        columns: the columns under which rules may see it.
        family: of its address as it was logged; 0 where that is not known.
        own: it was seen under an address of its own inside its network: packets come and go by private ways.
    """

    columns: tuple[int, ...]
    family: int
    own: bool


def address_of(end: End) -> AddressSet | None:
    """Return the address of an end as it was logged, or the ranges that the intent names; None where there is none."""
    try:
        return AddressSet.parse(end.address) if end.address else None
    except ParseError:
        return None


class Veiled(NamedTuple):
    """Interfaces whose packets rules may see under other addresses.

    Attributes:
        always: somebody sends their packets on, or they send on those of others.
        entered: entrances and load balancers lead to them; what comes straight from an interface is seen as it is.
    """

    always: frozenset[str]
    entered: frozenset[str]


def veiled_interfaces(estate: Estate) -> Veiled:
    """Return the interfaces whose packets rules may see under other addresses."""
    always: set[str] = set()
    entered: set[str] = set()
    targets = {target for entrance in estate.entrances.values() for target in entrance.targets}
    named = any(entrance.target_addresses for entrance in estate.entrances.values())
    for name, interface in estate.interfaces.items():
        if (
            interface.exit is not None
            or interface.other_exit is not None
            or interface.keeps_client
            or interface.forwards
            or interface.called
            or only_passes_on(interface)
        ):
            always.add(name)
        elif (
            interface.workload in estate.forwarders
            or not targets.isdisjoint((name, interface.workload, interface.subnet))
            or (named and estate.entrances_to(interface))
        ):
            entered.add(name)
    return Veiled(frozenset(always), frozenset(entered))


class Needs:
    """Observed needs as arrays over a ledger.

    Args:
        demand: what must go on passing.
        ledger: the columns.

    Attributes:
        demand: the same.
    """

    def __init__(self, demand: Demand, ledger: Ledger) -> None:
        self.demand = demand
        self._ledger = ledger
        each = [self._placed(end) for end in demand.ends]
        counts = np.array([len(end.columns) for end in each], dtype=np.intp)
        self.counts: _Indexes = counts
        self.starts: _Indexes = np.concatenate(([0], np.cumsum(counts))).astype(np.intp)
        self.columns: _Indexes = np.array([column for end in each for column in end.columns], dtype=np.intp)
        self.family = np.array([end.family for end in each], dtype=np.int8)
        self.own = np.array([end.own for end in each], dtype=np.bool_)
        veiled = veiled_interfaces(ledger.states[0])
        self.veiled = np.array([end.interface in veiled.always for end in demand.ends], dtype=np.bool_)
        self.entered = np.array([end.interface in veiled.entered for end in demand.ends], dtype=np.bool_)

    def _placed(self, end: End) -> _End:
        ledger = self._ledger
        columns = ledger.columns
        addresses = address_of(end)
        family = 0 if addresses is None or (addresses.v4 and addresses.v6) else _FOUR if addresses.v4 else 6
        if not end.interface:
            if addresses is None:
                return _End((), 0, own=False)
            runs = ledger.line.runs(addresses)
            places = tuple(columns.faces + place for start, stop in runs for place in range(start, stop))
            return _End(places, family, own=False)
        number = columns.class_of.get(end.interface)
        if number is None:
            return _End((), 0, own=False)
        faces = columns.of_class[number]
        interface = ledger.states[0].interfaces[end.interface]
        if addresses is not None and addresses <= interface.addresses and len(ledger.line.runs(addresses)) == 1:
            position = ledger.line.runs(addresses)[0][0]
            exact = tuple(face for face in faces if columns.span(face) == (position, position))
            if exact:
                return _End(exact, family, own=True)
        beyond = () if addresses is None else ledger.line.runs(addresses)
        public = tuple(columns.faces + place for start, stop in beyond for place in range(start, stop))
        return _End((*faces, *public), 0, own=False)

    def columns_of(self, ends: NDArray[np.int64]) -> _Indexes:
        """Return the columns of some ends, those of one behind those of another, by their places."""
        counts = self.counts[ends]
        offsets = np.arange(int(counts.sum()), dtype=np.intp) - np.repeat(np.cumsum(counts) - counts, counts)
        found: _Indexes = self.columns[np.repeat(self.starts[ends], counts) + offsets]
        return found

    def is_veiled(self, near: NDArray[np.int64], far: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return between which ends rules may see others than these, so that anything lost at one of them counts."""
        straight = self.own[near] & self.own[far]
        entered = self.entered[near] | self.entered[far]
        found: NDArray[np.bool_] = self.veiled[near] | self.veiled[far] | (entered & ~straight)
        return found

    @property
    def size(self) -> int:
        """How many needs there are."""
        return len(self.demand.sources)

    def any_of_family(self, rows: NDArray[np.int64], family: Family | None) -> bool:
        """Tell whether any of some needs, by their places, may be of a family; None stands for all."""
        if family is None or not len(rows):
            return bool(len(rows))
        own = self.family[self.demand.targets[rows]]
        own = np.where(own == 0, self.family[self.demand.sources[rows]], own)
        return bool(((own == 0) | (own == family)).any())

    @cached_property
    def strays(self) -> NDArray[np.int64]:
        """The places of the needs of which an end is an address inside of a network that nobody bears."""
        demand = self.demand
        networks = self._ledger.states[0].networks.values()
        stray = np.zeros(len(demand.ends), dtype=np.bool_)
        for number, end in enumerate(demand.ends):
            if end.kind in {"gone", "unknown"}:
                addresses = address_of(end)
                stray[number] = addresses is not None and any(each.addresses.overlaps(addresses) for each in networks)
        if not stray.any():
            return np.zeros(0, dtype=np.int64)
        return np.flatnonzero(stray[demand.sources] | stray[demand.targets])

    @cached_property
    def interfaces(self) -> Sequence[str]:
        """The interface of each end; empty for the others."""
        return [end.interface for end in self.demand.ends]

    def ends_in(self, names: dict[str, int]) -> NDArray[np.int64]:
        """Return for each end the number of its interface in a mapping; -1 for every other one."""
        return np.array([names.get(name, -1) if name else -1 for name in self.interfaces] or [-1], dtype=np.int64)
