"""Whom a policy may ask for: MeshTLSAuthentications and NetworkAuthentications, and service accounts by their names.

A policy that names what is not there is ignored. Sources:
https://linkerd.io/2-edge/reference/authorization-policy/#meshtlsauthentication and
https://linkerd.io/2-edge/reference/authorization-policy/#networkauthentication
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import AllOf
from cloudseg.providers.kubernetes.translate.policies.linkerd.clients import (
    Clients,
    Named,
    Networks,
    account,
    identity,
    namespace_of_accounts,
    networks_of,
    some_of,
)
from cloudseg.providers.kubernetes.translate.policies.linkerd.membership import LINKERD
from cloudseg.providers.kubernetes.translate.policies.linkerd.wire import MeshTlsSpec, NetworkSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import bearing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.linkerd.settings import Settings
    from cloudseg.providers.kubernetes.translate.policies.linkerd.wire import Reference

__all__ = ["GROUP", "KINDS", "Authentications", "is_kind", "read_authentications"]

GROUP: Final = "policy.linkerd.io"
_MESH_TLS: Final = (GROUP, "MeshTLSAuthentication")
_NETWORK: Final = (GROUP, "NetworkAuthentication")
KINDS: Final[tuple[tuple[str, str], ...]] = (_MESH_TLS, _NETWORK)


class Authentications:
    """The authentications of a cluster.

    Args:
        mesh_tls: identities, by namespace and name; None where they could not be read.
        networks: networks, likewise.
    """

    def __init__(
        self, mesh_tls: dict[tuple[str, str], Named | None], networks: dict[tuple[str, str], Networks | None]
    ) -> None:
        self._mesh_tls = mesh_tls
        self._networks = networks

    def clients(self, required: Sequence[Reference], place: str) -> Clients | str | None:
        """Return who meets all requirements; in words why nobody does, or None where that cannot be told.

        Args:
            required: the requirements.
            place: the namespace of the policy.

        Raises:
            ParseError: one of them is of a kind that cannot be required.
        """
        named: list[Named] = []
        networks: list[Networks] = []
        for reference in required:
            key = reference.namespace or place, reference.name
            missing = f"{reference.kind} {'/'.join(key)} is not there, so that it is ignored"
            if is_kind(reference, "", "ServiceAccount"):
                named.append(account(*key))
            elif is_kind(reference, *_MESH_TLS):
                if key not in self._mesh_tls:
                    return missing
                if (identities := self._mesh_tls[key]) is None:
                    return None
                named.append(identities)
            elif is_kind(reference, *_NETWORK):
                if key not in self._networks:
                    return missing
                if (found := self._networks[key]) is None:
                    return None
                networks.append(found)
            else:
                raise ParseError(f"{reference.kind} ({reference.group or 'core'}) is no authentication")
        # The documentation says that all have to match; the policy controller takes one of each sort.
        certain = len(named) <= 1 and len(networks) <= 1
        return Clients(_common(networks), _all_of(named), certain=certain)


def _common(networks: Sequence[Networks]) -> Networks:
    if not networks:
        return Networks()
    found = networks[0].maybe
    for each in networks[1:]:
        found &= each.maybe
    return networks[0] if len(networks) == 1 else Networks(str(found), found, found)


def _all_of(named: Sequence[Named]) -> Named | None:
    if len(named) <= 1:
        return named[0] if named else None
    words = " and ".join(each.text for each in named)
    return Named(words, AllOf(tuple(each.sure for each in named)), AllOf(tuple(each.maybe for each in named)))


def is_kind(reference: Reference, group: str, kind: str) -> bool:
    """Tell whether a reference is to an object of a kind; the core group may be written out."""
    given = (reference.group or "").lower()
    return ("" if given == "core" else given) == group and reference.kind.lower() == kind.lower()


def read_authentications(objects: Iterable[Object], settings: Settings, draft: Draft) -> Authentications:
    """Return the authentications of a cluster."""
    mesh_tls: dict[tuple[str, str], Named | None] = {}
    networks: dict[tuple[str, str], Networks | None] = {}
    for item in objects:
        own = (item.group, item.kind)
        if own not in KINDS:
            continue
        key, problem = (item.place, item.name), item.flaw
        if not problem:
            try:
                if own == _MESH_TLS:
                    mesh_tls[key] = _identities(item, settings, draft)
                else:
                    networks[key] = _networks(item)
                continue
            except (msgspec.ValidationError, ParseError) as error:
                problem = str(error)
        draft.ledger.gap(item, "malformed", problem, "groups")
        if not item.name or item.namespace is None:
            # Nobody knows who names it.
            draft.bound(None, (bearing(LINKERD),))
        elif own == _MESH_TLS:
            mesh_tls[key] = None
        else:
            networks[key] = None
    return Authentications(mesh_tls, networks)


def _identities(item: Object, settings: Settings, draft: Draft) -> Named:
    spec = msgspec.convert(item.content.get("spec"), MeshTlsSpec)
    found = [identity(each, settings, draft) for each in spec.identities or ()]
    for reference in spec.identity_refs or ():
        if is_kind(reference, "", "ServiceAccount"):
            found.append(account(reference.namespace or item.place, reference.name))
        elif is_kind(reference, "", "Namespace"):
            found.append(namespace_of_accounts(reference.name))
        else:
            raise ParseError(f"{reference.kind} ({reference.group or 'core'}) is no identity")
    if not found:
        raise ParseError("it names no identities")
    return some_of(found)


def _networks(item: Object) -> Networks:
    spec = msgspec.convert(item.content.get("spec"), NetworkSpec)
    if not spec.networks:
        raise ParseError("it names no networks")
    return networks_of(spec.networks)
