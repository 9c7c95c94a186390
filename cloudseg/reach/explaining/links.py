"""The stages at both ends and on the way as links of a chain: what each lets through by itself, by which rules."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Literal, NamedTuple

from cloudseg.model import Interface, shown_id
from cloudseg.reach.end_names import end_label
from cloudseg.reach.explaining.answers import answered, answers_to
from cloudseg.reach.explaining.link import Chain, Link, outcome
from cloudseg.reach.explaining.reasons import reason_of, refs_of
from cloudseg.reach.explaining.rules import Lists, judge
from cloudseg.reach.explaining.words import list_name, stage_text
from cloudseg.reach.packets import Box, pass_stage, traffic_of
from cloudseg.reach.passage import carries_unread, pipeline_of, stage_was_read
from cloudseg.reach.screens import SCREEN
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Direction, Estate, Stage
    from cloudseg.reach.explaining.explanation import RuleRef, StepKind
    from cloudseg.reach.explaining.rules import Judged, Other
    from cloudseg.reach.roads.leg import Checkpoint, Handing

__all__ = ["Linker"]

_LONG = 60
_OPPOSITE: dict[Direction, Direction] = {"ingress": "egress", "egress": "ingress"}


class _Raw(NamedTuple):
    """What a stateless stage does to packets of one direction."""

    text: str
    lower: Traffic
    upper: Traffic
    rules: tuple[RuleRef, ...] = ()
    reason: str = ""
    doubts: tuple[str, ...] = ()


class Linker:
    """Makes links.

    Args:
        estate: the estate.
        traffic: what is asked about.
    """

    def __init__(self, estate: Estate, traffic: Traffic) -> None:
        self.estate = estate
        self.traffic = traffic

    def passing(self, kind: StepKind, text: str, place: str = "", *, direction: Direction | Literal[""] = "") -> Link:
        """Return a link that lets everything through."""
        return Link(kind, text, self.traffic, self.traffic, direction, place)

    def blocking(self, kind: StepKind, text: str, reason: str, place: str = "") -> Link:
        """Return a link that lets nothing through."""
        return Link(kind, text, NO_TRAFFIC, NO_TRAFFIC, "", place, (), reason)

    def doubtful(self, kind: StepKind, text: str, doubts: Sequence[str], place: str = "") -> Link:
        """Return a link that lets everything through at most."""
        return Link(kind, text, NO_TRAFFIC, self.traffic, "", place, (), "; ".join(doubts), tuple(doubts))

    def stateful(
        self, interface: Interface, direction: Direction, other: Other, who: str, *, pods_only: bool = False
    ) -> list[Link]:
        """Return the links of the stateful stages at an end, in the order in which a packet meets them.

        Args:
            interface: the end.
            direction: of the packets, seen from it.
            other: the other end.
            who: the other end in words.
            pods_only: only the stages that nobody but pods meets.
        """
        found: list[Link] = []
        accepted = (NO_TRAFFIC, NO_TRAFFIC)
        part = 0
        for stage in self._stages(interface, direction, stateful=True):
            if pods_only and not stage.pods_only:
                continue
            if stage.part > part:
                # What was accepted for good before meets the stages of the next part all the same.
                accepted, part = (NO_TRAFFIC, NO_TRAFFIC), stage.part
            if not self.traffic - accepted[0]:
                # All of it was accepted for good: no later list is asked.
                continue
            link, accepted = self._stage(stage, interface, direction, other, accepted, who)
            judged = not stage.name.startswith(SCREEN) and self.estate.judging(interface, stage.name, direction)
            if stage.told or link.rules or link.doubts or judged:
                found.append(link)
        return found

    def boundary(
        self, interface: Interface, direction: Direction, other: Other, who: str, handed: Handing = "no"
    ) -> list[Link]:
        """Return the links of the stateless stages that packets meet at an end.

        Args:
            interface: the end.
            direction: of the packets, seen from it.
            other: the other end.
            who: the other end in words.
            handed: whether they are handed out in its own subnet, where they meet none.
        """
        raws = self._raws(interface, direction, other, self.traffic, who)
        raws = _spared(raws, handed, self.traffic, interface)
        place = interface.subnet or interface.id
        # What may not be met cuts nothing off when its rules go: it is told like any list on the way.
        kind: StepKind = "checkpoint" if handed == "maybe" else "boundary"
        return [self._request(raw, kind, direction, place) for raw in raws]

    def answers(
        self,
        interface: Interface,
        direction: Direction,
        other: Other,
        who: str,
        chain: Chain = "client",
        handed: Handing = "no",
    ) -> list[Link]:
        """Return the links of the stateless stages that answers meet at an end.

        Args:
            interface: the end.
            direction: of the answers, seen from it.
            other: the other end.
            who: the other end in words.
            chain: whose port they go to.
            handed: whether they are handed out in its own subnet, where they meet none.
        """
        usual = answers_to(self.traffic, usual=True)
        raws = self._raws(interface, direction, other, answers_to(self.traffic), who, usual)
        raws = _spared(raws, handed, answers_to(self.traffic), interface)
        return [self._reply(raw, direction, interface.subnet or interface.id, chain) for raw in raws]

    def checkpoint(
        self, point: Checkpoint, others: Sequence[Other], who: str, *, back: bool = False, chain: Chain = ""
    ) -> list[Link]:
        """Return the links of a subnet boundary on the way.

        Of several subnets that may be crossed, and of several that may stand for the source, all must let packets
        through for sure, and one is enough at most.

        Args:
            point: the boundary.
            others: the other end as its lists see it; none where that is not known.
            who: the same in words.
            back: packets cross it in the opposite direction.
            chain: for answers, whose port they go to; empty for requests.
        """
        direction = _OPPOSITE[point.direction] if back else point.direction
        packets = answers_to(self.traffic) if chain else self.traffic
        shown = answers_to(self.traffic, usual=True) if chain else None
        each: list[list[_Raw]] = []
        for name in point.choices(back=back):
            passer = self._passer(name)
            if passer is None:
                each.append([])
            elif others:
                each += [self._raws(passer, direction, other, packets, who, shown) for other in others]
            else:
                doubt = f"whose address is seen at {shown_id(name)} is not known"
                each.append([_Raw(f"network ACLs of {shown_id(name)}", NO_TRAFFIC, packets, (), doubt, (doubt,))])
        raws = each[0] if len(each) == 1 else [_either(point.choices(back=back), each, packets)]
        raws = [raw._replace(text=f"{raw.text}, on the way") for raw in raws]
        if chain:
            return [self._reply(raw, direction, point.subnet, chain) for raw in raws]
        return [self._request(raw, "checkpoint", direction, point.subnet) for raw in raws]

    def _stages(self, interface: Interface, direction: Direction, *, stateful: bool) -> list[Stage]:
        pipeline = pipeline_of(interface, self.estate)
        stages = () if pipeline is None else pipeline.met_by(interface, direction)
        return [stage for stage in stages if stage.stateful == stateful]

    def _passer(self, name: str) -> Interface | None:
        """Return what stands for packets that only pass through a subnet."""
        subnet = self.estate.subnets.get(name)
        if subnet is None:
            return None
        return Interface(
            id=subnet.id, kind="network-interface", region=subnet.region, network=subnet.network, subnet=subnet.id
        )

    def _stage(
        self,
        stage: Stage,
        interface: Interface,
        direction: Direction,
        other: Other,
        accepted: tuple[Traffic, Traffic],
        who: str,
    ) -> tuple[Link, tuple[Traffic, Traffic]]:
        """Return the link of a stateful stage, and what it and those before it have accepted for good."""
        judges = self.estate.judging(interface, stage.name, direction)
        unread = self._unread(stage, interface, direction)
        if not judges and not unread:
            text = f"no {list_name(stage)} judge {end_label(interface, self.estate)}"
            return self.passing("stage", text, interface.id, direction=direction), accepted
        lists = Lists(stage, direction, judges, interface)
        found = judge(lists, other, self.traffic, self.estate)
        if unread:
            found = found._replace(upper=self.traffic, doubts=(*found.doubts, unread))
            if stage.opens_unread:
                found = found._replace(accepted_upper=self.traffic)
            if stage.miss != "deny":
                # A list of such a stage may deny.
                found = found._replace(lower=NO_TRAFFIC, accepted_lower=NO_TRAFFIC)
        lower = found.lower | found.accepted_lower | accepted[0]
        upper = found.upper | found.accepted_upper | accepted[1]
        told = _Raw(stage_text(stage, judges, end_label(interface, self.estate)), lower, upper)
        told = self._told(told, lists, found, other, self.traffic, who)
        link = self._request(told, "stage", direction, interface.id)
        return link, (accepted[0] | found.accepted_lower, accepted[1] | found.accepted_upper)

    def _unread(self, stage: Stage, interface: Interface, direction: Direction) -> str:
        """Return what of a stage was not read, in words; empty where all was."""
        judges = self.estate.judging(interface, stage.name, direction)
        if stage.at == "interface" and carries_unread(interface, self.estate):
            missing = sorted(
                own for own in interface.attached if own not in self.estate.groups and own not in self.estate.rule_sets
            )
            if missing:
                return f"the rules of {', '.join(map(shown_id, missing))} were not read"
            return f"which {list_name(stage)} {interface.shown_id} carries was not read in full"
        return (
            "" if judges or stage_was_read(stage, interface, self.estate) else f"the {list_name(stage)} were not read"
        )

    def _raws(
        self,
        interface: Interface,
        direction: Direction,
        other: Other,
        packets: Traffic,
        who: str,
        shown: Traffic | None = None,
    ) -> list[_Raw]:
        """Return what each stateless stage of an interface does to packets; told is what it does to those shown."""
        plain = other._replace(grouped=False)
        where = shown_id(interface.subnet or interface.id)
        found: list[_Raw] = []
        for stage in self._stages(interface, direction, stateful=False):
            judges = self.estate.judging(interface, stage.name, direction)
            unread = self._unread(stage, interface, direction)
            if unread:
                found.append(_Raw(f"{list_name(stage)} of {where}", NO_TRAFFIC, packets, (), unread, (unread,)))
            elif not judges:
                found.append(_Raw(f"no {list_name(stage)} judge {where}", packets, packets))
            else:
                passed = pass_stage(stage, judges, direction, [Box(other.addresses, packets)], self.estate)
                lower = _under_all(other.addresses, passed.lower, packets)
                lists = Lists(stage, direction, judges, interface)
                raw = _Raw(stage_text(stage, judges, where), lower, traffic_of(passed.upper))
                told = packets if shown is None else shown
                found.append(self._told(raw, lists, judge(lists, plain, told, self.estate), plain, told, who))
        return found

    def _told(self, raw: _Raw, lists: Lists, found: Judged, other: Other, packets: Traffic, who: str) -> _Raw:
        """Return what a stage does with the rules that decide these packets, and the reason."""
        lower, upper = raw.lower & packets, raw.upper & packets
        verdict = outcome(lower, upper, packets)
        return raw._replace(
            rules=refs_of(lists, found, verdict, packets - upper, self.estate),
            reason=reason_of(lists, found, verdict, (lower, upper, packets), (other, who), self.estate),
            doubts=found.doubts if raw.lower != raw.upper else (),
        )

    def _request(self, raw: _Raw, kind: StepKind, direction: Direction, place: str) -> Link:
        return Link(kind, raw.text, raw.lower, raw.upper, direction, place, raw.rules, raw.reason, raw.doubts)

    def _reply(self, raw: _Raw, direction: Direction, place: str, chain: Chain) -> Link:
        translated = chain in {"gateway", "target"}
        lower = answered(raw.lower, self.traffic, certain=True, translated=translated)
        upper = answered(raw.upper, self.traffic, certain=False, translated=translated)
        usual = answers_to(self.traffic, usual=True)
        verdict = outcome(lower, upper, self.traffic)
        reason, doubts = "", raw.doubts
        if verdict == "blocks":
            reason = f"the reply is denied: {raw.reason}" if raw.reason else "no port that may be chosen gets a reply"
        elif lower != upper and not raw.lower and raw.doubts:
            reason = "; ".join(raw.doubts)
        elif lower != upper:
            sure = raw.lower & usual
            some = f"only {_short(sure)} certainly pass" if sure else "none certainly pass"
            reason = f"of the replies {_short(usual)} {some}"
            doubts = (*doubts, reason)
        elif verdict != "passes":
            reason = f"only replies to {_short(lower)} pass"
        text = f"replies {direction} {_short(usual)} through {raw.text}"
        back = (raw.lower, raw.upper)
        return Link("reply", text, lower, upper, direction, place, raw.rules, reason, doubts, chain, back)


def _short(traffic: Traffic) -> str:
    """Return traffic in words; with many terms, those of TCP and UDP alone."""
    text = str(traffic)
    return text if len(text) <= _LONG else f"{Traffic(traffic.tcp, traffic.udp)} and others"


def _spared(raws: list[_Raw], handed: Handing, packets: Traffic, interface: Interface) -> list[_Raw]:
    """Return what stages do to packets that may be handed out in the interface's own subnet, where none is met."""
    if handed == "no":
        return raws
    doubt = f"whether packets are handed out in {shown_id(interface.subnet or interface.id)} itself is not known"
    strict = [raw for raw in raws if raw.lower != packets]
    if handed == "surely":
        return []
    spared = [raw._replace(upper=packets, reason=raw.reason or doubt, doubts=(*raw.doubts, doubt)) for raw in strict]
    return [raw for raw in raws if raw.lower == packets] + spared


def _under_all(addresses: AddressSet, boxes: Sequence[Box], packets: Traffic) -> Traffic:
    """Return what passes under every one of some addresses: an entry may name one of those that all treat alike."""
    together = traffic_of(box for box in boxes if addresses <= box.addresses)
    if packets <= together:
        return together
    each = (AddressSet.parse(prefix) for prefix in addresses.cidrs())
    apart = (traffic_of(box for box in boxes if part <= box.addresses) for part in each)
    return together | reduce(Traffic.__and__, apart, packets)


def _either(names: Sequence[str], each: Sequence[Sequence[_Raw]], packets: Traffic) -> _Raw:
    """Return what happens to packets that cross one of several boundaries, or bear one of several addresses."""
    lowers = [reduce(Traffic.__and__, (raw.lower for raw in raws), packets) for raws in each]
    uppers = [reduce(Traffic.__and__, (raw.upper for raw in raws), packets) for raws in each]
    lower, upper = reduce(Traffic.__and__, lowers), reduce(Traffic.__or__, uppers)
    places = " or ".join(shown_id(name) for name in names if name) + ("" if all(names) else " or of none")
    raws = [raw for some in each for raw in some]
    doubts = dict.fromkeys(doubt for raw in raws for doubt in raw.doubts)
    if lower != upper:
        doubts[f"which way packets take through {places}, or under which address, is not known"] = None
    reason = "; ".join(dict.fromkeys(raw.reason for raw in raws if raw.reason))
    rules = tuple(dict.fromkeys(rule for raw in raws for rule in raw.rules))
    return _Raw(f"network ACLs of {places}", lower, upper, rules, reason, tuple(doubts))
