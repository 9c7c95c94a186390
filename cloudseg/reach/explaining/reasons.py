"""The rules that decide at a stage, and the reason in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reach.explaining.rules import would_match
from cloudseg.reach.explaining.words import default_ref, labels, peers_text, rule_name, rule_ref
from cloudseg.reach.screens import SCREEN, UNNAMED

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from cloudseg.reach.explaining.explanation import Outcome, RuleRef
    from cloudseg.reach.explaining.rules import Judged, Lists, Other
    from cloudseg.traffic import Traffic

__all__ = ["reason_of", "refs_of"]


def refs_of(lists: Lists, found: Judged, verdict: Outcome, denied: Traffic, estate: Estate) -> tuple[RuleRef, ...]:
    """Return the rules that decide: those that admit what passes, or those that deny what does not.

    Args:
        lists: the lists.
        found: what they do.
        verdict: what becomes of the packets.
        denied: what certainly does not pass.
        estate: the estate.
    """
    admitting = tuple(rule_ref(hit.rule_set, hit.rule, estate) for hit in found.admitting)
    denying = tuple(rule_ref(hit.rule_set, hit.rule, estate) for hit in found.denying)
    if verdict != "blocks":
        return (*admitting, *(denying if verdict != "passes" else ()))
    default = tuple(default_ref(each, lists.stage, lists.direction) for each in lists.judges)
    return (*denying, *(default if _by_default(found, denied) else ()))


def _by_default(found: Judged, denied: Traffic) -> Traffic:
    """Return what no rule denies although it does not pass."""
    for hit in found.denying:
        denied -= hit.traffic
    return denied


def reason_of(
    lists: Lists,
    found: Judged,
    verdict: Outcome,
    bounds: tuple[Traffic, Traffic, Traffic],
    to: tuple[Other, str],
    estate: Estate,
) -> str:
    """Return why not everything passes, in words; empty where it does.

    Args:
        lists: the lists.
        found: what they do.
        verdict: what becomes of the packets.
        bounds: what certainly passes, what passes at most, and the packets.
        to: the other end, and the same in words.
        estate: the estate.
    """
    lower, upper, packets = bounds
    if verdict == "passes":
        return ""
    if verdict != "blocks":
        return "; ".join(found.doubts) if lower != upper else f"only {lower} is admitted"
    other, who = to
    preposition = "from" if lists.direction == "ingress" else "to"
    if lists.stage.match == "any":
        a_list = lists.judges[0].kind.replace("-", " ") if lists.judges else "list"
        reason = f"no rule of {labels(lists.judges)} admits {packets} {preposition} {who}"
        return f"{reason} (a {a_list} denies what it does not allow){_hint(lists, other, packets, estate)}"
    texts = [
        f"no rule of the firewall {hit.rule_set.label} allows {hit.traffic} {preposition} {who}"
        if lists.stage.name.startswith(SCREEN) and hit.rule.id == UNNAMED
        else f"{rule_name(lists.stage, hit.rule_set, hit.rule)} denies {hit.traffic} {preposition} "
        f"{peers_text(hit.rule.remote, estate)}"
        for hit in found.denying
    ]
    if rest := _by_default(found, packets - upper):
        texts.append(f"default entry * of {labels(lists.judges)} denies {rest} {preposition} {who}")
    return "; ".join(texts)


def _hint(lists: Lists, other: Other, packets: Traffic, estate: Estate) -> str:
    """Return what a person may have expected to help, and why it does not."""
    names = [hit.rule.id for hit in would_match(lists, other, packets, estate)]
    if not names:
        return ""
    return f"; {', '.join(names)} names a group, and groups match nobody on this way"
