"""What a state of a plan loses of what is needed: only pairs that lost anything are looked at."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.pairs.paths import NEVER, SURELY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cloudseg.model import Direction
    from cloudseg.plan.proving.ledger import Ledger, Near
    from cloudseg.plan.proving.needed import Needs
    from cloudseg.plan.proving.touched import Touched
    from cloudseg.plan.proving.unknowns import Variables
    from cloudseg.reach.pairs.rows import Rows

__all__ = ["Shrinking", "Ways", "needs_at", "off_the_straight", "sent_on", "settled", "shrunk", "suspected"]

_Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


class Shrinking(NamedTuple):
    """Interfaces at which lists may let less through than before.

    Attributes:
        near: the interfaces.
        grouped: what, by word and column of the other end, on ways on which groups hold.
        plain: the same on the others.
        unknown: what of both lies between the bounds before and after, so that it may be the same.
    """

    near: Near
    grouped: Rows
    plain: Rows
    unknown: tuple[Rows, Rows] | None = None


def shrunk(ledger: Ledger, number: int, near: Near) -> Shrinking | None:
    """Return what lists at some interfaces may let less through in a state than before the plan; None for nothing.

    Args:
        ledger: what lists let through.
        number: the number of the state.
        near: the interfaces, which are judged alike.
    """
    old, new = (ledger.let_through(each, near.names[0], near.direction) for each in (0, number))
    lost: list[Rows] = []
    unknown: list[Rows] = []
    for before, after in ((old.grouped, new.grouped), (old.plain, new.plain)):
        cells: Rows = before.upper & ~after.lower
        lost.append(cells)
        unknown.append(cells & ~before.lower & after.upper)
    if not (lost[0].any() or lost[1].any()):
        return None
    some = unknown[0].any() or unknown[1].any()
    return Shrinking(near, lost[0], lost[1], (unknown[0], unknown[1]) if some else None)


def settled(shrinking: Shrinking, variables: Variables, columns: _Indexes | None = None) -> Shrinking:
    """Return the same without what is unknown in both and surely never less.

    Args:
        shrinking: what may be lost.
        variables: compares what is unknown in both.
        columns: look at these columns alone; None for all.
    """
    if shrinking.unknown is None:
        return shrinking
    rows: list[Rows] = []
    for grouped, cells, unknown in (
        (True, shrinking.grouped, shrinking.unknown[0]),
        (False, shrinking.plain, shrinking.unknown[1]),
    ):
        asked = unknown
        if columns is not None:
            asked = np.zeros_like(unknown)
            asked[:, columns] = unknown[:, columns]
        near = shrinking.near
        rows.append(cells & ~variables.settled(near.names[0], near.direction, asked, grouped=grouped, growing=True))
    return Shrinking(shrinking.near, rows[0], rows[1])


class Ways:
    """Which ways surely lead straight from end to end, so that groups hold on them.

    Args:
        ledger: what lists let through; it knows the ways.

    Attributes:
        ledger: the same.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._paths = ledger.paths
        self._columns = ledger.columns
        self._by_address = _named_by_address(ledger)
        self._place = np.array([self._paths.place(face) for face in range(self._columns.faces)], dtype=np.int64)

    def hold(self, sources: _Indexes, targets: _Indexes, *, inward: bool) -> NDArray[np.bool_]:
        """Return for each pair of faces whether groups surely hold on the only way that packets take.

        Args:
            sources: the faces of those that send.
            targets: the faces of those that receive.
            inward: groups in the rules of who receives; otherwise of who sends.
        """
        paths, columns = self._paths, self._columns
        route = paths.route[sources]
        groups = paths.ingress_groups if inward else paths.egress_groups
        straight = (paths.level[route, targets] == SURELY) & groups[route, targets]
        straight &= (paths.translated[route, targets] == 0) & (paths.proxied[route, targets] == 0)
        six = targets >= columns.families
        if six.any():
            over = np.zeros(len(targets), dtype=np.bool_)
            over[six] = paths.over_internet6_to[targets[six] - columns.families, route[six]] > NEVER
            straight &= ~over
        near = (self._place[sources] == self._place[targets]) & (self._place[sources] >= 0)
        found: NDArray[np.bool_] = straight | near
        return found

    def straight(self, sources: _Indexes, targets: _Indexes) -> NDArray[np.bool_]:
        """Return for each pair of faces whether packets surely meet nobody between them who passes them on.

        Behind whoever does groups hold no longer, unless they are a short way to write addresses.

        Args:
            sources: the faces of those that send.
            targets: the faces of those that receive.
        """
        held = self.hold(sources, targets, inward=True) & self.hold(sources, targets, inward=False)
        return held & ~(self._by_address[sources] | self._by_address[targets])


def suspected(ledger: Ledger, number: int, touched: Touched, needs: Needs, variables: Variables) -> NDArray[np.int64]:
    """Return the places of the needs that lists of a state may carry no longer, in order.

    Args:
        ledger: what lists let through.
        number: the number of the state.
        touched: what the plan touches.
        needs: the needs.
        variables: compares what is unknown in both.
    """
    if not needs.size:
        return np.zeros(0, dtype=np.int64)
    found: list[NDArray[np.int64]] = []
    ways = Ways(ledger)
    demand = needs.demand
    for direction in _DIRECTIONS:
        sides = (demand.targets, demand.sources) if direction == "ingress" else (demand.sources, demand.targets)
        each = tuple(ledger.alike(touched.of(direction), direction, number))
        numbers = {name: place for place, near in enumerate(each) for name in near.names}
        for place, rows in needs_at(needs, sides[0], numbers).items():
            shrinking = shrunk(ledger, number, each[place])
            if shrinking is not None:
                found.append(_lost(needs, shrinking, rows, sides, ways, variables))
        if direction == "egress":
            # Packets meet the lists of who sends them on, under his address.
            for node, others in sent_on(ledger).items():
                shrinking = shrunk(ledger, number, each[numbers[node]]) if node in numbers else None
                if shrinking is not None:
                    own = needs_at(needs, sides[0], dict.fromkeys(others, 0))
                    found.extend(_any_lost(ledger, needs, settled(shrinking, variables), rows) for rows in own.values())
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)


def _named_by_address(ledger: Ledger) -> NDArray[np.bool_]:
    """Return which faces stand in networks whose groups hold behind firewalls as well, where there may be any."""
    estate, columns = ledger.states[0], ledger.columns
    found = np.zeros(columns.faces, dtype=np.bool_)
    if estate.firewalls or any(each.type == "gateway-load-balancer" for each in estate.endpoints.values()):
        places = {name for name, each in estate.networks.items() if each.groups_by_address}
        found[columns.faces_of(name for name, each in estate.interfaces.items() if each.network in places)] = True
    return found


def off_the_straight(ledger: Ledger, needs: Needs) -> NDArray[np.int64]:
    """Return the places of needs whose packets may meet somebody on the way who passes them on.

    Args:
        ledger: what lists let through; it knows the ways.
        needs: the needs.
    """
    sources, targets = needs.demand.sources, needs.demand.targets
    known = needs.own & (needs.counts == 1)
    straight: NDArray[np.bool_] = known[sources] & known[targets] & ~needs.is_veiled(targets, sources)
    rows = np.flatnonzero(straight)
    columns = [needs.columns[needs.starts[ends[rows]]] for ends in (sources, targets)]
    inside = (columns[0] < ledger.columns.faces) & (columns[1] < ledger.columns.faces)
    straight[rows[~inside]] = False
    rows, columns = rows[inside], [each[inside] for each in columns]
    ways = Ways(ledger)
    straight[rows[~ways.straight(columns[0], columns[1])]] = False
    return np.flatnonzero(~straight).astype(np.int64)


def needs_at(needs: Needs, ends: NDArray[np.int64], names: dict[str, int]) -> dict[int, NDArray[np.int64]]:
    """Return the places of needs by the number of the interface that stands at one side of them, for some interfaces.

    Args:
        needs: the needs.
        ends: the ends of one side.
        names: the interfaces, each with a number that several may share.
    """
    numbers = needs.ends_in(names)[ends]
    chosen = np.flatnonzero(numbers >= 0)
    if not len(chosen):
        return {}
    order = chosen[np.argsort(numbers[chosen], kind="stable")]
    own = numbers[order]
    cuts = np.flatnonzero(np.diff(own)) + 1
    return {int(numbers[part[0]]): part for part in np.split(order, cuts)}


def sent_on(ledger: Ledger) -> dict[str, list[str]]:
    """Return the interfaces by those that send their packets on.

    Args:
        ledger: it knows the interfaces.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, interface in ledger.states[0].interfaces.items():
        for way in (interface.exit, interface.other_exit):
            for node in () if way is None else way.interfaces:
                found[node].append(name)
    return dict(found)


def _masks(ledger: Ledger, needs: Needs, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the atoms of some needs, by need and word."""
    values, places = np.unique(needs.demand.kinds[rows], return_inverse=True)
    kinds: list[int] = values.tolist()
    words = np.array([ledger.overlapping(needs.demand.traffics[kind]) for kind in kinds], dtype=np.uint64)
    found: NDArray[np.uint64] = words.reshape(len(kinds), ledger.atoms.width)[places.reshape(-1)]
    return found


def _any_lost(ledger: Ledger, needs: Needs, shrinking: Shrinking, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the needs of which anything is lost at any column."""
    lost = np.bitwise_or.reduce(shrinking.grouped | shrinking.plain, axis=1)
    hit: NDArray[np.bool_] = np.any(_masks(ledger, needs, rows) & lost, axis=1)
    return rows[hit]


def _lost(
    needs: Needs,
    shrinking: Shrinking,
    rows: NDArray[np.int64],
    sides: tuple[NDArray[np.int64], NDArray[np.int64]],
    ways: Ways,
    variables: Variables,
) -> NDArray[np.int64]:
    """Return those of some needs that lists at one end may carry no longer.

    Args:
        needs: the needs.
        shrinking: what is lost at this end.
        rows: the places of the needs of this end.
        sides: the ends of all needs at this side, and at the other.
        ways: the ways between them.
        variables: compares what is unknown in both.
    """
    rows = _by_cell(needs, shrinking, rows, sides, ways)
    if not len(rows) or shrinking.unknown is None:
        return rows
    # Only now it is worth asking what is unknown, and of few ends.
    far = np.unique(sides[1][rows])
    columns = None if needs.is_veiled(sides[0][rows], sides[1][rows]).any() else needs.columns_of(far)
    return _by_cell(needs, settled(shrinking, variables, columns), rows, sides, ways)


def _by_cell(
    needs: Needs,
    shrinking: Shrinking,
    rows: NDArray[np.int64],
    sides: tuple[NDArray[np.int64], NDArray[np.int64]],
    ways: Ways,
) -> NDArray[np.int64]:
    """Return those of some needs of which a cell is lost that they may go by."""
    ledger = ways.ledger
    rows = _any_lost(ledger, needs, shrinking, rows)
    if not len(rows):
        return rows
    near, far = sides[0][rows], sides[1][rows]
    veiled = needs.is_veiled(near, far)
    found = [rows[veiled]]
    rows, near, far = rows[~veiled], near[~veiled], far[~veiled]
    if not len(rows):
        return found[0]
    counts = needs.counts[far]
    which = np.repeat(np.arange(len(rows), dtype=np.intp), counts)
    columns = needs.columns_of(far)
    families = _of_family(ledger, columns)
    wanted = needs.family[near][which]
    here = (wanted == 0) | (wanted == families)
    which, columns = which[here], columns[here]
    masks = _masks(ledger, needs, rows)
    grouped = (masks[which] & shrinking.grouped[:, columns].T).any(axis=1)
    plain = (masks[which] & shrinking.plain[:, columns].T).any(axis=1) & ~grouped
    suspects = np.zeros(len(rows), dtype=np.bool_)
    suspects[which[grouped]] = True
    if plain.any():
        cells = which[plain], columns[plain]
        suspects |= _off_the_way(ledger, needs, shrinking.near.direction, cells, (near, far), ways)
    found.append(rows[suspects])
    return np.concatenate(found)


def _off_the_way(
    ledger: Ledger,
    needs: Needs,
    direction: Direction,
    cells: tuple[_Indexes, _Indexes],
    sides: tuple[NDArray[np.int64], NDArray[np.int64]],
    ways: Ways,
) -> NDArray[np.bool_]:
    """Return of which needs it is not sure that they go by a way on which groups hold."""
    which, columns = cells
    near, far = sides
    suspects = np.zeros(len(near), dtype=np.bool_)
    direct = needs.own[near][which] & needs.own[far][which] & (columns < ledger.columns.faces)
    suspects[which[~direct]] = True
    which, columns = which[direct], columns[direct]
    own = needs.columns[needs.starts[near[which]]]
    several = needs.counts[near[which]] != 1
    suspects[which[several]] = True
    pairs = (columns, own) if direction == "ingress" else (own, columns)
    suspects[which[~ways.hold(*pairs, inward=direction == "ingress")]] = True
    return suspects


def _of_family(ledger: Ledger, columns: _Indexes) -> NDArray[np.int8]:
    own = ledger.columns
    face = columns < own.faces
    four = np.where(face, columns < own.families, columns - own.faces < ledger.line.boundary)
    return np.where(four, 4, 6).astype(np.int8)
