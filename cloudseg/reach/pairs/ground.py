"""The common ground of one or several estates: atoms of traffic, the address line, classes and columns.

Estates that are to be compared are cut together, so that an atom or a class means the same in each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.frontends import frontends_by_target
from cloudseg.reach.handovers import Handovers
from cloudseg.reach.internet import InternetView
from cloudseg.reach.lists_met import ListsMet
from cloudseg.reach.near_ends import NearEnds
from cloudseg.reach.pairs.atoms import AddressLine, TrafficAtoms
from cloudseg.reach.pairs.columns import Columns, traits_of
from cloudseg.reach.pairs.parcels import named_addresses, named_traffics
from cloudseg.reach.pairs.paths import Routes
from cloudseg.reach.pairs.survey import Survey
from cloudseg.traffic import GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Estate
    from cloudseg.reach.handovers import Handover
    from cloudseg.reach.ways import WayIn
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Ground", "Surveyed"]


class Surveyed(NamedTuple):
    """What an estate names, before anything is cut.

    Attributes:
        survey: its lists.
        routes: the legs from every subnet with interfaces.
        view: what the internet reaches.
        handed: what load balancers hand to their targets.
    """

    survey: Survey
    routes: Routes
    view: InternetView
    handed: tuple[Handover, ...] = ()

    @staticmethod
    def of(estate: Estate, view: InternetView | None = None) -> Surveyed:
        """Look through an estate: its lists, the stages that judge each interface, the legs, the ways in."""
        view = view or InternetView(estate)
        # With the rules of firewalls on the way as lists an estate is another one than that of a view from before.
        same = view.estate is estate
        near = view.near if same else NearEnds(estate)
        survey = Survey(estate, view.met if same else ListsMet(estate, near), near)
        for interface in estate.interfaces.values():
            survey.treatment(interface)
        handovers = Handovers(estate)
        handed = [each for _, forwarder in sorted(estate.forwarders.items()) for each in handovers.of(forwarder)[0]]
        return Surveyed(survey, Routes(survey), view, tuple(handed))

    def ways(self) -> Iterator[WayIn]:
        """Yield every way from the internet to any interface."""
        for found in {
            id(ways): ways for ways in map(self.view.ways_in, self.survey.estate.interfaces.values())
        }.values():
            yield from found.ways

    def traffics(self) -> Iterator[Traffic]:
        """Yield every traffic that the estate names."""
        yield from self.survey.traffics()
        yield from {way.traffic for way in self.ways()}
        yield from named_traffics(self.survey.estate)
        for frontends in frontends_by_target(self.survey.estate).values():
            yield from {part for each in frontends for part in (each.listens, each.sends) if part is not None}
        entrances = self.survey.estate.entrances.values()
        yield from {each.listens for each in entrances if each.straight and each.listens is not None}

    def addresses(self) -> Iterator[AddressSet]:
        """Yield every set of addresses that the estate names."""
        yield from self.survey.addresses()
        yield from self.routes.addresses()
        yield from named_addresses(self.survey.estate)
        for way in self.ways():
            yield way.clients
            if way.senders is not None:
                yield way.senders


class Ground:
    """What estates have in common once they are cut.

    Attributes:
        atoms: the atoms of traffic.
        line: the address line.
        traits: what tells interfaces apart, of each estate.
        columns: classes and columns.
    """

    def __init__(self, surveyed: Sequence[Surveyed]) -> None:
        self.atoms = TrafficAtoms(traffic for each in surveyed for traffic in each.traffics())
        self.line = AddressLine((GLOBAL_UNICAST, *(part for each in surveyed for part in each.addresses())))
        self.traits = tuple(traits_of(each.survey, self.line, each.handed) for each in surveyed)
        self.columns = Columns(self.traits, self.line)
