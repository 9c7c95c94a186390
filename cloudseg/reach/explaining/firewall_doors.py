"""Rules of firewalls that lead public addresses to private ones, as steps of a way and as what would have to go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.reach.explaining.explanation import Cut, RuleRef

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from cloudseg.reach.explaining.choice import Found

__all__ = ["door_cuts", "door_refs"]

_KIND: Final = "firewall-nat-rule"


def door_refs(name: str, estate: Estate) -> tuple[RuleRef, ...]:
    """Return the reference to the rule of a firewall that an entrance stands for; none for other entrances."""
    entrance = estate.entrances.get(name)
    firewall = None if entrance is None else estate.firewalls.get(name.partition("/natrules/")[0])
    if entrance is None or firewall is None or entrance.kind != _KIND:
        return ()
    heard = entrance.traffic if entrance.listens is None else entrance.listens
    text = f"DNAT {heard} of {entrance.addresses or 'its addresses'} as {entrance.traffic}"
    return (RuleRef(rule_set=firewall.id, rule=entrance.name, label=firewall.label, verdict="accept", text=text),)


def door_cuts(found: Found, estate: Estate) -> tuple[Cut, ...]:
    """Return the rules of firewalls without which nothing would pass: those by which every way leads."""
    doors = [walk.links[0] for walk in found.looked if walk.upper and walk.links]
    if not doors or not found.complete or not all(link.kind == "way-in" and link.rules for link in doors):
        return ()
    rules = tuple(dict.fromkeys(rule for link in doors for rule in link.rules))
    if not all(rule.rule_set in estate.firewalls for rule in rules):
        return ()
    names = ", ".join(dict.fromkeys(rule.label for rule in rules))
    return (Cut(direction="ingress", place=rules[0].rule_set, text=f"DNAT rules of the firewall {names}", rules=rules),)
