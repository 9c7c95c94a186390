"""Objects of Cilium's that send packets elsewhere than to where they are addressed.

They forbid nothing, and what a pod may send to another pod is judged by the pod that receives it. Only what is said of
the address itself is not certain. Sources:
https://docs.cilium.io/en/stable/network/kubernetes/local-redirect-policy/ and
https://docs.cilium.io/en/stable/network/servicemesh/l7-traffic-management/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["note_redirect"]

_LOCAL: Final = "CiliumLocalRedirectPolicy"


def note_redirect(item: Object, draft: Draft) -> None:
    """Note that packets may be handed to others than those they are addressed to."""
    frontend = fields_of(item.part("spec").get("redirectFrontend"))
    if item.kind != _LOCAL:
        detail = "Envoy may hand what is sent to services on to others, which is not judged"
    elif "serviceMatcher" in frontend and "addressMatcher" not in frontend and not item.flaw:
        # A service is handed to pods either way.
        return
    else:
        detail = "what pods send to an address is handed to pods of their node instead, which is not judged"
    draft.ledger.gap(item, "unsupported", detail, "interfaces")
