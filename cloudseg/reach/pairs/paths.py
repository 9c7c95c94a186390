"""Which columns packets from a subnet get to, as arrays: levels of certainty, groups, subnets crossed on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from cloudseg.model import Direction, Interface
from cloudseg.reach.outside import has_unseen
from cloudseg.reach.roads.leg import wordless
from cloudseg.reach.roads.legs import is_direct, legs_from, may_hand_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from cloudseg.model import Estate
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.survey import Judgement, Survey
    from cloudseg.reach.roads.leg import Checkpoint, Handing, Leg
    from cloudseg.traffic import AddressSet

__all__ = ["AT_MOST", "NEVER", "OUTSIDE", "SURELY", "WHOMEVER", "Paths", "Post", "Routes", "boundary_of"]

NEVER: Final = 0
AT_MOST: Final = 1
SURELY: Final = 2
DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")

Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
Levels = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
OUTSIDE: Final = ("internet", "private", "unread", "service", "unknown")
"""Where packets leave the estate, in the order of the numbers in :attr:`Paths.way_out`, from 1."""
WHOMEVER: Final = ("*",)
"""Stands for whom the far end sees where it is not known which way packets go: a gateway, or who sends them."""
_LEAST: Final = ((True, SURELY), (False, AT_MOST))
_HANDED: Final[dict[Literal[""] | Handing, int]] = {"": NEVER, "no": NEVER, "maybe": AT_MOST, "surely": SURELY}


class Post(NamedTuple):
    """Where interfaces stand: qualified ids of network and subnet."""

    network: str | None
    subnet: str | None


class LevelBand(NamedTuple):
    """Levels by face: the surest that holds for every interface of a gateway, and that holds for any of them."""

    lower: NDArray[np.uint8]
    upper: NDArray[np.uint8]

    def bound(self, *, certain: bool) -> NDArray[np.uint8]:
        """Return one of the two."""
        return self.lower if certain else self.upper


class Routes:
    """The legs from every post of an estate; posts whose packets go the same ways share them."""

    def __init__(self, survey: Survey) -> None:
        self.estate = survey.estate
        self.posts: dict[Post, int] = {}
        self.legs: list[tuple[Leg, ...] | None] = []
        numbers: dict[tuple[Leg, ...] | None, int] = {}
        for interface in self.estate.interfaces.values():
            post = Post(interface.network, interface.subnet)
            if post in self.posts:
                continue
            legs = self._from(post)
            plain = None if legs is None else wordless(legs)
            if plain not in numbers:
                numbers[plain] = len(self.legs)
                self.legs.append(plain)
            self.posts[post] = numbers[plain]
        self.checkpoints = tuple(
            dict.fromkeys(checkpoint for legs in self.legs for leg in legs or () for checkpoint in leg.checkpoints)
        )
        self.judgements = {
            (subnet, direction): boundary_of(subnet, direction, survey)
            for each in self.checkpoints
            for subnet in {*each.choices(back=False), *each.choices(back=True)}
            for direction in DIRECTIONS
        }

    def _from(self, post: Post) -> tuple[Leg, ...] | None:
        network = self.estate.networks.get(post.network or "")
        if network is None:
            return None
        subnet = self.estate.subnets.get(post.subnet or "")
        return legs_from(subnet, network, self.estate)

    def addresses(self) -> Iterator[AddressSet]:
        """Yield every set of addresses that a leg leads to."""
        for legs in self.legs:
            for leg in legs or ():
                yield leg.addresses


def boundary_of(name: str, direction: Direction, survey: Survey) -> tuple[Judgement, ...]:
    """Return how the boundary of a subnet on the way judges packets that only pass through it."""
    subnet = survey.estate.subnets.get(name)
    if subnet is None:
        return ()
    passing = Interface(
        id=subnet.id, kind="network-interface", region=subnet.region, network=subnet.network, subnet=subnet.id
    )
    judged = survey.judgements(passing, direction)
    return tuple(judgement for judgement in judged if judgement.stage.at == "subnet-boundary")


class Paths:
    """The legs of an estate over the columns.

    Attributes:
        route: for each face, the number of the legs from where it stands.
        level: by legs and face, how surely packets get there.
        level_to: the same by face and legs.
        mixed_ingress: on some way groups in the rules at the far end do not match the sender.
        mixed_egress: on some way groups in the sender's rules do not match the far end.
        ingress_groups: by legs and face, whether groups in the rules at the far end match the sender.
        egress_groups: by legs and face, whether groups in the sender's rules match the far end.
        crossed: by legs and face, the number of the checkpoints on the way, 0 for none.
        crossed_to: the same by face and legs.
        translated: by legs and face, the number of the gateway whose address the far end sees, 0 for none.
        proxied: the same, of the gateway whose address it may see besides, for some of what certainly gets there under
            its sender's own.
        proxies: whether any does.
        way_out: by legs and position outside, where packets come out: a number from 1 of :data:`OUTSIDE`, else 0.
        over_internet6_to: by IPv6 face and legs, how surely packets to its address take the internet and arrive.
        answers6: by legs and IPv6 face, how surely answers to its address do.
        private: the legs by which any packets come out in a private, unread or unknown place.
        handed: by legs and face, how surely a gateway hands packets out in the face's own subnet.
        returned: by legs and face, how surely a gateway hands answers out in the sender's own subnet.
        inspected: by legs and face, the number of the firewalls that packets pass, 0 for none.
        inspections: the firewalls by number.
        out_returned: the same as ``returned`` by legs and position outside.
        handed_to: the same by face and legs.
        hands_out: whether any gateway does.
        unread_out: by legs and position outside, whether packets come out in an unread or unknown place.
        out_level: by legs and position outside, how surely they do.
        needs_public: by legs and position outside, whether the sender needs a public address.
        out_crossed: by legs and position outside, the number of the checkpoints on the way.
        out_seen: by legs and position outside, the number of the gateway whose address is seen there, 0 for none.
        out_translations: the interfaces of these gateways by number; empty where they are not known.
        crossings: the checkpoints by number.
        translations: interfaces whose address the far end sees, by number; empty where they are not known, and
            :data:`WHOMEVER` where it may be the sender itself.
    """

    def __init__(self, routes: Routes, columns: Columns) -> None:
        self._columns = columns
        self._estate: Estate = routes.estate
        faces, outside = columns.faces, columns.line.length
        count = len(routes.legs)
        self._place()
        self.level: Levels = np.zeros((count, faces), dtype=np.uint8)
        self.ingress_groups = np.ones((count, faces), dtype=bool)
        self.egress_groups = np.ones((count, faces), dtype=bool)
        self.crossed = np.zeros((count, faces), dtype=np.int32)
        self.translated = np.zeros((count, faces), dtype=np.int32)
        self.proxied = np.zeros((count, faces), dtype=np.int32)
        self.way_out: Levels = np.zeros((count, outside), dtype=np.uint8)
        self.out_level: Levels = np.zeros((count, outside), dtype=np.uint8)
        self.needs_public = np.zeros((count, outside), dtype=bool)
        self.out_crossed = np.zeros((count, outside), dtype=np.int32)
        self.out_seen = np.zeros((count, outside), dtype=np.int32)
        self.out_translations: list[tuple[str, ...]] = [()]
        self._from_gateways: dict[tuple[str, ...], LevelBand] = {}
        self._windows: dict[tuple[int, int, bytes], slice] = {}
        self.handed: Levels = np.zeros((count, faces), dtype=np.uint8)
        self.returned: Levels = np.zeros((count, faces), dtype=np.uint8)
        self.inspections: list[frozenset[str]] = [frozenset()]
        self.inspected = np.zeros((count, faces), dtype=np.uint16)
        self.out_returned: Levels = np.zeros((count, outside), dtype=np.uint8)
        self.crossings: list[tuple[Checkpoint, ...]] = [()]
        self.translations: list[tuple[str, ...]] = [()]
        for number, legs in enumerate(routes.legs):
            if legs is None:
                self._anywhere(number)
            else:
                # What is certain is written last: it stays where legs of both kinds lead to one place.
                for leg in sorted(legs, key=lambda leg: leg.certain):
                    self._add(number, leg)
        self.proxied[(self.level < SURELY) | (self.translated > 0)] = 0
        self.proxies = bool(self.proxied.any())
        self.route = np.array([routes.posts.get(post, 0) for post in self._posts], dtype=np.intp)
        self.unread_out = np.isin(self.way_out, _numbers("unread", "unknown"))
        private = self.unread_out | np.isin(self.way_out, _numbers("private"))
        self._privately = {sure: private & (self.out_level >= least) for sure, least in _LEAST}
        self.private = frozenset(np.flatnonzero(private.any(axis=1)).tolist())
        self.handed_to = np.ascontiguousarray(self.handed.T)
        self.hands_out = bool(self.handed.any())
        self.crossed_to = np.ascontiguousarray(self.crossed.T)
        self.level_to = np.ascontiguousarray(self.level.T)
        self._note_internet()
        self.mixed_ingress = not bool(self.ingress_groups.all())
        self.mixed_egress = not bool(self.egress_groups.all())

    def _place(self) -> None:
        """Note where each face stands."""
        estate, columns = self._estate, self._columns
        members = (next((m for m in own.members if m in estate.interfaces), "") for own in columns.classes)
        firsts = [estate.interfaces.get(name) for name in members]
        owners = [firsts[int(number)] for number in columns.owner]
        self._posts = [Post(None, None) if each is None else Post(each.network, each.subnet) for each in owners]
        networks = {name: number for number, name in enumerate(sorted(estate.networks), 1)}
        self._network_numbers = networks
        self._network = np.array([networks.get(post.network or "", 0) for post in self._posts], dtype=np.int32)
        self._homeless = np.array([post.network is None for post in self._posts], dtype=bool)
        names = {name: number for number, name in enumerate(sorted({post.subnet or "" for post in self._posts}))}
        self._subnet = np.array([names[post.subnet or ""] for post in self._posts], dtype=np.int32)
        self._subnet_numbers = names
        # Nothing stands near what shares a subnet with it whose routes lead packets inside it elsewhere.
        led = np.array([not is_direct(post.subnet, estate) for post in self._posts], dtype=bool)
        self._no_subnet = names.get("", -1)
        self._beside = np.where(led | (self._subnet == self._no_subnet), -1, self._subnet).astype(np.int32)
        doors = {name for name in names if may_hand_out(name, estate)}
        self._door = np.array([(post.subnet or "") in doors for post in self._posts], dtype=bool)

    def place(self, face: int) -> int:
        """Return the number of the subnet of a face; -1 where no face stands near it."""
        return int(self._beside[face])

    def privately(self, legs: int, *, certain: bool) -> NDArray[np.bool_]:
        """Return at which positions outside packets come out in a private, unread or unknown place."""
        found: NDArray[np.bool_] = self._privately[certain][legs]
        return found

    def is_near(self, face: int, columns: slice) -> NDArray[np.bool_]:
        """Return which of some faces stand in the same subnet as a face, straight to which packets go.

        None do where the subnet is not known.
        """
        own = self._beside[face]
        found: NDArray[np.bool_] = np.equal(self._beside[columns], own if own >= 0 else -2)
        return found

    def window(self, face: int, family: slice) -> slice:
        """Return a slice of a face's family outside of which nothing gets to the face: in large estates a small part.

        What is sent to one of its public addresses over the internet does not count, but for IPv6, where public and
        private addresses are the same.
        """
        reaching = self.level_to[face] > NEVER
        if face >= self._columns.families:
            reaching |= self.over_internet6_to[face - self._columns.families] > NEVER
        key = (family.start, int(self._beside[face]), reaching.tobytes())
        known = self._windows.get(key)
        if known is None:
            here = np.flatnonzero(reaching[self.route[family]] | self.is_near(face, family))
            start = family.start + (int(here[0]) if len(here) else 0)
            stop = family.start + (int(here[-1]) + 1 if len(here) else 0)
            known = self._windows[key] = slice(start, stop)
        return known

    def reached(self, owner: NDArray[np.intp], kind: NDArray[np.intp], count: int) -> tuple[Indexes, Indexes]:
        """Return the first face and the end of the faces that packets may get to from the faces of each kind of sender.

        Args:
            owner: for each face the number of its class.
            kind: for each class the number of its kind.
            count: how many kinds there are.
        """
        first, last = np.full(count, self._columns.faces, dtype=np.intp), np.zeros(count, dtype=np.intp)
        reached = self.level > NEVER
        reached[:, self._columns.families :] |= self.over_internet6_to.T > NEVER
        kinds = kind[owner] if len(reached) else kind[:0]
        if not len(kinds):
            return last, last
        for (low, high), number in ((_ends_of(reached), self.route), (self._ends_of_subnets(), self._subnet)):
            np.minimum.at(first, kinds, low[number])
            np.maximum.at(last, kinds, high[number])
        return np.minimum(first, last), last

    def _ends_of_subnets(self) -> tuple[Indexes, Indexes]:
        """Return for each subnet its first face and the end of its faces."""
        faces, count = np.arange(self._columns.faces, dtype=np.intp), len(self._subnet_numbers)
        first, last = np.full(count, self._columns.faces, dtype=np.intp), np.zeros(count, dtype=np.intp)
        np.minimum.at(first, self._subnet, faces)
        np.maximum.at(last, self._subnet, faces + 1)
        return first, last

    def _note_internet(self) -> None:
        """Note for which IPv6 faces packets take the internet: there they bear the same addresses as inside."""
        columns, estate = self._columns, self._estate
        served: dict[str, int] = {}
        for gateway in estate.gateways.values():
            if gateway.kind == "internet-gateway" and gateway.active is not False:
                served.update(dict.fromkeys(gateway.networks, SURELY if gateway.active else AT_MOST))
        six = slice(columns.families, columns.faces)
        places = columns.positions(six)
        level = np.where(self.way_out[:, places] == OUTSIDE.index("internet") + 1, self.out_level[:, places], NEVER)
        taken = np.array([self._taken_in(post, served) for post in self._posts[six]], dtype=np.uint8)
        self.over_internet6_to = np.ascontiguousarray(np.minimum(level, taken).T)
        # An egress-only gateway lets no answers out to what did not come through it.
        self.answers6 = np.where(self.needs_public[:, places], np.minimum(level, taken), NEVER)

    def _taken_in(self, post: Post, served: Mapping[str, int]) -> int:
        """Return how surely packets from the internet get to where an interface with a global IPv6 address stands."""
        subnet = self._estate.subnets.get(post.subnet or "")
        if subnet is None or subnet.internet_block in {"inbound", "ingress", "bidirectional"}:
            return NEVER
        return min(served.get(post.network or "", NEVER), SURELY if subnet.internet_block == "off" else AT_MOST)

    def level_from(self, names: tuple[str, ...]) -> LevelBand:
        """Return how surely packets get from the interfaces of a gateway to each face: from all of them, from any."""
        known = self._from_gateways.get(names)
        if known is None:
            each: list[NDArray[np.uint8]] = []
            for face in self._columns.faces_of(names).tolist():
                level = self.level[self.route[face]].copy()
                level[self.is_near(face, slice(0, self._columns.faces))] = SURELY
                each.append(level)
            unknown = np.full(self._columns.faces, AT_MOST, dtype=np.uint8)
            known = LevelBand(np.minimum.reduce(each), np.maximum.reduce(each)) if each else LevelBand(unknown, unknown)
            self._from_gateways[names] = known
        return known

    def _anywhere(self, number: int) -> None:
        """Note that nothing is known about where packets get: the network was not read."""
        self.level[number] = AT_MOST
        self.way_out[number] = OUTSIDE.index("unknown") + 1
        self.out_level[number] = AT_MOST
        self.handed[number][self._door] = AT_MOST
        self.returned[number] = AT_MOST
        self.out_returned[number] = AT_MOST

    def _add(self, number: int, leg: Leg) -> None:
        if leg.end == "nowhere":
            return
        if leg.end in {"network", "unknown", "unread"}:
            self._inside(number, leg)
        if leg.end != "network":
            self._outside(number, leg)
        elif has_unseen(leg.network, self._estate):
            self._outside(number, leg._replace(end="unread", certain=False))

    def _inside(self, number: int, leg: Leg) -> None:
        choice = self._columns.choose(leg.addresses)
        there = np.zeros(self._columns.faces, dtype=np.uint8)
        for start, end in choice.runs:
            there[start : min(end, self._columns.faces)] = SURELY
        if choice.maybe is not None and choice.sure is not None:
            there[choice.maybe] = AT_MOST
            there[choice.sure] = SURELY
        if leg.end == "network":
            # An interface whose network was not read may stand in this one.
            home = self._network == self._network_numbers.get(leg.network or "", -1)
            there[~home & ~self._homeless] = NEVER
            there[~home & self._homeless & (there > NEVER)] = AT_MOST
            # Packets that come in by one zone are handed on to every other; that answers cannot leave from there is
            # told by the legs of those who answer. Source:
            # https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
        if leg.end == "unread":
            # The network was not read, but some of its interfaces may have been.
            own = np.array([post.network == leg.network for post in self._posts], dtype=bool)
            there[~own & ~self._homeless] = NEVER
        if not leg.certain or leg.end != "network":
            there = np.minimum(there, AT_MOST)
        crossing = np.full(self._columns.faces, self._crossing(leg.checkpoints), dtype=np.int32)
        handed = np.zeros(self._columns.faces, dtype=np.uint8)
        if leg.from_subnets is None:
            handed[self._door] = AT_MOST
        for subnet in leg.from_subnets or ():
            near = self._subnet == self._subnet_numbers.get(subnet, -1)
            crossing[near] = self._crossing(leg.checkpoints_to(subnet))
            handed[near] = _HANDED[leg.handing(subnet)]
        translated = 0 if leg.seen_as is None else self._translation(WHOMEVER if leg.astray else leg.seen_as)
        if leg.screens and leg.seen_as and not (leg.certain or leg.astray):
            self.proxied[number][there > NEVER] = translated
        better = there > self.level[number]
        self.level[number][better] = there[better]
        self.ingress_groups[number][better] = leg.ingress_groups
        self.egress_groups[number][better] = leg.egress_groups
        self.crossed[number][better] = crossing[better]
        self.handed[number][better] = handed[better]
        self.returned[number][better] = _HANDED[leg.returns]
        self.inspected[number][better] = self._inspection(leg.inspectors)
        self.translated[number][better] = translated
        # Of several ways that packets may take, the upper bound holds what any of them lets through.
        also = (there == AT_MOST) & (self.level[number] == AT_MOST) & ~better
        if also.any():
            self.ingress_groups[number][also] |= leg.ingress_groups
            self.egress_groups[number][also] |= leg.egress_groups
            self.crossed[number][also & (self.crossed[number] != crossing)] = 0
            self.handed[number][also] = np.maximum(self.handed[number], handed)[also]
            self.returned[number][also] = np.maximum(self.returned[number][also], _HANDED[leg.returns])
            self.translated[number][also & (self.translated[number] != translated)] = self._translation(WHOMEVER)

    def _outside(self, number: int, leg: Leg) -> None:
        level = SURELY if leg.certain and leg.end in {"internet", "private", "service"} else AT_MOST
        seen = 0
        # Where nobody knows which way packets go, less is stopped without a gateway that translates than with one.
        if leg.seen_as is not None and not leg.astray:
            if leg.seen_as not in self.out_translations[1:]:
                self.out_translations.append(leg.seen_as)
            seen = self.out_translations.index(leg.seen_as, 1)
        returned = _HANDED[leg.returns]
        kind, crossing = OUTSIDE.index(leg.end) + 1, self._crossing(leg.checkpoints)
        for start, end in self._columns.line.runs(leg.addresses):
            part = (number, slice(start, end))
            known = self.out_level[part]
            better, also = known < level, (known == AT_MOST) & (level == AT_MOST)
            self.needs_public[part] = np.where(better, leg.needs_public, self.needs_public[part])
            self.needs_public[part] &= ~also | leg.needs_public
            most = np.where(also, np.maximum(self.out_returned[part], returned), self.out_returned[part])
            self.out_returned[part] = np.where(better, returned, most)
            for found, value, neutral in (
                (self.way_out, kind, OUTSIDE.index("unknown") + 1),
                (self.out_crossed, crossing, 0),
                (self.out_seen, seen, 0),
            ):
                found[part] = np.where(also & (found[part] != value), neutral, np.where(better, value, found[part]))
            self.out_level[part] = np.maximum(known, level)

    def uneven(self, face: int, columns: slice) -> NDArray[np.bool_] | None:
        """Return from which faces packets to a face pass other firewalls than the answers; None for no firewalls.

        Source: https://docs.aws.amazon.com/network-firewall/latest/developerguide/asymmetric-routing.html
        """
        if len(self.inspections) == 1:
            return None
        found: NDArray[np.bool_] = np.not_equal(
            self.inspected[self.route[columns], face], self.inspected[self.route[face], columns]
        )
        return found

    def _inspection(self, inspectors: frozenset[str]) -> int:
        if inspectors not in self.inspections:
            self.inspections.append(inspectors)
        return self.inspections.index(inspectors)

    def _crossing(self, checkpoints: tuple[Checkpoint, ...]) -> int:
        if checkpoints not in self.crossings:
            self.crossings.append(checkpoints)
        return self.crossings.index(checkpoints)

    def _translation(self, seen_as: tuple[str, ...]) -> int:
        if seen_as not in self.translations[1:]:
            self.translations.append(seen_as)
        return self.translations.index(seen_as, 1)


def _numbers(*kinds: str) -> list[int]:
    """Return the numbers of places outside."""
    return [OUTSIDE.index(kind) + 1 for kind in kinds]


def _ends_of(marked: NDArray[np.bool_]) -> tuple[Indexes, Indexes]:
    """Return for each row the first marked column, and the one behind the last; of a row without any, its ends."""
    count, columns = marked.shape
    first, last = np.full(count, columns, dtype=np.intp), np.zeros(count, dtype=np.intp)
    some = np.flatnonzero(marked.any(axis=1))
    first[some] = marked[some].argmax(axis=1)
    last[some] = columns - marked[some, ::-1].argmax(axis=1)
    return first, last
