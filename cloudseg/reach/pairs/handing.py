"""What gets from the nodes of load balancers to a target under addresses that are not their own.

Such packets meet the lists of the node's side as its own packets do, and those of the target's side as their client's.
Sources:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.pairs.paths import AT_MOST, NEVER, SURELY
from cloudseg.reach.pairs.replies import Replies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.edges import Edges
    from cloudseg.reach.pairs.ground import Ground
    from cloudseg.reach.pairs.paths import Paths
    from cloudseg.reach.pairs.rows import Admission, RowMaker, Rows
    from cloudseg.reach.pairs.senders import Senders
    from cloudseg.reach.pairs.survey import Judgement

__all__ = ["Admitted", "Handing"]


class Admitted(NamedTuple):
    """What the lists of a target let in, one bound.

    Attributes:
        plain: what its groups admit by address, by word and column.
        named: what they admit because a rule names a group of the sender, by word and column.
        boundary: what the boundary of its subnet lets in and back out; None for everything.
    """

    plain: Rows
    named: Rows
    boundary: Rows | None

    def of_any(self, chosen: NDArray[np.intp], named: Words | None, *, near: bool) -> Words:
        """Return what is let in of any of some clients.

        A rule that names a group of the load balancer admits them as well, but none that names a group of theirs.
        Sources:
        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html and
        https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html

        Args:
            chosen: their columns.
            named: what is admitted because a rule names a group of the node that hands them on.
            near: the node stands in the target's subnet.
        """
        words: Words = np.zeros(len(self.plain), dtype=np.uint64)
        if not len(chosen):
            return words
        rows = self.plain[:, chosen]
        if near or self.boundary is None:
            words = np.bitwise_or.reduce(rows, axis=1)
            return words if named is None else words | named
        passed = self.boundary[:, chosen]
        words = np.bitwise_or.reduce(rows & passed, axis=1)
        return words if named is None else words | (named & np.bitwise_or.reduce(passed, axis=1))


class Handing:
    """Judges what nodes hand on.

    Args:
        ground: atoms and columns.
        paths: the ways of packets.
        senders: what senders let out.
        outward: the edges of classes for what leaves them.
        inward: the same for what comes to them.
        rows: makes the rows.
        free: no boundary on any way between subnets stops anything.
    """

    def __init__(
        self,
        ground: Ground,
        paths: Paths,
        senders: Senders,
        outward: Edges,
        inward: Edges,
        rows: RowMaker,
        *,
        free: bool,
    ) -> None:
        self._paths = paths
        self._senders = senders
        self._out = outward
        self._in = inward
        self._rows = rows
        self._free = free
        self._columns = ground.columns
        self._class = ground.columns.owner
        self._replies = None if outward.open and inward.open else Replies(ground.atoms)

    def near(self, face: int, nodes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which faces stand in the same subnet as a face."""
        found: NDArray[np.bool_] = self._paths.is_near(face, slice(0, self._columns.faces))[nodes]
        return found

    def groups_hold(self, face: int, nodes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return for which faces a rule of the target that names a group of theirs matches."""
        found: NDArray[np.bool_] = self._paths.ingress_groups[self._paths.route[nodes], face]
        return found | self.near(face, nodes)

    def passing(self, face: int, nodes: NDArray[np.intp], *, certain: bool) -> Rows:
        """Return what gets from faces of nodes to a face before the target's side is asked, by word and node."""
        paths, near = self._paths, self.near(face, nodes)
        routes, own = paths.route[nodes], paths.route[face]
        level = np.minimum(paths.level_to[face][routes], paths.level[own, nodes])
        # Behind a gateway that translates, nobody sees the client any more.
        level = np.where((paths.translated[routes, face] > 0) | (paths.translated[own, nodes] > 0), NEVER, level)
        level[near] = SURELY
        found = self._senders.towards(face, self._class[nodes], certain=certain, grouped=True)
        if paths.mixed_egress:
            holds = near | paths.egress_groups[routes, face]
            plain = self._senders.towards(face, self._class[nodes], certain=certain, grouped=False)
            found = np.where(holds, found, plain)
        if certain:
            far = self._let_out(face, nodes)
            if not self._free:
                # What boundaries on the way make of packets that bear somebody else's address is not worked out.
                far = far * ((paths.crossed_to[face][routes] == 0) & (paths.crossed[own, nodes] == 0))
            found &= np.where(near, self._rows.everything[:, None], far)
        found *= level >= (SURELY if certain else AT_MOST)
        return found

    def _let_out(self, face: int, nodes: NDArray[np.intp]) -> Rows:
        """Return what the boundaries of the nodes' subnets certainly let out to a face, and back in."""
        found: Rows = np.empty((len(self._rows.everything), len(nodes)), dtype=np.uint64)
        found[:] = self._rows.everything[:, None]
        if self._replies is None:
            return found
        classes = self._class[nodes]
        if not self._out.open:
            found &= self._out.at(face, certain=True)[:, self._out.number[classes]]
        if not self._in.open:
            back = self._in.at(face, certain=True)[:, self._in.number[classes]]
            found &= self._replies.answered(back, certain=True)
        return found

    def admitted(
        self, face: int, admission: Admission | None, judgements: tuple[Judgement, ...], *, certain: bool
    ) -> Admitted:
        """Return what the lists of a target let in.

        Args:
            face: a face of the target.
            admission: what its stateful stages let in; None for everything.
            judgements: how these judge.
            certain: the lower bound.
        """
        if admission is None:
            plain = self._rows.full()
            named = np.zeros_like(plain)
        else:
            plain = admission.plain.bound(certain=certain)
            named = self._rows.named(judgements, certain=certain)
        return Admitted(plain, named, self._boundary(face, certain=certain))

    def _boundary(self, face: int, *, certain: bool) -> Rows | None:
        """Return what the boundary of a target's subnet lets in and back out."""
        number = int(self._class[face])
        inward, outward = self._in.row(number, certain=certain), self._out.row(number, certain=certain)
        if self._replies is None or (inward is None and outward is None):
            return None
        found = self._rows.full()
        if inward is not None:
            found &= inward
        if outward is not None:
            found &= self._replies.answered(outward, certain=certain)
        if not certain:
            # Whether packets meet it that bear an address of its own subnet is not told anywhere.
            paths, faces = self._paths, self._columns.faces
            found[:, np.flatnonzero(paths.is_near(face, slice(0, faces)))] = self._rows.everything[:, None]
        return found
