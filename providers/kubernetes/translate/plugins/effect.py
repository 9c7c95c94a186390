"""What the network plugin makes of the policies of a cluster.

Policies that it does not understand, or that nobody enforces, stay in the estate for whoever reports them, and decide
nothing. Where it cannot be told whether policies are enforced, what passes at the pods that they select is known at
most.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import Gap, matches
from cloudseg.model.selectors import required_label
from cloudseg.providers.kubernetes.kinds import decides_traffic
from cloudseg.providers.kubernetes.translate.objects import PROVIDER
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, MUTUAL_TLS_STAGE
from cloudseg.providers.kubernetes.translate.plugins.plugin import UNENFORCED_STAGE, is_policy
from cloudseg.providers.kubernetes.translate.plugins.uncovered import uncovered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cloudseg.model import Interface
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.plugins.plugin import Plugin

    Evaluator = Callable[[Sequence[Object], Draft], None]

__all__ = ["Sorted", "add_idle", "settle", "sorted_out"]

_NOT_BY_PLUGIN: Final = frozenset((MESH_STAGE, MUTUAL_TLS_STAGE, UNENFORCED_STAGE))


class Sorted(NamedTuple):
    """The objects of a cluster by whether its network plugin understands them.

    Attributes:
        judged: those that count, and everything that is no policy.
        doubtful: policies of which it is not known whether it understands them.
        idle: policies that mean nothing to it, with everything that is no policy; nothing without such policies.
    """

    judged: list[Object]
    doubtful: list[Object]
    idle: list[Object]


def sorted_out(objects: Iterable[Object], plugin: Plugin, draft: Draft) -> Sorted:
    """Return the objects of a cluster by whether its network plugin understands them, and note those that are idle."""
    found = Sorted([], [], [])
    without: Counter[tuple[str, str]] = Counter()
    for item in objects:
        if not is_policy(item):
            found.judged.append(item)
            found.idle.append(item)
            continue
        understood = plugin.understands(item)
        if understood:
            found.judged.append(item)
        elif understood is None:
            found.doubtful.append(item)
        else:
            without[item.group, item.kind] += decides_traffic(item.group, item.kind)
        if understood is False:
            found.idle.append(item)
    if not any(without.values()):
        found.idle.clear()
    for (group, kind), number in sorted(without.items()):
        if number:
            words = f"{number:,} {kind} ({group}) {'has' if number == 1 else 'have'} no effect"
            them = "it" if number == 1 else "them"
            draft.ledger.notes.append(f"cluster {draft.cluster}: {words}: {plugin.name} does not enforce {them}")
    for group, kind in sorted({(item.group, item.kind) for item in found.doubtful}):
        words = f"whether {plugin.name or 'the network plugin'} understands {kind} ({group}) is not known"
        draft.ledger.notes.append(f"cluster {draft.cluster}: {words}: what it selects is known at most")
    return found


def add_idle(idle: Sequence[Object], evaluators: Iterable[Evaluator], draft: Draft) -> None:
    """Add the lists of policies that mean nothing to the network plugin, at a stage that no packet meets."""
    aside = draft.aside()
    for add in evaluators:
        add(idle, aside)
    for identifier, rule_set in aside.rule_sets.items():
        if identifier not in draft.rule_sets and rule_set.stage not in _NOT_BY_PLUGIN:
            draft.rule_sets[identifier] = msgspec.structs.replace(rule_set, stage=UNENFORCED_STAGE)
    draft.groups |= {identifier: group for identifier, group in aside.groups.items() if identifier not in draft.groups}


def settle(objects: Sequence[Object], plugin: Plugin, draft: Draft) -> None:
    """Note what the network plugin is, and leave open what passes where it cannot be told what it does.

    To be called when all lists are in the draft.
    """
    if plugin.evidence or plugin.name:
        does = "enforces" if plugin.enforces else "does not enforce" if plugin.enforces is False else "may enforce"
        evidence = "; ".join(plugin.evidence)
        draft.ledger.notes.append(f"cluster {draft.cluster}: {plugin.name} {does} NetworkPolicies ({evidence})")
    if plugin.enforces is None:
        detail = (
            f"whether NetworkPolicies are enforced is not known, since {plugin.doubt}: what passes at the pods that "
            "policies select is known at most. Read the daemon sets and config maps of the network plugin as well, or "
            "try a connection that a policy forbids"
        )
        if _leave_open(draft):
            _gap(draft, detail)
    elif plugin.doubt and not plugin.assumed:
        draft.ledger.notes.append(f"cluster {draft.cluster}: {plugin.doubt}")
    if plugin.unreached:
        draft.ledger.notes.append(f"cluster {draft.cluster}: {plugin.unreached.words}: others may enforce no policies")
    if plugin.closed:
        _gap(draft, f"{plugin.name} is set to deny what no policy admits: at pods without policies nothing is certain")
        draft.bound(None)
    if plugin.enforces is not False:
        for interface, item, reason in uncovered(objects, plugin, draft):
            draft.ledger.gap(item, "unsupported", f"{reason}: policies may not filter it", "interfaces")
            draft.interfaces[interface] = msgspec.structs.replace(draft.interfaces[interface], attached_unread=True)


def _leave_open(draft: Draft) -> bool:
    """Mark the pods that lists of the network plugin select, and tell whether there are such lists."""
    by_label: defaultdict[tuple[str, str], list[Interface]] = defaultdict(list)
    for interface in draft.interfaces.values():
        for label in interface.labels.items():
            by_label[label].append(interface)
    chosen: set[str] = set()
    lists = [rule_set for rule_set in draft.rule_sets.values() if rule_set.stage not in _NOT_BY_PLUGIN]
    for rule_set in lists:
        asked = required_label(rule_set.applies)
        candidates = draft.interfaces.values() if asked is None else by_label.get(asked, ())
        chosen |= {interface.id for interface in candidates if matches(rule_set.applies, interface)}
    for identifier in chosen:
        draft.interfaces[identifier] = msgspec.structs.replace(draft.interfaces[identifier], attached_unread=True)
    return bool(lists)


def _gap(draft: Draft, detail: str) -> None:
    draft.ledger.gaps.append(
        Gap(PROVIDER, draft.cluster, "global", "network-plugin", "", "unsupported", detail, ("groups",))
    )
