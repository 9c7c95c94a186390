"""What nobody knows, as questions with two answers: a decision is certain when it is the same under all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.azure.oracle_records import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["World", "in_every_world"]

_MOST = 1024


class _Open(Exception):  # noqa: N818 - a question is no error
    def __init__(self, question: str) -> None:
        super().__init__(question)
        self.question = question


class World:
    """One set of answers to what the documentation leaves open, or to what was not read."""

    def __init__(self, answers: Mapping[str, bool]) -> None:
        self._answers = answers

    def holds(self, question: str) -> bool:
        """Whether something unknown holds in this world: always the same answer to the same question."""
        if question not in self._answers:
            raise _Open(question)
        return self._answers[question]


def in_every_world(decide: Callable[[World], Decision]) -> Decision:
    """Decide in all worlds; where they differ, the decision is undefined, and by the questions that made them."""
    waiting: list[dict[str, bool]] = [{}]
    found: list[Decision] = []
    asked: dict[str, None] = {}
    while waiting:
        answers = waiting.pop()
        try:
            found.append(decide(World(answers)))
        except _Open as question:
            asked[question.question] = None
            waiting += [{**answers, question.question: held} for held in (False, True)]
        if len(found) > _MOST:
            raise ValueError(f"too many open questions: {sorted(asked)}")
    verdicts = {each.verdict for each in found}
    if verdicts == {"blocked", "undefined"}:
        # In no world does it pass: what leaves it open is what does so in one of them.
        return Decision("undefined", "; ".join(dict.fromkeys(each.by for each in found if each.verdict == "undefined")))
    return found[0] if len(verdicts) == 1 else Decision("undefined", "; ".join(asked))
