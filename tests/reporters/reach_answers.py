"""Answers to who reaches whom, worked out by hand: no engine stands behind them."""

from __future__ import annotations

import io
from itertools import groupby
from typing import TYPE_CHECKING, cast

from cloudseg.engine import GapInfo, SourceInfo
from cloudseg.model import Estate, Interface, Workload
from cloudseg.reach.reachability import EndClass, Fan, Flow, Verdict
from cloudseg.reporters.interface import RenderOptions
from cloudseg.reporters.reach_answer import ReachAnswer
from cloudseg.reporters.reach_formats import REACH_FORMATS
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from cloudseg.reach.names import Named
    from cloudseg.reach.reachability import Reachability

INTERNET = GLOBAL_UNICAST
V4 = INTERNET & AddressSet.parse("0.0.0.0/0")


def qualified(own: str) -> str:
    return f"aws:111122223333:eu-west-1:{own}"


class Worked:
    """Reachability as it was worked out by hand: classes, and the flows between them."""

    def __init__(self, estate: Estate, classes: Sequence[EndClass], flows: Sequence[Flow]) -> None:
        self.estate = estate
        self.classes = tuple(classes)
        self._flows = tuple(flows)

    def class_of(self, interface: str) -> EndClass:
        return next(own for own in self.classes if interface in own.members)

    def fans(
        self,
        sources: Collection[str | AddressSet] | None,
        targets: Collection[str | AddressSet] | None,
        *,
        forwarded: bool = False,
    ) -> Iterator[Fan]:
        assert forwarded, "what load balancers hand on under their clients' addresses belongs to the answer"
        asked = [
            each for each in self._flows if self._asked(each.source, sources) and self._asked(each.target, targets)
        ]
        for (inward, end), flows in groupby(asked, key=_shared_end):
            each = [(one.source if inward else one.target, Verdict(one.lower, one.upper)) for one in flows]
            yield Fan(end, inward, [other for other, _ in each], [verdict for _, verdict in each])

    def _asked(self, end: str, ends: Collection[str | AddressSet] | None) -> bool:
        if ends is None:
            return True
        if end.startswith("external:"):
            return any(isinstance(each, AddressSet) for each in ends)
        return any(isinstance(each, str) and self.class_of(each).name == end for each in ends)


def _shared_end(flow: Flow) -> tuple[bool, str]:
    inward = not flow.target.startswith("external:")
    return inward, flow.target if inward else flow.source


def estate_of(names: Mapping[str, str]) -> Estate:
    """Make an estate of one instance and interface for each own id, by the name of the instance."""
    workloads: dict[str, Workload] = {}
    interfaces: dict[str, Interface] = {}
    for number, (own, name) in enumerate(names.items(), 1):
        owner = qualified(f"i-{own}")
        workloads[owner] = Workload(id=owner, kind="instance", name=name)
        interfaces[qualified(own)] = Interface(
            id=qualified(own),
            kind="network-interface",
            network=None,
            subnet=None,
            addresses=AddressSet.parse(f"10.0.{number >> 8}.{number & 255}"),
            workload=owner,
        )
    return Estate(taken_at="2026-01-15T12:00:00Z", interfaces=interfaces, workloads=workloads)


def flow(source: str, target: str, lower: str, upper: str = "") -> Flow:
    return Flow(source, target, Traffic.parse(lower), Traffic.parse(upper or lower))


def outside_flows(ends: AddressSet, target: str, lower: str, upper: str = "") -> list[Flow]:
    """Make the flows from each run of addresses to a class, as reachability yields them."""
    ranges = (AddressSet(v4=type(ends.v4)((pair,))) for pair in ends.v4.intervals)
    six = (AddressSet(v6=type(ends.v6)((pair,))) for pair in ends.v6.intervals)
    return [flow(f"external:{part}", target, lower, upper) for part in (*ranges, *six)]


GAP = GapInfo("eu-west-1", "ec2.describe_route_tables", "", "denied", "AccessDenied", ("routes",))


def answer(
    estate: Estate,
    classes: Mapping[str, Sequence[str]],
    flows: Sequence[Flow],
    *,
    sources: Named | None = None,
    targets: Named | None = None,
    traffic: Traffic = ALL_TRAFFIC,
    gaps: int = 0,
) -> ReachAnswer:
    ends = [EndClass(name, tuple(map(qualified, members))) for name, members in classes.items()]
    read = (SourceInfo("aws", "111122223333", "prod", ("eu-west-1",), complete=not gaps, gaps=(GAP,) * gaps),)
    reach = cast("Reachability", Worked(estate, ends, flows))
    return ReachAnswer(reach, read, sources, targets, traffic)


def shop(**more: object) -> ReachAnswer:
    """Two web interfaces that nothing tells apart, and a database: 80 and 443 from outside, 5432 between the tiers."""
    estate = estate_of({"eni-a": "web-1", "eni-b": "web-2", "eni-db": "orders"})
    flows = [
        flow("web", "web", "none", "tcp/22"),
        *outside_flows(V4, "web", "tcp/80, tcp/443"),
        *outside_flows(INTERNET - V4, "web", "tcp/443"),
        flow("web", "db", "tcp/5432", "tcp/5432, icmp/8"),
        flow("db", "external:198.51.100.0/24", "udp/53"),
    ]
    return answer(estate, {"web": ("eni-a", "eni-b"), "db": ("eni-db",)}, flows, **more)  # type: ignore[arg-type]


def written(asked: ReachAnswer, name: str, **options: bool | int) -> str:
    stream = io.StringIO(newline="")
    REACH_FORMATS[name].write(asked, stream, RenderOptions(**options))  # type: ignore[arg-type]
    return stream.getvalue()
