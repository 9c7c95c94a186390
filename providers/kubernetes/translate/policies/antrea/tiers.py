"""The tiers of Antrea: those that it makes by itself, and those that people add.

Source: https://antrea.io/docs/main/docs/antrea-network-policy/#tier
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.providers.kubernetes.translate.policies.antrea.kinds import GROUP
from cloudseg.providers.kubernetes.translate.policies.antrea.wire import TierSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["BASELINE", "DEFAULT", "tiers_of"]

DEFAULT: Final = "application"
"""The tier of a policy that names none."""

BASELINE: Final = "baseline"
"""The tier that decides after NetworkPolicies."""

_STATIC: Final = {"emergency": 50, "securityops": 100, "networkops": 150, "platform": 200, DEFAULT: 250, BASELINE: 253}
_FIRST_RESERVED: Final = 250


def tiers_of(objects: Iterable[Object], draft: Draft) -> dict[str, int]:
    """Return the priorities of the tiers, by name; lower ones decide first."""
    found = dict(_STATIC)
    for item in objects:
        if (item.group, item.kind) != (GROUP, "Tier") or item.name in _STATIC:
            continue
        problem = item.flaw
        try:
            priority = msgspec.convert(item.content.get("spec"), TierSpec).priority
        except msgspec.ValidationError as error:
            priority, problem = 0, problem or str(error)
        if not problem and not 0 <= priority < _FIRST_RESERVED:
            problem = f"priority is {priority}, and must be from 0 to {_FIRST_RESERVED - 1}"
        if not problem and priority in found.values():
            problem = f"priority {priority} is that of another tier"
        if problem:
            # Policies that name it are at a place that is not known.
            draft.ledger.gap(item, "malformed", problem, "groups")
        else:
            found[item.name] = priority
    return found
