"""What must go on passing: accepted conversations that the rules of today carry, and what the intent allows.

Conversations come by the million, so that they are arrays here, one entry for all that have both ends, protocol and
port in common. What was accepted and is not carried today is listed and never opened: the log is old, an address was
translated, or who opened it was told wrongly. The intent is not written out: it is asked pair by pair where a rule or a
loss asks.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.observed.columns_of import combined
from cloudseg.observed.ends import End
from cloudseg.observed.grouping import ports_of
from cloudseg.observed.kinds_of_traffic import traffic_of
from cloudseg.remediations.intended import Intended
from cloudseg.remediations.passing import Passing, Through
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Estate, Rule, RuleSet
    from cloudseg.observed.join import Joined
    from cloudseg.observed.observed import Observed
    from cloudseg.traffic import Traffic

__all__ = ["Demand", "Flows", "Need", "Passing", "Through"]

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
_NONE: Final[Numbers] = np.zeros(0, dtype=np.int64)
_UNSURE: Final = frozenset(("gone", "unknown"))


class Need(NamedTuple):
    """One entry of what must go on passing, or of what is listed beside it.

    Attributes:
        source: who opens it.
        target: the other end.
        traffic: one protocol and port, or a protocol where the log tells no more.
        connections: how often it was opened; those of which only the middle was seen count once.
        last_seen: when it was last seen, seconds since 1970.
    """

    source: End
    target: End
    traffic: Traffic
    connections: int
    last_seen: int


class Flows(NamedTuple):
    """Conversations as numbers, one entry for all with the same ends, protocol and port.

    Attributes:
        sources: place in the ends of who opened them.
        targets: the same of the other end.
        kinds: place in the kinds of traffic.
        connections: how often they were opened.
        last_seen: when they were last seen, seconds since 1970.
    """

    sources: Numbers = _NONE
    targets: Numbers = _NONE
    kinds: Numbers = _NONE
    connections: Numbers = _NONE
    last_seen: Numbers = _NONE

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.sources)


_NO_FLOWS: Final = Flows()


@dataclasses.dataclass(frozen=True, eq=False)
class Demand:
    """What must go on passing.

    Attributes:
        ends: the ends of conversations, and the interfaces for which those of them stand that may be one of several.
        sources: place in ``ends`` of who opens, one entry for each need.
        targets: place of the other end.
        kinds: place in ``traffics``.
        traffics: one protocol and port each, or a protocol without ports.
        connections: how often each was opened.
        last_seen: when each was last seen, seconds since 1970.
        matrix: the intent; None where nobody wrote it down.
        given: there was any evidence at all.
        unplaced: accepted conversations with an end that is not known, or an unknown initiator.
        not_carried: accepted, and no rule of today lets it through: listed, never opened.
        refused: refused, or its answers alone: listed, never opened.
    """

    ends: tuple[End, ...] = ()
    sources: Numbers = dataclasses.field(default_factory=_NONE.copy)
    targets: Numbers = dataclasses.field(default_factory=_NONE.copy)
    kinds: Numbers = dataclasses.field(default_factory=_NONE.copy)
    traffics: tuple[Traffic, ...] = ()
    connections: Numbers = dataclasses.field(default_factory=_NONE.copy)
    last_seen: Numbers = dataclasses.field(default_factory=_NONE.copy)
    matrix: IntentMatrix | None = None
    given: bool = False
    unplaced: int = 0
    not_carried: Flows = _NO_FLOWS
    refused: Flows = _NO_FLOWS
    _estate: Estate | None = None
    _observed: Observed | None = None

    @staticmethod
    def of(observed: Observed | None, matrix: IntentMatrix | None, estate: Estate) -> Demand:
        """Return what must go on passing.

        Args:
            observed: observed conversations; None where none were given.
            matrix: the intended traffic; None where nobody wrote it down.
            estate: the estate as it is today.
        """
        if observed is None or not len(observed.joined):
            return Demand(matrix=matrix, given=matrix is not None, _estate=estate)
        joined = observed.oriented
        table = joined.conversations
        ports = ports_of(table)
        verdicts = table.column("verdict")
        accepted: NDArray[np.bool_] = verdicts == "accepted"
        carried = accepted.copy()
        carried[observed.usage.not_carried] = False
        known = np.array([end.known for end in joined.ends], dtype=np.bool_)
        opened = table.column("evidence") != "unknown"
        placed = known[joined.initiators] & known[joined.responders] & opened
        stands = np.array([not end.deleted for end in joined.ends], dtype=np.bool_)
        there = stands[joined.initiators] & stands[joined.responders] & opened
        ends, asked = _one_by_one(joined, np.flatnonzero(carried & there))
        needs = _flows(joined, ports.codes, *asked)
        return Demand(
            ends=ends,
            sources=needs.sources,
            targets=needs.targets,
            kinds=needs.kinds,
            traffics=tuple(traffic_of(*pair) for pair in ports.values),
            connections=needs.connections,
            last_seen=needs.last_seen,
            matrix=matrix,
            given=True,
            unplaced=int(np.count_nonzero(accepted & ~placed)),
            not_carried=_flows(joined, ports.codes, *_as_they_are(joined, observed.usage.not_carried)),
            refused=_flows(joined, ports.codes, *_as_they_are(joined, np.flatnonzero(~accepted))),
            _estate=estate,
            _observed=observed,
        )

    def __len__(self) -> int:
        """Return how many observed needs there are."""
        return len(self.sources)

    def __iter__(self) -> Iterator[Need]:
        """Yield the observed needs one by one."""
        return self.listed(Flows(self.sources, self.targets, self.kinds, self.connections, self.last_seen))

    def listed(self, flows: Flows) -> Iterator[Need]:
        """Yield conversations one by one: of :attr:`not_carried` or :attr:`refused`."""
        columns = (column.tolist() for column in flows)
        for source, target, kind, connections, last in zip(*columns, strict=True):
            yield Need(self.ends[source], self.ends[target], self.traffics[kind], connections, last)

    def through(self, rule_set: RuleSet, rule: Rule) -> Through:
        """Return what a rule may carry today, of what was observed and of what the intent allows.

        A conversation that another rule carries as well counts all the same.
        """
        seen = self._seen(rule_set, rule)
        if self.matrix is None:
            return seen
        intended = self._intended.through(rule_set, rule, self.matrix)
        return seen._replace(passing=_merged((*seen.passing, *intended)))

    def allowed(self, source: str, target: str) -> Traffic:
        """Return what the intent lets one interface open to another, by qualified ids; nothing without an intent.

        Where it is not known whether an interface belongs to a segment, it counts as a member.
        """
        return NO_TRAFFIC if self.matrix is None else self._intended.allowed(source, target, self.matrix)

    @cached_property
    def _intended(self) -> Intended:
        if self._estate is None or self.matrix is None:
            raise ValueError("a demand without an intent was asked for what is intended")
        return Intended(self._estate, self.matrix)

    def _seen(self, rule_set: RuleSet, rule: Rule) -> Through:
        """Return what observed conversations may have used a rule for."""
        if self._observed is None:
            return Through()
        joined, usage = self._observed.oriented, self._observed.usage
        rows = usage.rows_of(rule_set, rule)
        if not len(rows):
            return Through()
        facts = self._facts
        rows = rows[facts.carried[rows]]
        opened = facts.opened[rows]
        unplaced = int(np.count_nonzero(~opened))
        # Who talked keeps the rule, whoever opened it.
        either = rows[~opened]
        rows = rows[opened]
        others = (joined.initiators if rule.direction == "ingress" else joined.responders)[rows]
        gone = int(np.count_nonzero(facts.gone[others]))
        perhaps = np.concatenate((others, joined.initiators[either], joined.responders[either]))
        unknown: list[int] = np.unique(perhaps[facts.unknown[perhaps]]).tolist()
        kept = facts.known[others]
        rows, others = rows[kept], others[kept]
        return Through(
            tuple(self._passing(rows, others)), tuple(self.ends[number] for number in unknown), gone, unplaced
        )

    def _passing(self, rows: Numbers, others: Numbers) -> Iterator[Passing]:
        if not len(rows):
            return
        facts = self._facts
        # One after the other by their other end, and what is said of each end added up at once.
        order = np.argsort(others, kind="stable")
        rows, others = rows[order], others[order]
        first = np.flatnonzero(np.diff(others, prepend=-1))
        connections = np.add.reduceat(facts.connections[rows], first).tolist()
        last = np.maximum.reduceat(facts.last_seen[rows], first).tolist()
        kinds = np.split(facts.kinds[rows], first[1:])
        for place, other in enumerate(others[first].tolist()):
            yield Passing(self.ends[other], self._traffic_of(kinds[place]), connections[place], last[place])

    def _traffic_of(self, kinds: Numbers) -> Traffic:
        """Return the traffic of some kinds; mostly others have asked for the same before."""
        distinct = tuple(sorted(set(kinds.tolist())))
        if distinct not in self._united:
            self._united[distinct] = _union([self.traffics[kind] for kind in distinct])
        return self._united[distinct]

    @cached_property
    def _united(self) -> dict[tuple[int, ...], Traffic]:
        return {}

    @cached_property
    def _facts(self) -> _Facts:
        """What is asked of every conversation again and again."""
        if self._observed is None:
            raise ValueError("a demand without conversations was asked for them")
        joined, usage = self._observed.oriented, self._observed.usage
        table = joined.conversations
        carried: NDArray[np.bool_] = table.column("verdict") == "accepted"
        carried[usage.not_carried] = False
        return _Facts(
            carried=carried,
            opened=table.column("evidence") != "unknown",
            kinds=ports_of(table).codes,
            connections=np.maximum(table.column("connections"), 1),
            last_seen=table.column("last_seen").astype("datetime64[s]").astype(np.int64),
            known=np.array([end.kind not in _UNSURE for end in joined.ends], dtype=np.bool_),
            gone=np.array([end.deleted for end in joined.ends], dtype=np.bool_),
            unknown=np.array([end.kind in _UNSURE and not end.deleted for end in joined.ends], dtype=np.bool_),
        )


class _Facts(NamedTuple):
    """Conversations and ends by number: whether one is carried today, who opened it is known, and so on."""

    carried: NDArray[np.bool_]
    opened: NDArray[np.bool_]
    kinds: Numbers
    connections: Numbers
    last_seen: Numbers
    known: NDArray[np.bool_]
    gone: NDArray[np.bool_]
    unknown: NDArray[np.bool_]


def _union(parts: Iterable[Traffic]) -> Traffic:
    found = NO_TRAFFIC
    for each in parts:
        found |= each
    return found


def _as_they_are(joined: Joined, rows: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return some conversations by their places, and their ends."""
    return rows, joined.initiators[rows], joined.responders[rows]


def _one_by_one(joined: Joined, rows: Numbers) -> tuple[tuple[End, ...], tuple[Numbers, Numbers, Numbers]]:
    """Return the ends, and some conversations with them: whoever may be one of several stands for each of these.

    Of who bears an address that is not known otherwise, the address alone counts. What has no end inside is left out.
    """
    ends = list(joined.ends)
    stand_ins: dict[int, list[int]] = {}
    made: dict[End, int] = {}
    for number, end in enumerate(joined.ends):
        if end.candidates and not end.interface:
            each = [End("interface", name, end.address, name=end.name) for name in end.candidates]
            stand_ins[number] = [made.setdefault(own, len(ends) + len(made)) for own in each]
    ends += made
    several = np.isin(joined.initiators[rows], list(stand_ins)) | np.isin(joined.responders[rows], list(stand_ins))
    places, sources, targets = (each[~several] for each in _as_they_are(joined, rows))
    more = [
        (row, source, target)
        for row in rows[several].tolist()
        for source in stand_ins.get(int(joined.initiators[row]), [int(joined.initiators[row])])
        for target in stand_ins.get(int(joined.responders[row]), [int(joined.responders[row])])
    ]
    added = np.array(more, dtype=np.int64).reshape(-1, 3).T
    places, sources, targets = (np.concatenate(pair) for pair in zip((places, sources, targets), added, strict=True))
    inside = np.array([bool(end.interface) for end in ends], dtype=np.bool_)
    ours = (inside[sources] | inside[targets]) & (sources != targets)
    return tuple(ends), (places[ours], sources[ours], targets[ours])


def _flows(joined: Joined, ports: Numbers, rows: Numbers, sources: Numbers, targets: Numbers) -> Flows:
    """Return some conversations, those with the same ends, protocol and port together."""
    if not len(rows):
        return Flows()
    table = joined.conversations
    kinds = ports[rows]
    codes, first = combined([sources, targets, kinds])
    weights = np.maximum(table.column("connections")[rows], 1)
    last = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(last, codes, table.column("last_seen")[rows].astype("datetime64[s]").astype(np.int64))
    counts = np.bincount(codes, weights=weights, minlength=len(first)).astype(np.int64)
    return Flows(sources[first], targets[first], kinds[first], counts, last)


def _merged(parts: Iterable[Passing]) -> tuple[Passing, ...]:
    """Return what passes with one entry for each other end."""
    found: dict[End, Passing] = {}
    for each in parts:
        known = found.get(each.other)
        found[each.other] = (
            each
            if known is None
            else Passing(
                each.other,
                known.traffic | each.traffic,
                known.connections + each.connections,
                max(known.last_seen, each.last_seen),
                known.intended or each.intended,
                known.owner or each.owner,
                known.expires or each.expires,
            )
        )
    return tuple(found.values())
