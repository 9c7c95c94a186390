"""The fewest groups that name everybody who needs a rule and nobody whom it does not admit already.

Weighted set cover: a group costs one, more where it is somebody else's to keep, and a little for every member that does
not need the rule. Of few candidates the cheapest choice is found exactly, of many greedily.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.model import unplaced
from cloudseg.remediations.interface import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.checks.group_cover import Kinds
    from cloudseg.model import Estate, Group

__all__ = ["Candidate", "Carried", "Cover", "candidates", "choose", "cover"]

_EXACT: Final = 14
"""Of so many candidates every choice is looked at."""
_TOLD: Final = 12
"""So many groups are told of that were looked at and not taken."""
_SHOWN: Final = 3
_SECOND: Final = 3.0
"""What a group costs that the provider made or a controller owns: who keeps it may change what it means."""
_EXCESS: Final = 0.001
_DEFAULT_ACCOUNT: Final = "-compute@developer.gserviceaccount.com"
"""Source: https://cloud.google.com/compute/docs/access/service-accounts#default_service_account"""


class Candidate(NamedTuple):
    """A group that could stand in a rule.

    Attributes:
        id: its qualified id.
        label: what people call it.
        names: those of its members who need the rule.
        adds: labels of members whom the rule does not admit today, in words; empty for nobody.
        excess: how many of its members do not need the rule.
        second: why it is taken only where no other does; empty for a group of the user's own.
        weight: what it costs by itself: what says less about its members costs more.
    """

    id: str
    label: str
    names: frozenset[str]
    adds: tuple[str, ...] = ()
    excess: int = 0
    second: str = ""
    weight: float = 1.0

    @property
    def cost(self) -> float:
        """What it costs to name it."""
        return (_SECOND if self.second else self.weight) + _EXCESS * min(self.excess, 500)


class Cover(NamedTuple):
    """A choice of groups.

    Attributes:
        chosen: the groups, in order of their ids.
        uncovered: qualified ids of those whom none of them names.
        considered: what was looked at, the chosen ones first.
    """

    chosen: tuple[Candidate, ...]
    uncovered: tuple[str, ...]
    considered: tuple[Choice, ...]


class Carried:
    """Which groups interfaces belong to; of a group in parts only the parts, which are what rules name.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        whole = {unplaced(name) for name in estate.groups if unplaced(name) != name}
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(estate.groups):
            for member in () if name in whole else estate.members(name):
                found[member.id].append(name)
        self._groups = dict(found)

    def by(self, interfaces: Iterable[str]) -> list[str]:
        """Return the groups of which any of some interfaces is a member, in order of their ids."""
        return sorted({group for name in interfaces for group in self._groups.get(name, ())})


def candidates(
    carried: Carried,
    needed: frozenset[str],
    admitted: frozenset[str],
    kinds: Kinds,
    usable: Iterable[str] | None = None,
) -> tuple[Candidate, ...]:
    """Return the groups that some of those carry who need a rule.

    Args:
        carried: who belongs to which group.
        needed: qualified ids of those who need the rule.
        admitted: ids of those for whom it changes nothing to be named.
        kinds: the kinds of groups that the rule can name; None for all.
        usable: ids of the networks of groups that it can name; None for all of them.
    """
    networks, estate = None if usable is None else frozenset(usable), carried.estate
    found: list[Candidate] = []
    for name in carried.by(needed):
        group = estate.groups[name]
        if kinds is not None and group.kind not in kinds:
            continue
        if networks is not None and group.networks and networks.isdisjoint(group.networks):
            continue
        members = estate.members(name)
        added = [member for member in members if member.id not in admitted]
        names = frozenset(member.id for member in members) & needed
        found.append(
            Candidate(
                id=name,
                label=group.label,
                names=names,
                adds=(f"{counted(len(added), 'interface')}: {shown_labels(added, _SHOWN)}",) if added else (),
                excess=len(members) - len(names),
                second=_second(group),
            )
        )
    return tuple(found)


def _second(group: Group) -> str:
    if group.is_default:
        return "it is the default group, which everything gets that names no other"
    if group.name.endswith(_DEFAULT_ACCOUNT) or group.id.endswith(_DEFAULT_ACCOUNT):
        return "it is the default service account, which every instance gets that names no other"
    return f"{group.managed_by} keeps it and may change who is in it" if group.managed_by else ""


def cover(
    carried: Carried,
    needed: frozenset[str],
    admitted: frozenset[str],
    kinds: Kinds,
    usable: Iterable[str] | None = None,
) -> Cover:
    """Return the fewest groups that name those who need a rule, and nobody whom it does not admit already.

    Args:
        carried: who belongs to which group.
        needed: qualified ids of those who need the rule.
        admitted: ids of those for whom it changes nothing to be named: the rule admits them, or they open nothing.
        kinds: the kinds of groups that the rule can name; None for all.
        usable: ids of the networks of groups that it can name; None for all of them.
    """
    return choose(candidates(carried, needed, admitted, kinds, usable), needed, carried.estate)


def choose(found: tuple[Candidate, ...], needed: frozenset[str], estate: Estate) -> Cover:
    """Return the cheapest choice of some candidates, and why the others were not taken."""
    able = [each for each in found if not each.adds and each.names]
    reachable = frozenset[str]().union(*(each.names for each in able))
    wanted = needed & reachable
    useful = _without_dominated(able, wanted)
    taken = _exact(useful, wanted) if len(useful) <= _EXACT else _greedy(useful, wanted)
    chosen = tuple(sorted(taken, key=lambda each: each.id))
    uncovered = tuple(sorted(needed - reachable))
    names = {each.id for each in chosen}
    others = [each for each in found if each.id not in names]
    others.sort(key=lambda each: (-len(each.names), each.id))
    considered = [_told(each, needed, estate, chosen=True) for each in chosen]
    considered += [_told(each, needed, estate, chosen=False) for each in others[:_TOLD]]
    return Cover(chosen, uncovered, tuple(considered))


def _without_dominated(able: list[Candidate], wanted: frozenset[str]) -> list[Candidate]:
    """Return the candidates without those of which another one names as many for no more."""
    kept: list[Candidate] = []
    for each in sorted(able, key=lambda one: (-len(one.names & wanted), one.cost, one.id)):
        if not any(each.names & wanted <= other.names and other.cost <= each.cost for other in kept):
            kept.append(each)
    return kept


def _exact(useful: list[Candidate], wanted: frozenset[str]) -> list[Candidate]:
    """Return the cheapest choice that names everybody; of equal ones the first by id."""
    best: tuple[float, tuple[str, ...], list[Candidate]] | None = None
    by_member: dict[str, list[Candidate]] = {
        member: sorted((each for each in useful if member in each.names), key=lambda each: (each.cost, each.id))
        for member in wanted
    }

    def extend(taken: list[Candidate], left: frozenset[str], cost: float) -> None:
        nonlocal best
        if best is not None and cost > best[0]:
            return
        if not left:
            told = (cost, tuple(sorted(each.id for each in taken)), list(taken))
            best = told if best is None or told[:2] < best[:2] else best
            return
        # Whoever fewest groups name is decided first.
        member = min(left, key=lambda name: (len(by_member[name]), name))
        for each in by_member[member]:
            taken.append(each)
            extend(taken, left - each.names, cost + each.cost)
            taken.pop()

    extend([], wanted, 0.0)
    return [] if best is None else best[2]


def _greedy(useful: list[Candidate], wanted: frozenset[str]) -> list[Candidate]:
    """Return a choice that names everybody: again and again the group that names most of the rest for its cost."""
    taken: list[Candidate] = []
    left = wanted
    while left:
        best = min(useful, key=lambda each: (-len(each.names & left) / each.cost, each.id))
        taken.append(best)
        left -= best.names
    # What was taken early may be named by the later ones together.
    for each in sorted(taken, key=lambda one: (-one.cost, one.id)):
        rest = frozenset[str]().union(*(other.names for other in taken if other.id != each.id))
        if each.names & wanted <= rest:
            taken = [other for other in taken if other.id != each.id]
    return taken


def _told(each: Candidate, needed: frozenset[str], estate: Estate, *, chosen: bool) -> Choice:
    left_out = needed - each.names
    misses = (f"{counted(len(left_out), 'interface')}: {_labels(left_out, estate)}",) if left_out else ()
    return Choice(name=each.label, chosen=chosen, adds=each.adds, misses=misses, reason=_reason(each, chosen=chosen))


def _reason(each: Candidate, *, chosen: bool) -> str:
    named = counted(len(each.names), "interface")
    if chosen:
        more = f", and {each.excess} more who are admitted today" if each.excess else ""
        return f"it names {named} of those who need the rule{more}, and adds nobody"
    if each.adds:
        return "it has members whom the rule does not admit today"
    if each.second:
        return f"it adds nobody, but {each.second}"
    return f"it adds nobody, but the chosen groups name the {named} of it as well"


def _labels(names: Iterable[str], estate: Estate) -> str:
    return shown_labels([estate.interfaces[name] for name in sorted(names)], _SHOWN)
