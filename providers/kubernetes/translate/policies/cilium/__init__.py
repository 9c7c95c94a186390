"""Cilium's own policies, and what they refer to.

What is not judged is said so: host policies (``nodeSelector``), endpoints of Cilium's own, proxies, pods of other
clusters of a mesh. Source: https://docs.cilium.io/en/stable/security/policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.policies.cilium.book import GROUP, read_book
from cloudseg.providers.kubernetes.translate.policies.cilium.policies import CLUSTERWIDE, NAMESPACED, add_policy
from cloudseg.providers.kubernetes.translate.policies.cilium.redirects import REDIRECTS, note_redirect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add"]

_POLICIES: Final = frozenset((NAMESPACED, CLUSTERWIDE))
READS: Final = frozenset((GROUP, kind) for kind in (*_POLICIES, *REDIRECTS, "CiliumCIDRGroup"))
"""The API groups and kinds that are read."""


def add(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Cilium's policies. One that cannot be read in full leaves the pods open it could select."""
    own = [item for item in objects if (item.group, item.kind) in READS]
    if not own:
        return
    book = read_book(objects, draft)
    for item in own:
        if item.kind in _POLICIES:
            add_policy(item, draft, book)
        elif item.kind in REDIRECTS:
            note_redirect(item, draft)
