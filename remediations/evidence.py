"""Whether what was not seen of a rule's use is known not to be needed: only then may the rule be narrowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Interface, RuleSet
    from cloudseg.observed.observed import Observed

__all__ = ["MINIMUM_DAYS", "Evidence", "evidence_of"]

MINIMUM_DAYS: Final = 7
"""Windows of fewer days narrow nothing: what happens once a week would be lost."""


class Evidence(NamedTuple):
    """Whether a rule may be narrowed to what is known to be needed.

    Attributes:
        complete: nothing else is needed, as far as logs and intent tell.
        reason: why not, in words; empty where it is complete.
        window: what the conversations rest on, in words; empty without conversations.
        intended: an intent says what is needed, whatever was logged.
    """

    complete: bool
    reason: str = ""
    window: str = ""
    intended: bool = False


def evidence_of(
    judged: Sequence[Interface], rule_set: RuleSet, observed: Observed | None, matrix: IntentMatrix | None
) -> Evidence:
    """Return whether a rule may be narrowed to what was seen and is intended.

    An intent names everything that may be opened, so that it is enough by itself. Conversations are enough where all
    that the rule judges had its traffic logged over a window of some days.

    Args:
        judged: whom the rule judges.
        rule_set: its list.
        observed: observed conversations; None where none were given.
        matrix: the intent; None where nobody wrote it down.
    """
    window = "" if observed is None else observed.logged.window
    if matrix is not None:
        return Evidence(complete=True, window=window, intended=True)
    if observed is None:
        return Evidence(complete=False, reason="no flow logs and no intent were given")
    logged = observed.logged
    if logged.days < MINIMUM_DAYS:
        days = f"{logged.days} day{'' if logged.days == 1 else 's'}"
        return Evidence(complete=False, reason=f"the flow logs cover {days}, of {MINIMUM_DAYS} at least", window=window)
    if not judged:
        return Evidence(
            complete=False, reason="nobody is judged by the rule, so that no log can show its use", window=window
        )
    sampled = logged.sampled(rule_set.provider)
    if sampled:
        return Evidence(complete=False, reason=sampled, window=window)
    for interface in judged:
        if gap := logged.gap(interface, rule_set.provider):
            return Evidence(
                complete=False, reason=f"not all that {interface.label} did was logged: {gap}", window=window
            )
    return Evidence(complete=True, window=window)
