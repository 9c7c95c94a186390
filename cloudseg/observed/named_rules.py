"""Rules that a log itself names as what let a conversation through: these are in use, whatever else is known of them.

Azure's flow logs name the rule of the NSG that decided, with the id of the NSG or of its access list; Google Cloud's
firewall rules logging names the firewall rule. Sources:
https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview and
https://cloud.google.com/firewall/docs/firewall-rules-logging
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cloudseg.model import Rule, RuleSet
    from cloudseg.observed.observations import Columns

__all__ = ["NamedRules"]

_RESOURCE: Final = "/subscriptions/"
_KINDS: Final = ("userrule_", "defaultrule_", "firewall:")
"""What stands before the name of a rule."""


class NamedRules:
    """Looks up rules by the names that logs have for them.

    Args:
        table: the conversations.
    """

    def __init__(self, table: Columns) -> None:
        told: set[tuple[str, str]] = set()
        columns = (table.column(name).tolist() for name in ("provider", "verdict", "rules"))
        for provider, verdict, rules in zip(*columns, strict=True):
            if verdict != "refused" and rules:
                told.update((str(provider), str(rule).lower()) for rule in rules)
        self._lists: dict[tuple[str, str], set[str]] = {}
        for provider, text in told:
            where, _, last = text.rpartition("/")
            kind = next((each for each in _KINDS if last.startswith(each)), "")
            if kind:
                # An access list has a number that nothing else bears: its rules are known by name alone.
                place = where if where.startswith(_RESOURCE) else ""
                self._lists.setdefault((provider, last.removeprefix(kind)), set()).add(place)

    def __call__(self, rule_set: RuleSet, rule: Rule) -> bool:
        """Tell whether a log names a rule, or may mean it."""
        if not self._lists:
            return False
        own = {rule.id.lower().rpartition("/")[2], (rule.resource or "").lower().rpartition("/")[2]} - {""}
        found = [place for name in own for place in self._lists.get((rule_set.provider, name), ())]
        return any(not place or rule_set.own_id.lower().startswith(place) for place in found)
