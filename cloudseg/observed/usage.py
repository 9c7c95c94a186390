"""Which rules observed conversations use, and which conversations no rule of today lets through.

Worked out once for ends and traffic that no rule tells apart. Every rule that may have carried a conversation counts as
used by it: of lists that add up all that match, of ordered ones the first that decides, of ends that are not known
every rule that could have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cloudseg.observed.rule_keys import RuleKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Rule, RuleSet
    from cloudseg.observed.columns_of import Numbers
    from cloudseg.observed.join import Joined

__all__ = ["Kinds", "Tried", "Usage", "Use", "Uses"]


class Use(NamedTuple):
    """What is known of the use of a rule.

    Attributes:
        conversations: how many conversations it may have carried.
        certain: how many of them have two known ends and a known initiator.
        connections: how often these were opened; 0 where only the middle of connections was seen.
        last_seen: when the last of them was last seen, seconds since 1970.
        addresses: how many addresses the other ends of these have.
        ports: how many ports were asked for, and of protocols without ports the protocols.
        replies_only: it let answers through and no request.
    """

    conversations: int
    certain: int
    connections: int
    last_seen: int
    addresses: int
    ports: int
    replies_only: bool


class Kinds(NamedTuple):
    """Conversations that rules treat alike, by number.

    Attributes:
        of_row: the number of each conversation's kind; -1 where it was refused.
        first: the first conversation of each kind.
    """

    of_row: Numbers
    first: Numbers


class Uses(NamedTuple):
    """Kinds of conversations by the rules that may have carried them.

    Attributes:
        forward: from the initiator to the responder.
        backward: of conversations whose initiator is not known, the other way round.
        replying: those whose answers a rule of a stateless list may have let through.
    """

    forward: Mapping[RuleKey, Sequence[int]]
    backward: Mapping[RuleKey, Sequence[int]]
    replying: Mapping[RuleKey, Sequence[int]]


class Tried(NamedTuple):
    """Attempts that a rule lets through as it is today, and that were refused all the same.

    Attributes:
        attempts: how many they were.
        passes: some of them pass at both ends today, so that the rule may be younger than they are.
    """

    attempts: int
    passes: bool


def _nobody(_rule_set: RuleSet, _rule: Rule) -> bool:
    return False


class Usage:
    """Which rules were used, by what.

    Args:
        joined: the conversations and their ends.
        kinds: conversations that rules treat alike.
        uses: which rules may have carried which of these.
        uncarried: the kinds that no rule of today lets through.
        sides: of the kinds whose initiator is not known those that rules let through as they stand alone, and those
            that they let through the other way round alone.
        tried: the rules that would have let refused conversations through, at one end or at both.
        named: tells whether a log names a rule as what let a conversation through.

    Attributes:
        accepted: how many conversations were accepted.
        unplaced: how many of them have an end that is not known, or an unknown initiator.
        not_carried: conversations that were accepted and that the rules of today do not let through, by their places.
        as_logged: conversations with an unknown initiator that rules let through as they stand alone, by their places.
        turned: those that rules let through the other way round alone.
    """

    def __init__(
        self,
        joined: Joined,
        kinds: Kinds,
        uses: Uses,
        uncarried: Sequence[int],
        sides: tuple[Sequence[int], Sequence[int]],
        *,
        tried: Mapping[RuleKey, Tried] | None = None,
        named: Callable[[RuleSet, Rule], bool] = _nobody,
    ) -> None:
        self._joined = joined
        self._tried, self._named = tried or {}, named
        self._forward, self._backward, self._replying = uses
        order = np.argsort(kinds.of_row, kind="stable")
        self._rows = order[np.searchsorted(kinds.of_row[order], 0) :]
        self._starts = np.searchsorted(kinds.of_row[self._rows], np.arange(len(kinds.first) + 1))
        self._certain = _certain(joined)
        self.accepted = len(self._rows)
        self.unplaced = int(np.count_nonzero(~self._certain[self._rows]))
        self.not_carried = np.sort(self._of_kinds(uncarried))
        self.as_logged, self.turned = (np.sort(self._of_kinds(each)) for each in sides)

    def of(self, rule_set: RuleSet, rule: Rule) -> Use | None:
        """Return how a rule was used; None where no conversation can have used it."""
        key = RuleKey(rule_set.id, rule.direction, rule.id)
        forward = self._of_kinds(self._forward.get(key, ()))
        backward = self._of_kinds(self._backward.get(key, ()))
        rows = np.union1d(forward, backward)
        replies_only = not len(rows)
        if replies_only:
            rows = self._of_kinds(self._replying.get(key, ()))
            if not len(rows):
                return None
        inward = rule.direction == "ingress"
        own, turned = (forward, backward) if not replies_only else (rows, rows[:0])
        addresses = {
            *self._addresses(own, initiators=inward != replies_only),
            *self._addresses(turned, initiators=not inward),
        }
        ports = {*self._ports(own, "port"), *self._ports(turned, "initiator_port")}
        table = self._joined.conversations
        return Use(
            conversations=len(rows),
            certain=int(np.count_nonzero(self._certain[rows])),
            connections=int(table.column("connections")[rows].sum()),
            last_seen=int(table.column("last_seen")[rows].max().astype("datetime64[s]").astype(np.int64)),
            addresses=len(addresses),
            ports=len(ports),
            replies_only=replies_only,
        )

    def rows_of(self, rule_set: RuleSet, rule: Rule) -> Numbers:
        """Return the conversations of which a rule may have let requests through, by their places."""
        key = RuleKey(rule_set.id, rule.direction, rule.id)
        forward = self._of_kinds(self._forward.get(key, ()))
        return np.union1d(forward, self._of_kinds(self._backward.get(key, ())))

    def used(self, rule_set: RuleSet, rule: Rule) -> bool:
        """Tell whether any conversation can have used a rule, or a log says that one did."""
        key = RuleKey(rule_set.id, rule.direction, rule.id)
        carried = key in self._forward or key in self._backward or key in self._replying
        return carried or self._named(rule_set, rule)

    def tried(self, rule_set: RuleSet, rule: Rule) -> Tried | None:
        """Return the refused attempts that a rule lets through as it is today; None where there were none.

        They were refused at the other end, by another list, or before the rule was made.
        """
        return self._tried.get(RuleKey(rule_set.id, rule.direction, rule.id))

    def _of_kinds(self, kinds: Sequence[int]) -> Numbers:
        """Return the places of the conversations of some kinds."""
        parts = [self._rows[self._starts[kind] : self._starts[kind + 1]] for kind in kinds]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def _addresses(self, rows: Numbers, *, initiators: bool) -> set[str]:
        ends = self._joined.initiators if initiators else self._joined.responders
        numbers: list[int] = np.unique(ends[rows]).tolist()
        return {self._joined.ends[number].address for number in numbers}

    def _ports(self, rows: Numbers, column: str) -> set[tuple[int, Any]]:
        table = self._joined.conversations
        return set(zip(table.column("protocol")[rows].tolist(), table.column(column)[rows].tolist(), strict=True))


def _certain(joined: Joined) -> NDArray[np.bool_]:
    """Return for each conversation whether both ends are known, and who opened it."""
    known = np.array([end.known for end in joined.ends] or [True], dtype=np.bool_)
    opened = joined.conversations.column("evidence") != "unknown"
    certain: NDArray[np.bool_] = known[joined.initiators] & known[joined.responders] & opened
    return certain
