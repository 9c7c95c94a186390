"""What arrives by names that rewrite where packets go: senders' rules see the name's address, at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cloudseg.reach.frontends import frontends_by_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate, Interface
    from cloudseg.reach.frontends import Frontend
    from cloudseg.reach.pairs.ground import Ground
    from cloudseg.reach.pairs.handing import Admitted
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.reach.pairs.senders import Senders

__all__ = ["Fronted"]


class Fronted:
    """Judges what classes send to names.

    Which routes packets take to a name is not followed: what is found is the most that gets there.

    Args:
        firsts: a member of each class; None where the estate has none.
        ground: atoms and columns.
        senders: what senders let out.
        estate: the estate.
    """

    def __init__(
        self, firsts: Sequence[Interface | None], ground: Ground, senders: Senders, estate: Estate
    ) -> None:  # fmt: skip
        self._firsts = firsts
        self._atoms = ground.atoms
        self._columns = ground.columns
        self._senders = senders
        self._by_target = frontends_by_target(estate)

    def before(self, target: Interface) -> bool:
        """Tell whether there is a name before an interface."""
        return target.id in self._by_target

    def arriving(self, target: Interface, let_in: Admitted) -> Rows:
        """Return what arrives at an interface from every class by its names, at most.

        Args:
            target: the interface.
            let_in: what its lists let in at most.
        """
        faces = self._columns.faces
        admitted = self._columns.by_class(let_in.plain[:, :faces] | let_in.named[:, :faces])
        found: Rows = np.zeros_like(admitted)
        for frontend in self._by_target.get(target.id, ()):
            near = np.array([first is not None and first.network in frontend.networks for first in self._firsts])
            for start, end in self._columns.line.runs(frontend.addresses):
                for position in range(start, end):
                    sent = self._handed_on(frontend, self._senders.to_position(position, certain=False))
                    found |= sent & admitted * near
        return found

    def _handed_on(self, frontend: Frontend, sent: Rows) -> Rows:
        """Return what a name hands on of what classes send to it."""
        if frontend.listens is None:
            return sent
        asked = self._atoms.words(self._atoms.mask(frontend.listens))[:, None]
        if frontend.sends is None or frontend.sends == frontend.listens:
            return sent & asked
        arriving = self._atoms.words(self._atoms.mask(frontend.sends))[:, None]
        found: Rows = arriving * (sent & asked).any(axis=0)
        return found
