"""Who reaches whom as JSON: ``cloudseg/reachability/v1``, described by ``docs/schemas/reachability.schema.json``."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.reach.explaining.pod_selectors import NAME
from cloudseg.reach.outside import EXTERNAL, addresses_of, ranges_of
from cloudseg.reach.reachability import Flow, Verdict
from cloudseg.reporters.end_words import EndWords
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.json_stream import Lines, Written, json_line, write_json
from cloudseg.reporters.reach_answer import Bound, ReachAnswer, bounds_of
from cloudseg.sources import SourceInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from cloudseg.model import Estate, Interface
__all__ = ["REPORTER", "EndpointInfo", "FlowInfo", "Question", "ReachabilityDocument"]

_KEPT = 1 << 14
"""How many ends, and how many verdicts, are kept as they are written."""
_NO_ENDS = '{"from":"","to":"",'


class Question(msgspec.Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """What was asked for; null stands for no restriction.

    Attributes:
        source: the only sources.
        target: the only targets.
        traffic: the only traffic; flows are cut to it.
    """

    source: str | None
    target: str | None
    traffic: str | None


class EndpointInfo(msgspec.Struct, frozen=True, rename={"in_class": "class"}):
    """Something that opens connections or takes them.

    Attributes:
        id: its qualified id, unique in the document.
        provider: the cloud.
        scope: account, subscription, project or cluster.
        kind: the provider's word for it.
        name: the name of what owns it, else its own; empty where it has none.
        namespace: its namespace; empty where it has none.
        addresses: its addresses inside of its network, single ones and blocks.
        in_class: the class that it belongs to: endpoints that nothing tells apart.
    """

    id: str
    provider: str
    scope: str
    kind: str
    name: str
    namespace: str
    addresses: tuple[str, ...]
    in_class: str


class FlowInfo(msgspec.Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """What every endpoint of one end reaches of every endpoint of the other.

    Attributes:
        source: a class, or ``external:<range>`` for addresses outside of what was read. A class that reaches itself
            means that its members reach each other.
        target: the same.
        traffic: ``tcp/8080``, ``udp/53``, ``tcp/9000-9100``, ``icmp/8``, ``all``.
        bound: ``exact``: it certainly passes; ``at-most``: it may pass as well, for something is not known.
    """

    source: str
    target: str
    traffic: tuple[str, ...]
    bound: Bound


class ReachabilityDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Who reaches whom, on what: the document ``cloudseg/reachability/v1``.

    Attributes:
        schema: names the kind and version of this document.
        generated_at: when the answers were read, ISO 8601 in UTC.
        question: what was asked for. Flows hold for every member of a class, also for those not asked for.
        sources: the scopes, and what is missing of each.
        endpoints: everything that opens connections or takes them.
        flows: what passes of what was asked for. Nothing else of it passes between the endpoints that were read.
        notes: what is worth knowing about the ends that were named, such as a managed service that is not judged here.
    """

    schema: Literal["cloudseg/reachability/v1"] = "cloudseg/reachability/v1"
    generated_at: str
    question: Question
    sources: tuple[SourceInfo, ...]
    endpoints: tuple[EndpointInfo, ...]
    flows: tuple[FlowInfo, ...]
    notes: tuple[str, ...] = ()


def _write(answer: ReachAnswer, stream: TextIO, _options: RenderOptions) -> None:
    members: dict[str, object] = {
        "schema": "cloudseg/reachability/v1",
        "generated_at": answer.estate.taken_at,
        "question": Question(
            None if answer.sources is None else answer.sources.text,
            None if answer.targets is None else answer.targets.text,
            None if answer.traffic.is_all else str(answer.traffic),
        ),
        "sources": iter(answer.read),
        "endpoints": Lines(_endpoints(answer)),
        "flows": Written(chain.from_iterable(_flow_lines(answer))),
        "notes": answer.notes,
    }
    write_json(stream, members)


def _endpoints(answer: ReachAnswer) -> Iterator[EndpointInfo]:
    words = EndWords(answer.estate)
    for own in answer.reach.classes:
        for identifier in own.members:
            interface = answer.estate.interfaces[identifier]
            yield EndpointInfo(
                id=identifier,
                provider=interface.provider,
                scope=interface.scope,
                kind=_kind(interface, answer.estate),
                name=words.name(identifier),
                namespace=interface.labels.get(NAME, ""),
                addresses=tuple(cidr.removesuffix("/32").removesuffix("/128") for cidr in interface.addresses.cidrs()),
                in_class=own.name,
            )


def _kind(interface: Interface, estate: Estate) -> str:
    """Return the kind of an interface; pods are called after what owns them."""
    owner = estate.owner_of(interface) if interface.is_pod else None
    return interface.kind if owner is None else owner.kind


def _flow_lines(answer: ReachAnswer) -> Iterator[list[str]]:
    """Yield the entries of the flows, a fan at a time: bounds apart, and each run of addresses outside on its own.

    There are millions of them, of few ends and few verdicts, so that these are written once and put together.
    """
    ends = lru_cache(_KEPT)(_ends)
    written = lru_cache(_KEPT)(_verdicts)
    for fan in answer.fans():
        (own,) = ends(fan.end)
        begun = '{"from":' if fan.inward else f'{{"from":{own},"to":'
        behind = f',"to":{own},' if fan.inward else ","
        # To tell verdicts by what they hold takes longer than to write them.
        told: dict[int, tuple[str, ...]] = {}
        lines: list[str] = []
        for name, verdict in zip(fan.others, fan.verdicts, strict=True):
            known = told.get(id(verdict))
            if known is None:
                known = told[id(verdict)] = tuple(f"{behind}{text}" for text in written(verdict))
            for text in known:
                for other in ends(name):
                    # Nearly all ends are one text, and a list of it takes longer than the line.
                    lines.append(f"{begun}{other}{text}")  # noqa: PERF401
        yield lines


def _verdicts(verdict: Verdict) -> tuple[str, ...]:
    """Return what an entry says behind its ends, once for each bound."""
    flow = Flow("", "", *verdict)
    infos = (FlowInfo("", "", traffic.terms(), bound) for traffic, bound in bounds_of(flow))
    return tuple(json_line(info).removeprefix(_NO_ENDS) for info in infos)


def _ends(end: str) -> tuple[str, ...]:
    """Return an end as it is written; of several runs of addresses, each."""
    if not end.startswith(EXTERNAL) or "," not in end:
        return (json_line(end),)
    return tuple(json_line(f"{EXTERNAL}{addresses}") for addresses in ranges_of(addresses_of(end)))


REPORTER = Reporter(name="json", suffixes=(".json",), write=_write)
