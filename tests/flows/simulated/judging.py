"""Hold the conversations that were found against what happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.flows.simulated.expected import Expected, Key
from tests.flows.simulated.traffic import SCANNERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.flows.conversations import Conversation

__all__ = ["Judgement", "Problem", "judge"]

_LISTENED: Final = {5432, 3306, 6379, 8080, 8443, 9200, 9092, 27017, 1433, 2049, 7946}
"""Ports above 1023 of the simulated world that everybody knows as services."""


class Problem(NamedTuple):
    """Something that must not be.

    Attributes:
        what: ``wrong high``, ``wrong medium``, ``invented``, ``lost``, ``doubled``, ``unsettled``, ``verdict``,
            ``count``, ``ends``, ``mixed``.
    """

    what: str
    about: str


class Judgement(NamedTuple):
    """Problems, and how often each evidence told right, wrong where ports mislead, or nothing."""

    problems: list[Problem]
    tally: Counter[str]


def judge(wanted: list[Expected], rows: list[Conversation]) -> Judgement:
    """Compare rows with what has to be there."""
    problems: list[Problem] = []
    tally = Counter[str]()
    by_key: defaultdict[Key, list[Expected]] = defaultdict(list)
    for each in wanted:
        by_key[each.key].append(each)
    right: defaultdict[int, list[Conversation]] = defaultdict(list)
    open_: defaultdict[int, list[Conversation]] = defaultdict(list)
    for row in rows:
        for what, found in _places(row, by_key):
            if found is None:
                problems.append(Problem(what, _say(row)))
            elif what == "right":
                right[id(found)].append(row)
                tally[f"right {row.evidence}"] += 1
            elif what == "collapsed":
                tally["collapsed"] += 1
                if not found.sure:
                    open_[id(found)].append(row)
            elif what == "unknown":
                open_[id(found)].append(row)
                tally["unknown"] += 1
            else:
                open_[id(found)].append(row)
                tally[f"misled {row.evidence}"] += 1
    for each in wanted:
        problems += _missing(each, right[id(each)], open_[id(each)])
    tally["expected"] = len(wanted)
    tally["sure"] = sum(each.sure for each in wanted)
    return Judgement(problems, tally)


def _say(row: Conversation) -> str:
    source = f"{row.initiator}" + (f":{row.initiator_port}" if row.initiator_port is not None else "")
    ends = f"{row.initiator_interface or row.initiator_network}, {row.responder_interface or row.responder_network}"
    return (
        f"{source} -> {row.responder} {row.protocol}/{row.port} {row.verdict} x{row.connections} "
        f"by {row.evidence} ({ends}; {','.join(row.observers)})"
    )


def _places(row: Conversation, by_key: dict[Key, list[Expected]]) -> Iterable[tuple[str, Expected | None]]:
    """To which expected conversation a row belongs, and how; nothing to go with is a problem."""
    key = Key(row.initiator, row.responder, row.protocol, row.port)
    if row.confidence == "unknown":
        if row.initiator_port is None and row.protocol != 1:
            return _collapsed(row, by_key)
        found = [
            each
            for candidates in (by_key.get(key, []), by_key.get(_turned(row), []))
            for each in _of_networks(row, candidates)
            if _port_of(each, row) in each.client_ports or each.key.protocol == 1
        ]
        return [("unknown", each) for each in found] or [("invented", None)]
    if key in by_key:
        found = _of_networks(row, by_key[key])
        return [("right", found[0])] if len(found) == 1 else [("mixed", None)]
    backward = [
        each
        for turned, candidates in by_key.items()
        if turned[:3] == (row.responder, row.initiator, row.protocol)
        for each in _of_networks(row, candidates)
        if row.port in each.client_ports or row.protocol == 1
    ]
    if not backward:
        return [("invented", None)]
    misled = [each for each in backward if not each.sure and _misleading(each, row.port)]
    if row.confidence != "high" and misled:
        return [("misled", each) for each in misled]
    return [(f"wrong {row.confidence}", None)]


def _collapsed(row: Conversation, by_key: dict[Key, list[Expected]]) -> Iterable[tuple[str, Expected | None]]:
    """A row for answers of many doors to one port of a scanner: which door is not told."""
    knocked = [
        each
        for key, candidates in by_key.items()
        if key[:3] == (row.responder, row.initiator, row.protocol)
        for each in _of_networks(row, candidates)
        if list(each.client_ports) == [row.port]
    ]
    return [("collapsed", each) for each in knocked] if len(knocked) > 1 else [("invented", None)]


def _turned(row: Conversation) -> Key:
    return Key(row.responder, row.initiator, row.protocol, row.initiator_port)


def _port_of(each: Expected, row: Conversation) -> int | None:
    """The port of the client, of a row that does not tell which end that is."""
    return row.initiator_port if each.key == (row.initiator, row.responder, row.protocol, row.port) else row.port


def _of_networks(row: Conversation, candidates: list[Expected]) -> list[Expected]:
    """Of conversations between equal addresses, those in the networks of the row."""
    if len(candidates) < 2:
        return candidates
    told = {each for each in (row.initiator_network, row.responder_network) if each}
    return [each for each in candidates if told & each.networks]


def _misleading(each: Expected, client_port: int | None) -> bool:
    """Whether a reader who knows nothing but ports has to take the client for the server."""
    server_port = each.key.port
    if server_port is None or client_port is None or server_port == client_port:
        return True
    # Whose one port meets many ports of one host looks like its server, unless those are a system's own.
    if server_port >= 512 and (server_port < 1024 or client_port in SCANNERS.values()):
        return True
    return _kind(server_port) >= _kind(client_port) and server_port != 2049


def _kind(port: int) -> int:
    if port < 1024:
        return 0
    if port in _LISTENED:
        return 1
    return 2 if port <= 32767 else 3


def _missing(each: Expected, right: list[Conversation], left_open: list[Conversation]) -> Iterable[Problem]:
    ends = sorted(map(str, each.ends))
    said = f"{each.key} {sorted(each.networks)} wanted {each.verdict} x{each.connections} ends {ends}"
    if not right:
        if not left_open:
            yield Problem("lost", said)
        elif each.sure:
            yield Problem("unsettled", f"{said}: {_say(left_open[0])}")
    elif each.sure and left_open:
        yield Problem("doubled", f"{said}: {_say(right[0])} and {_say(left_open[0])}")
    if len(each.verdicts) == 1:
        yield from _unlike(each, right, said)
    elif each.sure and frozenset(row.verdict for row in right) != each.verdicts:
        yield Problem("verdicts", f"{said}, all {sorted(each.verdicts)}: {' and '.join(map(_say, right))}")


def _unlike(each: Expected, right: list[Conversation], said: str) -> Iterable[Problem]:
    if len(right) > max(len(each.ends), 1):
        yield Problem("doubled", f"{said}: {' and '.join(map(_say, right))}")
        return
    for row in right:
        if row.verdict != each.verdict:
            yield Problem("verdict", f"{said}: {_say(row)}")
    if len(right) == 1 and len(each.ends) <= 1 and each.sure:
        row = right[0]
        # Where it is not known at which end an interface stands, it counts as somebody in between, or not at all.
        placed = row.provider != "aws" or not each.ends or _ends(row) in each.ends
        if placed and each.connections is not None and row.connections != each.connections:
            yield Problem("count", f"{said}: {_say(row)}")
    if right and each.whole and right[0].provider == "aws":
        told = frozenset(map(_ends, right)) - {(None, None)}
        if told != each.ends:
            yield Problem("ends", f"{said}: {' and '.join(map(_say, right))}")


def _ends(row: Conversation) -> tuple[str | None, str | None]:
    return row.initiator_interface, row.responder_interface
