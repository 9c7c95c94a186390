"""What people should know who ask whether addresses outside reach something that stands behind load balancers.

A client comes to a target in two steps. Where the load balancer keeps its clients' addresses, the target is reached
from outside; where it does not, only the load balancer's own connections arrive there, and "nothing passes" from
outside would mislead without a word about them. Source:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
"""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import shown_id
from cloudseg.reach.explaining.words import called
from cloudseg.reach.handovers import handovers_to
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST, NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Entrance, Estate, Forward, Forwarder, Interface
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import AddressSet

__all__ = ["Behind", "balancers_before", "handed_on_notes"]

_SHOWN: Final = 5
_NAMED: Final = 3


class Behind(NamedTuple):
    """What a load balancer hands on to some interfaces.

    Attributes:
        forwarder: the load balancer.
        forward: what it takes, as what it hands that on, and whose address the targets see.
        nodes: its interfaces that do.
        targets: the interfaces.
    """

    forwarder: Forwarder
    forward: Forward
    nodes: tuple[Interface, ...]
    targets: tuple[Interface, ...]


def balancers_before(targets: Iterable[str], estate: Estate) -> tuple[Behind, ...]:
    """Return what load balancers hand on to some interfaces, by their qualified ids; unknown ones have none."""
    nodes: defaultdict[tuple[str, int], dict[str, Interface]] = defaultdict(dict)
    takers: defaultdict[tuple[str, int], dict[str, Interface]] = defaultdict(dict)
    known: dict[tuple[str, int], tuple[Forwarder, Forward]] = {}
    for target in (estate.interfaces[name] for name in targets if name in estate.interfaces):
        for forwarder, each in handovers_to(target, estate):
            # Two of its forwards may be equal but for their targets, so that each counts by itself.
            key = (forwarder.id, id(each.forward))
            if each.node is not None and each.forward.traffic:
                known[key] = forwarder, each.forward
                nodes[key][each.node.id] = each.node
                takers[key][target.id] = target
    return tuple(Behind(*known[key], tuple(nodes[key].values()), tuple(takers[key].values())) for key in known)


def handed_on_notes(reach: Reachability, source: AddressSet, targets: Sequence[str]) -> tuple[str, ...]:
    """Return for each load balancer before some interfaces what addresses outside reach through it, in words.

    So it is with other entrances that may show their own addresses.

    Args:
        reach: reachability of the estate.
        source: the addresses outside.
        targets: qualified ids of the interfaces.
    """
    found = balancers_before(targets, reach.estate)
    notes = list(dict.fromkeys(_note(reach, source, behind) for behind in found[:_SHOWN]))
    if len(found) > _SHOWN:
        notes.append(f"{len(found) - _SHOWN:,} more target groups of load balancers lead to these ends")
    return (*notes, *_hidden(reach, source, targets))


def _hidden(reach: Reachability, source: AddressSet, targets: Sequence[str]) -> Iterator[str]:
    """Yield what leads from addresses outside to some interfaces and may show itself in their place.

    What arrives in that way is judged by an address that was not read, or by none.
    """
    estate = reach.estate
    led: defaultdict[str, list[Interface]] = defaultdict(list)
    for target in (estate.interfaces[name] for name in targets if name in estate.interfaces):
        for entrance in estate.entrances_to(target):
            hides = entrance.active is not False and not entrance.through and not entrance.certain_clients
            if hides and entrance.senders.overlaps(source & GLOBAL_UNICAST):
                led[entrance.id].append(target)
    found: list[tuple[Entrance, tuple[Interface, ...]]] = []
    for name, taken in led.items():
        entrance = estate.entrances[name]
        # What may pass under the client's own address is part of the answer.
        missed = tuple(each for each in taken if not entrance.traffic <= reach.delivered(source, each.id).upper)
        if missed:
            found.append((entrance, missed))
    for entrance, missed in found[:_SHOWN]:
        heard = "" if entrance.listens is None else f"{entrance.listens} as "
        doubt = entrance.doubt or "its targets may see another address than the client's"
        yield (
            f"{called(entrance.id, entrance)} leads {heard}{entrance.traffic} on to {_names(missed)} from there; "
            f"{doubt}: what is let in from such an address arrives too, and is not part of this answer"
        )
    if len(found) > _SHOWN:
        yield f"{len(found) - _SHOWN:,} more ways lead from there to these ends and may hide who sends"


def _note(reach: Reachability, source: AddressSet, behind: Behind) -> str:
    name, forward = called(behind.forwarder.id, behind.forwarder), behind.forward
    to = _names(behind.targets)
    heard = _heard(forward, behind.forwarder)
    told = f"{'what it listens to' if forward.listens is None else heard} as {forward.traffic}"
    taken = _taken(reach, source, behind.forwarder, heard, frozenset())
    if not taken:
        return f"load balancer {name} hands {told} on to {to}; nothing of that reaches {name} from these addresses"
    if forward.keeps_client:
        where = f"load balancer {name} hands {told} on to {to} under its clients' addresses"
        if any(reach.delivered(source, each.id).upper.overlaps(forward.traffic) for each in behind.targets):
            return f"{where}: what comes that way counts as from outside, and as what arrives at the target"
        return f"{where}, but nothing of it arrives"
    unread = "; whether under its clients' addresses was not read" if forward.keeps_client is None else ""
    own = ", ".join(node.shown_id for node in behind.nodes[:_NAMED])
    where = (
        f"load balancer {name} takes {taken} from there, and hands {told} on to {to} in connections of its own{unread}"
    )
    onward = reduce(Traffic.__or__, _onward(reach, behind), NO_TRAFFIC) & forward.traffic
    if not onward:
        return f"{where}, of which nothing arrives"
    return f"{where}: {onward} arrives from its own interfaces ({own}); ask for the way from these"


def _names(targets: tuple[Interface, ...]) -> str:
    more = len(targets) - _NAMED
    named = ", ".join(shown_id(each.id) for each in targets[:_NAMED])
    return f"{named} and {more:,} more" if more > 0 else named


def _heard(forward: Forward, forwarder: Forwarder) -> Traffic:
    heard = ALL_TRAFFIC if forward.listens is None else forward.listens
    return heard if forwarder.accepts is None else heard & forwarder.accepts


def _onward(reach: Reachability, behind: Behind) -> Iterator[Traffic]:
    for node in behind.nodes:
        for target in behind.targets[:_NAMED]:
            yield reach.between(node.id, target.id).upper


def _taken(
    reach: Reachability, source: AddressSet, forwarder: Forwarder, heard: Traffic, passed: frozenset[str]
) -> Traffic:
    """Return what addresses outside get to a load balancer of what it hands on, at most.

    It may stand behind another one that opens connections of its own.
    """
    nodes = reach.estate.interfaces_of(forwarder.id)
    found = reduce(Traffic.__or__, (reach.delivered(source, node.id).upper & heard for node in nodes), NO_TRAFFIC)
    if found:
        return found
    passed |= {forwarder.id}
    for behind in balancers_before((node.id for node in nodes), reach.estate):
        if behind.forwarder.id not in passed and behind.forward.keeps_client is not True:
            before = _taken(reach, source, behind.forwarder, _heard(behind.forward, behind.forwarder), passed)
            if before:
                found |= reduce(Traffic.__or__, _onward(reach, behind), NO_TRAFFIC) & heard
    return found
