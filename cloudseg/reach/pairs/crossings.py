"""What the boundaries of subnets on the way let through: those of transit gateways, NAT gateways and firewalls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from cloudseg.model import Direction
    from cloudseg.reach.pairs.columns import Columns
    from cloudseg.reach.pairs.paths import Paths, Routes
    from cloudseg.reach.pairs.rows import RowMaker, Rows
    from cloudseg.reach.roads.leg import Checkpoint

__all__ = ["Back", "Crossings"]


class Back(NamedTuple):
    """What is let back along the same way, by port of the client and by port of a gateway that translates.

    Attributes:
        source: by the column of the client.
        target: by the column of the far end.
        translated: by the column of the far end, for the ports that a gateway chooses.
    """

    source: Rows
    target: Rows
    translated: Rows


class Crossings:
    """Masks of the checkpoints on the way, by the number of their sequence.

    A checkpoint asks about one end only: where packets enter the subnet of a gateway its list sees the source, where
    they leave it, the destination. Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html

    Attributes:
        open: no boundary on any way stops anything.
    """

    def __init__(self, routes: Routes, paths: Paths, rows: RowMaker, columns: Columns) -> None:
        self._routes = routes
        self._paths = paths
        self._rows = rows
        self._columns = columns
        self.open = not any(routes.judgements.values())
        self._kept: dict[tuple[int, bool], tuple[Rows, Rows]] = {}
        self._backs: dict[tuple[int, bool], Back] = {}

    def masks(self, number: int, *, certain: bool) -> tuple[Rows, Rows]:
        """Return what a sequence lets through by source, and what it lets through by destination."""
        key = (number, certain)
        if key not in self._kept:
            source, target = self._rows.full(), self._rows.full()
            for checkpoint in self._paths.crossings[number]:
                row = self._row(checkpoint.choices(back=False), checkpoint.direction, certain=certain)
                if checkpoint.by == "destination":
                    target &= row
                else:
                    source &= self._of_source(checkpoint, row, certain=certain)
            self._kept[key] = source, target
        return self._kept[key]

    def back(self, number: int, *, certain: bool) -> Back:
        """Return what a sequence lets through in the opposite direction."""
        key = (number, certain)
        if key not in self._backs:
            back = Back(self._rows.full(), self._rows.full(), self._rows.full())
            for checkpoint in self._paths.crossings[number]:
                opposite = _OPPOSITE[checkpoint.direction]
                row = self._row(checkpoint.choices(back=True), opposite, certain=certain)
                found: Rows = back.target if checkpoint.seen_as is None else back.translated
                if checkpoint.by == "source":
                    found = back.source if checkpoint.seen_as is None else back.translated
                    row = self._of_source(checkpoint, row, certain=certain)
                found &= row
            self._backs[key] = back
        return self._backs[key]

    def _row(self, subnets: tuple[str, ...], direction: Direction, *, certain: bool) -> Rows:
        """Return what a boundary lets through; of several that may be the one, all of them or any."""
        each: list[Rows] = []
        for subnet in subnets:
            row = self._rows.full()
            for judgement in self._routes.judgements[subnet, direction] if subnet else ():
                row &= self._rows.boundary(judgement).bound(certain=certain)
            each.append(row)
        found: Rows = (np.bitwise_and if certain else np.bitwise_or).reduce(each)
        return found

    def _of_source(self, checkpoint: Checkpoint, row: Rows, *, certain: bool) -> Rows:
        """Return what the boundary lets through by source: of everybody the same where it sees a gateway's address."""
        if checkpoint.seen_as is None:
            return row
        faces = self._columns.faces_of(checkpoint.seen_as)
        if not len(faces):
            return np.zeros_like(row) if certain else self._rows.full()
        words = (np.bitwise_and if certain else np.bitwise_or).reduce(row[:, faces], axis=1)
        found: Rows = np.broadcast_to(words[:, None], row.shape)
        return found


_OPPOSITE: dict[Direction, Direction] = {"ingress": "egress", "egress": "ingress"}
