"""Ways from one address of an estate to another, as chains of links from one end to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import shown_id
from cloudseg.reach.explaining.answers import CARRIED, Running
from cloudseg.reach.explaining.rules import Other
from cloudseg.reach.explaining.walk import Block, Walk, enters_gateway, merged
from cloudseg.reach.explaining.ways import (
    approaches,
    are_near,
    handing,
    over_internet6,
    proxied,
    route_links,
    ways_back,
)
from cloudseg.reach.pairs.paths import AT_MOST, NEVER, SURELY
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudseg.model import Interface
    from cloudseg.reach.explaining.ends import Face
    from cloudseg.reach.explaining.link import Chain, Link
    from cloudseg.reach.explaining.links import Linker
    from cloudseg.reach.explaining.ways import Approach
    from cloudseg.reach.roads.leg import Checkpoint, Leg
    from cloudseg.traffic import AddressSet

__all__ = ["Walker"]


class Walker:
    """Walks ways inside of an estate.

    Args:
        linker: makes the links.
        parts: cuts the addresses of an interface into those that no rule tells apart.
        cut: cuts addresses the same way.
    """

    def __init__(
        self,
        linker: Linker,
        parts: Callable[[Interface], Sequence[Face]],
        cut: Callable[[AddressSet], Sequence[AddressSet]],
    ) -> None:
        self.linker = linker
        self.estate = linker.estate
        self.parts = parts
        self.cut = cut

    def inside(self, source: Face, target: Face) -> Iterator[Walk]:
        """Yield the ways from one address of the estate to another: one, or several of which one is taken."""
        if are_near(source.interface, target.interface, self.estate):
            yield self._near(source, target)
            return
        there = approaches(source.interface, target.interface, target.addresses, self.estate)
        back = ways_back(target.interface, source, self.estate)
        yield from self._half_outside(source, target, there, back)
        for out in there:
            if out.level > NEVER and out.leg is not None and out.leg.seen_as is not None:
                yield self._translated(source, target, out, out.leg, out.leg.seen_as)
            else:
                yield from (self._by(source, target, out, home) for home in back)
        for out in proxied(source.interface, target.interface, target.addresses, self.estate):
            if out.leg is not None and out.leg.seen_as is not None:
                yield self._translated(source, target, out, out.leg, out.leg.seen_as)

    def _half_outside(
        self, source: Face, target: Face, there: Sequence[Approach], back: Sequence[Approach]
    ) -> Iterator[Walk]:
        """Yield the ways between IPv6 addresses of which one half lies inside and the other leads over the internet."""
        outward = over_internet6(source.interface, target, self.estate, answers=False)
        homeward = over_internet6(target.interface, source, self.estate, answers=True)
        if outward is not None:
            yield from (self._by(source, target, outward, home) for home in back if home.level > NEVER)
        if homeward is not None:
            inside = (out for out in there if out.level > NEVER and (out.leg is None or out.leg.seen_as is None))
            yield from (self._by(source, target, out, homeward) for out in inside)

    def _near(self, source: Face, target: Face) -> Walk:
        subnet = source.interface.subnet or ""
        text = f"both stand in {shown_id(subnet)}: no route and no boundary is met"
        there = Other(target.addresses, target.interface)
        here = Other(source.addresses, source.interface)
        links = [
            *self.linker.stateful(source.interface, "egress", there, target.text),
            self.linker.passing("route", text, subnet),
            *self.linker.stateful(target.interface, "ingress", here, source.text),
        ]
        return self.walk(source.addresses, target, links)._replace(seen_by_source=(there,), seen_by_target=(here,))

    def _by(self, source: Face, target: Face, out: Approach, home: Approach) -> Walk:
        linker, leg = self.linker, out.leg
        there = Other(target.addresses, target.interface, leg is None or leg.egress_groups)
        here = Other(source.addresses, source.interface, leg is None or leg.ingress_groups)
        links = linker.stateful(source.interface, "egress", there, target.text)
        links += linker.boundary(source.interface, "egress", there, target.text)
        links += route_links(linker, source.interface, out)
        links += self._crossed(leg, target.interface.subnet, source, (there, target.text))
        handed = handing(leg, target.interface.subnet, self.estate)
        links += linker.boundary(target.interface, "ingress", here, source.text, handed)
        links += linker.stateful(target.interface, "ingress", here, source.text)
        links += route_links(linker, target.interface, home, back=True)
        links += self._past_firewall(out, home)
        links += self._home(source, target, home.leg, "client")
        return self.walk(source.addresses, target, links)._replace(seen_by_source=(there,), seen_by_target=(here,))

    def _past_firewall(self, out: Approach, home: Approach) -> list[Link]:
        """Return the link of firewalls that one direction alone passes: of half a connection they may drop the rest.

        Source: https://docs.aws.amazon.com/network-firewall/latest/developerguide/asymmetric-routing.html
        """
        there, back = (frozenset[str]() if each.leg is None else each.leg.inspectors for each in (out, home))
        if there == back or min(out.level, home.level) < SURELY:
            return []
        names = ", ".join(shown_id(name) for name in sorted(there ^ back))
        doubt = f"only one direction of the connection passes {names}"
        return [self.linker.doubtful("return-route", "replies: through the same firewalls as requests", (doubt,))]

    def _home(self, source: Face, target: Face, leg: Leg | None, chain: Chain) -> list[Link]:
        """Return the links of the lists that answers meet from one address to another, by a leg of their own."""
        linker = self.linker
        there = Other(target.addresses, target.interface)
        here = Other(source.addresses, source.interface)
        links = linker.answers(target.interface, "egress", here, source.text, chain)
        links += self._crossed(leg, source.interface.subnet, target, (here, source.text), chain)
        handed = handing(leg, source.interface.subnet, self.estate)
        return links + linker.answers(source.interface, "ingress", there, target.text, chain, handed)

    def _crossed(
        self, leg: Leg | None, subnet: str | None, source: Face, to: tuple[Other, str], chain: Chain = ""
    ) -> list[Link]:
        """Return the links of the boundaries on the way to an interface in a subnet.

        Args:
            leg: the way.
            subnet: the subnet.
            source: who sends.
            to: who takes, and the same in words.
            chain: for answers, whose port they go to.
        """
        links: list[Link] = []
        for point in () if leg is None else leg.checkpoints_to(subnet):
            others, who = self.at(point, source, *to)
            links += self.linker.checkpoint(point, others, who, chain=chain)
        return links

    def at(self, point: Checkpoint, source: Face, target: Other, who: str) -> tuple[Sequence[Other], str]:
        """Return whom the list of a checkpoint sees at the remote side, and the same in words."""
        if point.by == "destination":
            return [target._replace(grouped=False)], who
        if point.seen_as is None:
            return [Other(source.addresses, source.interface, grouped=False)], source.text
        seen = [Other(face.addresses, face.interface, grouped=False) for face in self.faces(point.seen_as, source)]
        return seen, ", ".join(str(other.addresses) for other in seen)

    def faces(self, names: Sequence[str], like: Face) -> list[Face]:
        """Return the addresses of interfaces that are of the same family as another address."""
        interfaces = (self.estate.interfaces.get(name) for name in names)
        found = [face for each in interfaces if each is not None for face in self.parts(each)]
        return [face for face in found if face.family == like.family]

    def translation(self, names: Sequence[str], source: Face) -> Link:
        """Return the link of a gateway that translates: what it carries, and whose address is seen behind it."""
        faces = self.faces(names, source)
        text = "from here on an address that is not known stands for the source"
        if faces:
            seen = ", ".join(str(face.addresses) for face in faces)
            text = f"from here on {', '.join(map(shown_id, names))} ({seen}) stands for the source"
        carried = self.linker.traffic & CARRIED
        reason = "" if carried == self.linker.traffic else f"a NAT gateway carries only {CARRIED}"
        link = self.linker.passing("translation", text, names[0] if names else "")
        return link._replace(lower=carried, upper=carried, reason=reason)

    def returned(self, names: Sequence[str], source: Face) -> Link:
        """Return the link of the way of answers from a gateway that translates to the source."""
        faces = self.faces(names, source)
        found: list[Approach] = []
        for face in faces:
            if not are_near(face.interface, source.interface, self.estate):
                ways = approaches(face.interface, source.interface, source.addresses, self.estate)
                found.append(max(ways, key=lambda each: each.level))
        text = f"replies: from the gateway to {source.text}"
        if not faces:
            return self.linker.doubtful("return-route", text, ("which interface the gateway has was not read",))
        link = self.linker.passing("return-route", text, names[0])
        if any(each.level < SURELY for each in found):
            reasons = [each.reason or "; ".join(each.doubts) for each in found if each.level < SURELY]
            some = len(found) < len(faces) or any(each.level >= AT_MOST for each in found)
            if not some:
                return self.linker.blocking("return-route", text, reasons[0], names[0])
            return self.linker.doubtful("return-route", text, reasons, names[0])
        return link

    def _translated(self, source: Face, target: Face, out: Approach, leg: Leg, names: Sequence[str]) -> Walk:
        """Return the way through a gateway that translates: each half of it is answered by itself."""
        linker = self.linker
        there = Other(target.addresses, target.interface, grouped=leg.astray and leg.egress_groups)
        links = linker.stateful(source.interface, "egress", there, target.text)
        links += linker.boundary(source.interface, "egress", there, target.text)
        links += self.way(source, out)
        links += self._crossed(leg, target.interface.subnet, source, (there, target.text))
        faces = self.faces(names, source)
        block = self.together([self._from_gateway(face, target) for face in faces]) if faces else self._unseen(target)
        links += block.links
        links.append(self.returned(names, source))
        links += self._handed_back(leg, target.interface.subnet, source, (there, target.text))
        walk = self.walk(source.addresses, target, links, block)
        seen = tuple(Other(face.addresses, face.interface, grouped=False) for face in faces)
        return walk._replace(seen_by_source=(there,), seen_by_target=seen)

    def way(self, source: Face, out: Approach) -> list[Link]:
        """Return the links of the routes that decide, with one that says where another address takes over."""
        links = route_links(self.linker, source.interface, out)
        seen_as = None if out.leg is None else out.leg.seen_as
        if out.leg is not None and out.leg.astray:
            doubt = "which way they go from here was not read, nor whether a gateway stands for the source"
            links.append(self.linker.doubtful("translation", "the way is not known from here on", (doubt,)))
        elif seen_as is not None:
            behind = [number for number, link in enumerate(links, 1) if link.text.startswith("nat gateway")]
            links.insert(behind[-1] if behind else len(links), self.translation(seen_as, source))
        return links

    def _from_gateway(self, gateway: Face, target: Face) -> list[Link]:
        """Return the links between a gateway and the target: what it lets in, and what it answers."""
        linker = self.linker
        here = Other(gateway.addresses, gateway.interface, grouped=False)
        if are_near(gateway.interface, target.interface, self.estate):
            return linker.stateful(target.interface, "ingress", here, gateway.text)
        out = approaches(gateway.interface, target.interface, target.addresses, self.estate)[0]
        homes = ways_back(target.interface, gateway, self.estate)
        home = max(homes, key=lambda each: each.level)
        links: list[Link] = []
        handed = handing(out.leg, target.interface.subnet, self.estate)
        links += linker.boundary(target.interface, "ingress", here, gateway.text, handed)
        links += linker.stateful(target.interface, "ingress", here, gateway.text)
        links += route_links(linker, target.interface, home, back=True)
        return links + self._home(gateway, target, home.leg, "target")

    def _unseen(self, target: Face) -> Block:
        """Return what a target lets in of a gateway of which no interface is known: everything at most."""
        linker = self.linker
        doubt = "which address the target sees was not read"
        link = linker.doubtful("stage", f"lists of {target.text}", (doubt,), target.interface.id)
        return Block([link._replace(direction="ingress")], NO_TRAFFIC, linker.traffic)

    def answers_by(self, leg: Leg, subnet: str | None, source: Face, to: tuple[Other, str]) -> list[Link]:
        """Return the links of the lists that answers meet on the same way back, through a gateway that translates.

        Args:
            leg: the way.
            subnet: the subnet of the target; None outside of the estate.
            source: who asked.
            to: who answers, and the same in words.
        """
        links: list[Link] = []
        for point in reversed(leg.checkpoints_to(subnet)):
            others, who = self.at(point, source, *to)
            chain: Chain = "client" if point.seen_as is None else "gateway"
            links += self.linker.checkpoint(point, others, who, back=True, chain=chain)
        # Where a gateway in the client's own subnet translates, answers cross the boundary to the gateway's port.
        beside = leg.seen_as is not None and not enters_gateway(leg.checkpoints_to(subnet))
        chain = "gateway" if beside else "client"
        return links + self.linker.answers(source.interface, "ingress", *to, chain, leg.returns or "no")

    def _handed_back(self, leg: Leg, subnet: str | None, source: Face, to: tuple[Other, str]) -> list[Link]:
        """Return the links of the lists that answers meet from a gateway that translates back to the source.

        How they came to the gateway is told by the legs of the one who answers. A source in the gateway's own subnet
        gets them across no boundary.
        """
        links: list[Link] = []
        crossed = leg.checkpoints_to(subnet)
        for point in reversed(crossed):
            if point.seen_as is None:
                others, who = self.at(point, source, *to)
                links += self.linker.checkpoint(point, others, who, back=True, chain="client")
        if enters_gateway(crossed):
            links += self.linker.answers(source.interface, "ingress", *to, "client", leg.returns or "no")
        return links

    def together(self, each: Sequence[Sequence[Link]]) -> Block:
        """Return the same links asked about several addresses as one: all must pass for sure, any one at most."""
        lower, upper = self.linker.traffic, NO_TRAFFIC
        for links in each:
            one = self.run(links)
            lower, upper = lower & one.lower, upper | one.upper
        same = len({len(links) for links in each}) == 1
        links = [merged(some) for some in zip(*each, strict=True)] if same else list(each[0])
        return Block(links, lower, upper)

    def run(self, links: Sequence[Link]) -> Running:
        """Return what is left of the traffic after links."""
        running = Running(self.linker.traffic)
        for link in links:
            running.add(link)
        return running

    def walk(self, source: AddressSet, target: Face, links: Sequence[Link], block: Block | None = None) -> Walk:
        """Return the walk over links to an interface; a block tells more exactly what passes its links together."""
        run = self.run(links)
        lower, upper = run.lower, run.upper
        if block is not None:
            lower, upper = lower & block.lower, upper & block.upper
        end = self.linker.passing("delivered", target.text, target.interface.id)
        return Walk(source, target.addresses, (*links, end), lower, upper)

    def narrowed(self, walk: Walk, link: Link, *, at_end: bool) -> Walk:
        """Return a walk with one more link, before its end or at its beginning."""
        *links, end = walk.links
        links = [*links, link] if at_end else [link, *links]
        return walk._replace(links=(*links, end), lower=walk.lower & link.lower, upper=walk.upper & link.upper)
