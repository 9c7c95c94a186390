"""The other end of a rule taken apart: who must go on being it, what can be named, and what has to stay as addresses.

Where flow logs or an intent say who needs the rule, that counts. Without them it is everybody who was read and whom the
rule lets pass today, at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.group_cover import InterfaceIndex
from cloudseg.checks.internal_ranges import InternalRanges
from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.reach.near_ends import standing
from cloudseg.remediations.address_parts import joined, parsed, rest_of, sized, united
from cloudseg.remediations.covering import Carried
from cloudseg.remediations.parts_of_ends import Apart, Kept, NotApart, Standing
from cloudseg.remediations.passing_today import carried_today, families_of, let_in, outside_today, used_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Interface
    from cloudseg.observed.ends import End
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.demand import Passing, Through
    from cloudseg.remediations.evidence import Evidence
    from cloudseg.remediations.locating import Place
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["take_apart", "taken_apart"]

_SHOWN: Final = 3


def take_apart(context: RemedyContext, places: Sequence[Place]) -> Apart | NotApart:
    """Return the other end of a rule taken apart, wherever it stands.

    Args:
        context: what all remedies share.
        places: the list of the rule at each of its places, and the rule.
    """
    ranges = context.once("internal ranges", lambda: InternalRanges(context.estate))
    found: list[Standing] = []
    for rule_set, rule in places:
        if rule is None:
            continue
        internal = next((each for _, each in ranges.of(rule_set, (rule,))), None)
        if internal is not None:
            found.append(Standing(rule_set, rule, internal))
    if not found:
        return NotApart("the rule names no addresses in place of which a group could stand")
    return taken_apart(context, found)


def taken_apart(
    context: RemedyContext, places: Sequence[Standing], fellows: Sequence[Interface] = ()
) -> Apart | NotApart:
    """Return the other end of a rule taken apart, of which it is known who stands in it.

    Args:
        context: what all remedies share.
        places: the rule at each of its places.
        fellows: others who may be named together with those who need the rule, beside members of their groups.
    """
    return _Work(context, places, fellows).apart()


class _Work:
    """Takes the other end of one rule apart."""

    def __init__(self, context: RemedyContext, places: Sequence[Standing], fellows: Sequence[Interface]) -> None:
        self._context, self._places, self._fellows = context, places, fellows
        self._estate = context.estate
        self._rule = places[0].rule
        self._written = united(each.internal.written for each in places)
        self._named = united(each.internal.named for each in places)
        self._able = _by_id(interface for each in places for interface in each.internal.interfaces)
        self._nameless = _by_id(interface for each in places for interface in each.internal.nameless)
        self._idle = _by_id(interface for each in places for interface in each.internal.idle)
        judged = _by_id(each for place in places for each in context.judged(place.rule_set, place.rule))
        self._judged = tuple(judged[name] for name in sorted(judged))
        self._risks: list[str] = []
        self._facts: list[str] = []
        self._dropped: list[str] = []
        self._kept: list[Kept] = []
        self._needed: dict[str, Traffic] = {}

    def apart(self) -> Apart | NotApart:
        if (refused := self._unread()) is not None:
            return refused
        through, evidence = self._evidence()
        narrowed = evidence.complete and not through.unplaced
        if narrowed:
            self._by_evidence(through, evidence)
        else:
            self._note_why_not(through, evidence)
            self._by_reach()
            self._by_talk(through)
        if (refused := self._unclear()) is not None:
            return refused
        admitted = self._admitted()
        self._keep_of_one_family(admitted)
        self._note_dropped(narrowed=narrowed)
        others = {**self._able, **self._nameless}
        inside = [self._estate.interfaces[name].network for name in self._needed]
        return Apart(
            needed=dict(sorted(self._needed.items())),
            admitted=admitted | self._idle.keys(),
            kept=tuple(joined(self._kept)),
            written=self._written,
            elsewhere=self._written - self._named,
            rest=rest_of(self._rule, self._written, self._context),
            dropped=tuple(self._dropped),
            risks=tuple(self._risks),
            facts=tuple(self._facts),
            narrowed=narrowed,
            judged=self._judged,
            others=tuple(others[name] for name in sorted(others)),
            unneeded=_unneeded(evidence) if narrowed else "cannot use it today",
            networks=tuple(sorted({network for network in inside if network is not None})),
            unused=not self._needed and not self._kept,
        )

    def _unread(self) -> NotApart | None:
        """Return why nothing is known of who stands in the range: what was not read stays as it is."""
        for _, _, internal in self._places:
            if not internal.read:
                return NotApart(
                    f"the interfaces of {', '.join(internal.networks)} were not read in full, and whoever was not read "
                    "keeps the range",
                    ("read the estate again with the rights that the gaps name",),
                )
            if not internal.certain:
                return NotApart(
                    "the routes that decide whether a group is recognised on the way were not read in full",
                    ("read the estate again with the rights that the gaps name",),
                )
        return None

    def _evidence(self) -> tuple[Through, Evidence]:
        """Return what the rule carries at all its places, and whether anything else may be needed."""
        through = [self._context.through(each.rule_set, each.rule) for each in self._places]
        evidence = [self._context.evidence(each.rule_set, each.rule) for each in self._places]
        together = through[0]._replace(
            passing=tuple(each for one in through for each in one.passing),
            unknown=tuple(dict.fromkeys(end for one in through for end in one.unknown)),
            gone=max(one.gone for one in through),
            unplaced=max(one.unplaced for one in through),
        )
        return together, next((each for each in evidence if not each.complete), evidence[0])

    def _note_why_not(self, through: Through, evidence: Evidence) -> None:
        if through.unplaced:
            what = f"{counted(through.unplaced, 'observed conversation')} may have used the rule"
            self._facts.append(f"{what}, and who opened them is not known: nothing is narrowed")
        elif evidence.reason:
            self._facts.append(f"nothing is narrowed: {evidence.reason}")

    def _by_evidence(self, through: Through, evidence: Evidence) -> None:
        """Note who needs the rule as conversations and the intent say."""
        counts = 0
        for each in through.passing:
            counts += each.connections
            self._need(each)
        for end in through.unknown:
            self._need_unknown(end)
        if not evidence.window:
            self._keep_balancers()
        if evidence.window:
            self._facts.append(f"observed {evidence.window}: {counted(counts, 'connection')} through the rule")
        if evidence.intended:
            self._facts.append("the intent names what may be opened, and everything observed is kept besides")
        if through.gone:
            who = counted(through.gone, "observed conversation")
            self._risks.append(f"{who} through the rule had an other end that is gone: whoever replaces it may need it")
        if evidence.window and not self._ends_a_month():
            self._risks.append("no end of a month lies in the window: what happens once a month may not have been seen")

    def _keep_balancers(self) -> None:
        """Keep the load balancers of the range that reach the judged ones: an intent says nothing of health checks."""
        for name in sorted(self._carried(each for each in self._nameless.values() if "load_balancer" in each.role)):
            self._need_interface(name, self._rule.traffic)

    def _ends_a_month(self) -> bool:
        observed = self._context.observed
        return observed is not None and observed.logged.ends_a_month

    def _need(self, passing: Passing) -> None:
        end, traffic = passing.other, passing.traffic & self._rule.traffic
        if not traffic:
            return
        if end.interface:
            self._need_interface(end.interface, traffic)
            return
        addresses = parsed(end.address) & self._written
        if not addresses:
            return
        what = f"segment {end.name}" if passing.intended and end.name else "who bears it is outside of what was read"
        self._kept.append(Kept(addresses, traffic, what, passing.owner, passing.expires, outside=True))

    def _need_interface(self, name: str, traffic: Traffic) -> None:
        interface = self._estate.interfaces[name]
        if name in self._able:
            self._needed[name] = self._needed[name] | traffic if name in self._needed else traffic
            return
        addresses = standing(interface, self._estate) & self._written
        if not addresses or [each.id for each in self._judged] == [name]:
            # Another peer of the rule carries it, or it talks to itself.
            return
        self._keep(interface, addresses, traffic, self._why_nameless(interface))

    def _keep(self, interface: Interface, addresses: AddressSet, traffic: Traffic, why: str) -> None:
        """Keep the addresses of an interface; its subnet's where it is made anew under others again and again."""
        lasts = self._context.lasting(interface)
        subnet = self._estate.subnets.get(interface.subnet or "")
        if lasts.moves and subnet is not None:
            addresses = subnet.addresses & self._written
            why = f"{why}; {lasts.setting} makes it anew under another address of {subnet.label}"
        elif not lasts.stays:
            self._risks.append(
                f"{interface.label} is named by its address, and {lasts.setting} may give it another one"
            )
        self._kept.append(Kept(addresses, traffic, why))

    def _why_nameless(self, interface: Interface) -> str:
        if interface.id in self._nameless:
            return f"no group can name {interface.label}"
        broken = [why for each in self._places for why in each.internal.broken]
        if interface.id not in self._idle and broken:
            return f"identity does not hold on the way from {interface.label}: {broken[0]}"
        return f"{interface.label} is not named by groups here"

    def _need_unknown(self, end: End) -> None:
        """Note an end of which it is not known who it is: whoever it may be, else its address."""
        if end.candidates:
            for name in end.candidates:
                self._need_interface(name, self._rule.traffic)
        held = united(self._estate.interfaces[name].addresses for name in end.candidates)
        addresses = (parsed(end.address) - held) & self._written
        if addresses:
            why = end.reason or "who bears it is not known"
            self._kept.append(Kept(addresses, self._rule.traffic, why, outside=True))

    def _by_reach(self) -> None:
        """Note everybody whom the rule lets pass today, at most."""
        traffic = self._rule.traffic
        passing = self._carried((*self._able.values(), *self._nameless.values()))
        for name in sorted(passing):
            self._need_interface(name, traffic)
        elsewhere = self._written - self._named
        if elsewhere:
            self._keep_elsewhere(elsewhere)

    def _by_talk(self, through: Through) -> None:
        """Note who was seen to use the rule and is no interface that was read: these keep their address."""
        for each in through.passing:
            if not each.other.interface:
                self._need(each._replace(traffic=self._rule.traffic))
        for end in through.unknown:
            self._need_unknown(end)

    def _carried(self, others: Iterable[Interface]) -> frozenset[str]:
        return carried_today(self._context.reach, self._rule, self._judged, others)

    def _keep_elsewhere(self, elsewhere: AddressSet) -> None:
        """Keep what of the range lies where no group can stand and is let through today: subnets, and the outside."""
        index = self._context.once("interfaces by address", lambda: InterfaceIndex(self._estate))
        inside = (each for name in sorted(self._estate.networks) for each in index.inside(name, elsewhere))
        standing_there = [each for each in inside if each.id not in self._able and each.id not in self._idle]
        passing = self._carried(standing_there)
        for each in standing_there:
            if each.id in passing:
                subnet = self._estate.subnets.get(each.subnet or "")
                held = (each.addresses if subnet is None else subnet.addresses) & elsewhere
                self._kept.append(Kept(held, self._rule.traffic, self._why_nameless(each)))
        outside = outside_today(self._context.reach, self._rule, self._judged, elsewhere)
        if outside:
            why = "nobody who was read bears it, and packets may come from there"
            self._kept.append(Kept(outside, self._rule.traffic, why, outside=True))

    def _unclear(self) -> NotApart | None:
        """Return why it is not known who some of those are who need the rule."""
        unread = {name for each in self._places for name in each.internal.unread} & self._needed.keys()
        if unread:
            who = shown_labels([self._estate.interfaces[name] for name in sorted(unread)], _SHOWN)
            return NotApart(f"which groups {who} carries was not read in full", ("read the estate again",))
        unplaced = _by_id(each for place in self._places for each in place.internal.unplaced)
        if unplaced and not self._narrowed_without(unplaced):
            who = shown_labels([unplaced[name] for name in sorted(unplaced)], _SHOWN)
            return NotApart(f"the addresses of {who}, which may stand in the range, were not read")
        return None

    def _narrowed_without(self, unplaced: dict[str, Interface]) -> bool:
        through, evidence = self._evidence()
        seen = {each.other.interface for each in through.passing}
        return evidence.complete and not through.unplaced and not seen & unplaced.keys()

    def _admitted(self) -> frozenset[str]:
        """Return those whom the rule's lists admit today under every address that could be used.

        Looked at are the needed ones, and whoever else is in one of their groups.
        """
        carried = self._context.once("carried groups", lambda: Carried(self._estate))
        asked = {each.id: each for group in carried.by(self._needed) for each in self._estate.members(group)}
        asked |= {name: self._estate.interfaces[name] for name in self._needed}
        asked |= {each.id: each for each in self._fellows}
        found: set[str] | None = None
        for rule_set, rule, internal in self._places:
            addresses, groups = let_in(rule_set, rule, self._context)
            families = families_of(self._context.judged(rule_set, rule), self._context)
            members = {each.id for group in groups for each in self._estate.members(group)}
            # The same addresses in a network that no way leads to are somebody else's.
            networks = {each.network for each in (*internal.interfaces, *internal.idle)} | {rule_set.network}
            here = {
                name
                for name, each in asked.items()
                if each.network in networks
                and (name in members or (each.addresses and used_of(each, families) <= addresses))
            }
            found = here if found is None else found & here
        return frozenset(found or ())

    def _keep_of_one_family(self, admitted: frozenset[str]) -> None:
        """Keep the addresses of those whom a group would admit in the other family as well."""
        for name in sorted(self._needed.keys() - admitted):
            interface, traffic = self._estate.interfaces[name], self._needed.pop(name)
            addresses = interface.addresses & self._written
            others = interface.addresses - addresses
            why = f"a group would admit {interface.label} under its other addresses ({others}) too"
            if addresses:
                self._keep(interface, addresses, traffic, why)

    def _note_dropped(self, *, narrowed: bool) -> None:
        kept = united(each.addresses for each in self._kept)
        elsewhere = (self._written - self._named) - kept
        if elsewhere:
            why = "nobody there was seen or is meant to use it" if narrowed else "nothing gets from there today"
            self._dropped.append(f"{sized(elsewhere)} outside of the networks that groups reach: {why}")
        self._dropped.append("addresses of the range that nobody bears: who gets one is no longer admitted by it")


def _unneeded(evidence: Evidence) -> str:
    use = "not meant to use it" if evidence.intended else "not seen to use it"
    return f"{use}, {evidence.window}" if evidence.window else use


def _by_id(interfaces: Iterable[Interface]) -> dict[str, Interface]:
    return {each.id: each for each in interfaces}
