"""From what remedies propose to what is proved: proposals that conflict, do not fit or break the proof are left out.

A proof of all proposals together blames, for whatever it finds, the changes that may bring it about: the guilty one is
among them, and innocent ones may be. So those that are blamed are proved each by itself, and those that break something
alone stay out. Where that does not tell, the fewest go that are to blame for all of it, as far as taking the most
blamed first finds them, until what is left is proved. Then those that went get another try beside what is proved,
unless it is plain that they break it: by halves, and where a half is not proved by halves of it, down to the single
ones that are to blame. The last proof that holds is always one of the very steps that are taken up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.plan.conflicts import together
from cloudseg.plan.ordering import first_misfit, in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cloudseg.model import Estate
    from cloudseg.plan.candidates import Candidate
    from cloudseg.plan.ordering import Step

__all__ = ["Refusal", "Settled", "Verdict", "Violation", "settled"]

_TRIES: Final = 64
"""So many proofs are spent on giving proposals another try: then the others stay out."""

_ALONE: Final = 32
"""So many proposals at most are proved each by itself to find out which of several is to blame."""

_INNOCENT: Final = 3
"""After so many that break nothing by themselves, the others are not asked before the next proof of all."""

_FEW: Final = 4
"""Where more proposals than these are blamed for one thing, all of them go, to be tried again by halves."""


class Violation(NamedTuple):
    """What a proof found.

    Attributes:
        kind: something passes that does not today; something that is needed passes no more; something cannot be done,
            such as a quota that does not hold.
        source: who sends the packet that shows it, in words; empty where it is not about packets.
        target: the other end, in words.
        traffic: its traffic, in words.
        rule: the rule that lets it through or that is taken away, in words.
        words: the whole in one sentence.
        certain: False where something unknown decides.
        when: when it shows: ``at the end``, or after which step.
        steps: places of the changes that may be to blame, in the order of the plan.
    """

    kind: Literal["gained", "lost", "impossible"]
    source: str
    target: str
    traffic: str
    rule: str
    words: str
    certain: bool
    when: str
    steps: tuple[int, ...]

    @property
    def witness(self) -> str:
        """The packet that shows it, with the rule, in words; empty where it is not about packets."""
        if not self.source:
            return ""
        rule = f" ({self.rule})" if self.rule else ""
        return f"{self.source} → {self.target} {self.traffic}{rule}"


class Verdict(NamedTuple):
    """What a proof says of changes in their order.

    Attributes:
        holds: nothing is gained, nothing that is needed is lost, in every state between.
        violations: what was found.
        checked: how much was looked at, by what it is.
        unknowns: what was not read, and is the same before and after whatever it is.
        assumptions: what must be so for the proof to mean what it says.
    """

    holds: bool
    violations: tuple[Violation, ...] = ()
    checked: tuple[tuple[str, int], ...] = ()
    unknowns: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


class Refusal(NamedTuple):
    """A proposal that the plan does not take up.

    Attributes:
        candidate: the proposal.
        by: another proposal that goes first, the proof, or the estate to which its edits do not fit.
        reason: why, in one sentence.
        witness: a packet that shows why; empty where there is none.
    """

    candidate: Candidate
    by: Literal["conflict", "proof", "estate"]
    reason: str
    witness: str = ""


class Settled(NamedTuple):
    """What a plan takes up.

    Attributes:
        kept: the proposals, in order.
        steps: their changes in the order in which they are made.
        verdict: what is proved of them.
        refused: proposals that it does not take up.
        part_of: proposals that say nothing that another of the plan does not say, each with the id of the other.
        over: proposals for which the most edits left no room.
    """

    kept: tuple[Candidate, ...]
    steps: tuple[Step, ...]
    verdict: Verdict
    refused: tuple[Refusal, ...]
    part_of: tuple[tuple[Candidate, str], ...]
    over: tuple[Candidate, ...]


class _Round(NamedTuple):
    kept: tuple[Candidate, ...]
    steps: tuple[Step, ...]
    part_of: tuple[tuple[Candidate, str], ...]
    refused: tuple[Refusal, ...]
    over: tuple[Candidate, ...]


def settled(
    candidates: Iterable[Candidate],
    estate: Estate,
    prove: Callable[[Sequence[Step]], Verdict],
    most: int | None = None,
) -> Settled:
    """Return what a plan takes up of some proposals.

    Args:
        candidates: the proposals, in the order in which they go first.
        estate: as it is.
        prove: judges changes in their order, from the estate as it is.
        most: the most changes, of whole proposals; None for as many as there are.
    """
    rounds = _Rounds(candidates, estate, prove, most)
    for half in _halves(rounds.drop_blamed()):
        rounds.try_again(half)
    found = rounds.found
    return Settled(found.kept, found.steps, rounds.verdict, (*rounds.out, *found.refused), found.part_of, found.over)


class _Rounds:
    """The rounds in which proposals are dropped and tried again.

    Attributes:
        out: proposals that were refused for good.
        found: what the plan takes up.
        verdict: what is proved of it.
    """

    def __init__(
        self,
        candidates: Iterable[Candidate],
        estate: Estate,
        prove: Callable[[Sequence[Step]], Verdict],
        most: int | None,
    ) -> None:
        self._pool = list(candidates)
        self._estate = estate
        self._prove = prove
        self._most = most
        self._tries = _TRIES
        self._by_itself: dict[str, Verdict] = {}
        self.out: list[Refusal] = []
        self.found = self._fitting(self._pool)
        self.verdict = prove(self.found.steps)

    def drop_blamed(self) -> list[Refusal]:
        """Drop proposals that are to blame until what is left is proved; returns those that may be tried again."""
        suspects: list[Refusal] = []
        while not self.verdict.holds and self.found.steps:
            guilty = self._guilty_alone()
            gone = {each.candidate.id for each in guilty}
            # What is not certain may be gone with the guilty ones.
            rest = [
                each
                for each in self.verdict.violations
                if (each.certain or not guilty) and gone.isdisjoint(_ids(self.found, each))
            ]
            blamed = _blamed(self.found, rest, everybody=not guilty)
            gone.update(each.candidate.id for each in blamed)
            sure = _surely(gone, self.found, rest)
            self.out += [*guilty, *(each for each in blamed if each.candidate.id in sure)]
            suspects += [each for each in blamed if each.candidate.id not in sure]
            tried = {each.id for each in self.found.kept}
            self._pool = [candidate for candidate in self._pool if candidate.id not in gone]
            self.found = self._fitting(self._pool)
            self._drop_guilty_of([each for each in self.found.kept if each.id not in tried])
            self.verdict = self._prove(self.found.steps)
        return sorted(suspects, key=lambda each: each.candidate.order)

    def _drop_guilty_of(self, newcomers: Sequence[Candidate]) -> None:
        """Refuse those of some proposals that break something by themselves, before the next proof of all."""
        gone: set[str] = set()
        for candidate in newcomers[:_INNOCENT]:
            verdict = self._alone(candidate)
            if verdict is not None and not verdict.holds:
                gone.add(candidate.id)
                self.out.append(_refusal(candidate, _plainest(verdict)))
        if gone:
            self._pool = [candidate for candidate in self._pool if candidate.id not in gone]
            self.found = self._fitting(self._pool)

    def _guilty_alone(self) -> list[Refusal]:
        """Return refusals of proposals that break something by themselves, of those that may be to blame.

        Who is blamed for something certain that nobody else is blamed for goes in any case, with what others share.
        """
        owners = [_owners(self.found, each) for each in self.verdict.violations]
        violations = self.verdict.violations
        known = {own[0] for own, each in zip(owners, violations, strict=True) if len(own) == 1 and each.certain}
        shared = [each for each in owners if each and known.isdisjoint(each)]
        asked = Counter(place for each in shared for place in each)
        guilty: dict[int, Refusal] = {}
        innocent = 0
        # Those that are blamed most often are asked first, and of these what mends the less severe.
        for place, _ in sorted(asked.items(), key=lambda entry: (-entry[1], -entry[0])):
            if innocent >= _INNOCENT or all(not guilty.keys().isdisjoint(each) for each in shared):
                break
            if not any(place in each for each in shared if guilty.keys().isdisjoint(each)):
                continue
            candidate = self.found.kept[place]
            verdict = self._alone(candidate)
            if verdict is None or verdict.holds:
                innocent += 1
                continue
            guilty[place] = _refusal(candidate, _plainest(verdict))
        return [guilty[place] for place in sorted(guilty)]

    def _alone(self, candidate: Candidate) -> Verdict | None:
        """Return what is proved of one proposal by itself; None where that is too much to ask."""
        if candidate.id not in self._by_itself and len(self._by_itself) < _ALONE:
            self._by_itself[candidate.id] = self._prove(in_order((candidate,)))
        return self._by_itself.get(candidate.id)

    def try_again(self, suspects: Sequence[Refusal]) -> None:
        """Take up again what is proved beside the others, and refuse the rest."""
        if not suspects:
            return
        if self._tries <= 0:
            self.out += suspects
            return
        self._tries -= 1
        pool = sorted([*self._pool, *(each.candidate for each in suspects)], key=lambda each: each.order)
        found = self._fitting(pool)
        kept = {each.id for each in found.kept}
        if kept.isdisjoint(each.candidate.id for each in suspects):
            refused = {each.candidate.id for each in self.out}
            self.out += [each for each in suspects if each.candidate.id not in refused]
            return
        verdict = self._prove(found.steps)
        if verdict.holds:
            self._pool, self.found, self.verdict = pool, found, verdict
        elif len(suspects) == 1:
            self.out.append(_blames(suspects[0], found, verdict))
        else:
            for half in _halves(suspects):
                self.try_again(half)

    def _fitting(self, pool: list[Candidate]) -> _Round:
        return _fitting(pool, self._estate, self._most, self.out)


def _halves(suspects: Sequence[Refusal]) -> tuple[Sequence[Refusal], Sequence[Refusal]]:
    """Return the first half of some refusals and the rest; that all of them together are not proved is known."""
    middle = len(suspects) // 2
    return suspects[:middle], suspects[middle:]


def _blames(suspect: Refusal, again: _Round, verdict: Verdict) -> Refusal:
    """Return a refusal with what a proof shows of the proposal beside what is proved without it."""
    places = [place for place, each in enumerate(again.kept) if each.id == suspect.candidate.id]
    own = [
        violation
        for violation in verdict.violations
        if any(place in again.steps[step].owners for step in violation.steps for place in places)
    ]
    shown = min(own or verdict.violations, key=lambda violation: not violation.certain, default=None)
    return suspect if shown is None else _refusal(suspect.candidate, shown)


def _fitting(pool: list[Candidate], estate: Estate, most: int | None, out: list[Refusal]) -> _Round:
    """Return what of some proposals goes together, fits the estate, and is not too much.

    What does not fit the estate is taken out of the pool for good.
    """
    while True:
        within, over = _within(pool, most)
        chosen = together(within)
        steps = in_order(chosen.kept)
        misfit = first_misfit(estate, steps)
        if misfit is None:
            conflicts = [
                Refusal(
                    each.candidate,
                    "conflict",
                    f"{each.about} is changed by another proposal of this plan, which goes first "
                    f"({each.first.proposal.summary}): plan again when that is applied",
                )
                for each in chosen.conflicts
            ]
            return _Round(chosen.kept, steps, chosen.part_of, tuple(conflicts), tuple(over))
        owner = chosen.kept[steps[misfit.step].owners[-1]]
        out.append(Refusal(owner, "estate", f"its edits do not fit the estate: {misfit.reason}"))
        pool.remove(owner)


def _within(pool: Sequence[Candidate], most: int | None) -> tuple[list[Candidate], list[Candidate]]:
    """Return the proposals for which there is room, the first of them first, and the others."""
    if most is None:
        return list(pool), []
    counted: set[str] = set()
    within: list[Candidate] = []
    over: list[Candidate] = []
    for candidate in pool:
        # What two need counts once.
        more = counted | set(candidate.contents)
        if len(more) <= most:
            counted = more
            within.append(candidate)
        else:
            over.append(candidate)
    return within, over


def _plainest(verdict: Verdict) -> Violation | None:
    """Return what shows best why a proof does not hold: what is certain, where anything is."""
    return min(verdict.violations, key=lambda violation: not violation.certain, default=None)


def _owners(found: _Round, violation: Violation) -> tuple[int, ...]:
    """Return the places of the proposals that may be to blame for something, in order."""
    return tuple(sorted({place for step in violation.steps for place in found.steps[step].owners}))


def _ids(found: _Round, violation: Violation) -> set[str]:
    return {found.kept[place].id for place in _owners(found, violation)}


def _surely(gone: set[str], found: _Round, violations: Iterable[Violation]) -> set[str]:
    """Return those of the proposals that go without which something would be found as before.

    Of what is certain and nobody else who goes is blamed for, it is to blame as long as the others stay.
    """
    sure: set[str] = set()
    for violation in violations:
        going = _ids(found, violation) & gone
        if len(going) == 1 and violation.certain:
            sure |= going
    return sure


def _blamed(found: _Round, violations: Iterable[Violation], *, everybody: bool) -> list[Refusal]:
    """Return proposals one of which is to blame for each violation.

    Args:
        found: what was proved together.
        violations: what the proof found.
        everybody: all are to blame where it cannot tell whom.
    """
    blamed: defaultdict[tuple[int, ...], list[Violation]] = defaultdict(list)
    for violation in violations:
        blamed[_owners(found, violation)].append(violation)
    nobody = blamed.pop((), [])
    gone: set[int] = set()
    while left := [places for places in blamed if gone.isdisjoint(places)]:
        counts = Counter(place for places in left if len(places) <= _FEW for place in places)
        if not counts:
            # To drop one after the other would take a proof for each of them.
            gone.update(place for places in left for place in places)
            break
        # Of equally blamed ones the last goes: it mends what is less severe.
        gone.add(max(counts, key=lambda place: (counts[place], place)))
    every = range(len(found.kept)) if everybody else ()
    return [_refusal(found.kept[place], _shown(place, blamed, nobody)) for place in sorted(gone or every)]


def _shown(
    place: int, blamed: Mapping[tuple[int, ...], Sequence[Violation]], nobody: Sequence[Violation]
) -> Violation | None:
    """Return what shows best that a proposal is to blame: what the fewest others are blamed for, and is certain."""
    own = [
        (len(places), not each.certain, each) for places, found in blamed.items() if place in places for each in found
    ]
    if own:
        return min(own, key=lambda entry: entry[:2])[2]
    return nobody[0] if nobody else None


def _refusal(candidate: Candidate, violation: Violation | None) -> Refusal:
    if violation is None:
        return Refusal(candidate, "proof", "the proof does not hold, and nothing tells which change is to blame")
    return Refusal(candidate, "proof", violation.words, violation.witness)
