"""Who opens a connection, as AuthorizationPolicies tell it: identities, namespaces, addresses.

An identity is ``<trust domain>/ns/<namespace>/sa/<service account>``, and known only where mutual TLS is spoken. What a
rule asks of it fits nobody without one; what it excludes excludes nobody without one. Sources:
https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source and
https://istio.io/latest/docs/concepts/security/#istio-identity
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, AllOf, AnyOf, Everyone, NoneOf, Unresolved, matches
from cloudseg.providers.kubernetes.translate.labels import ACCOUNT, NAMESPACE, in_namespace
from cloudseg.providers.kubernetes.translate.policies.istio.places import members
from cloudseg.providers.kubernetes.translate.policies.istio.settings import LOCAL_DOMAIN
from cloudseg.providers.kubernetes.translate.policies.meshes import ANY_POD, bearing, group_of
from cloudseg.traffic import ALL_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Labelled, Peer, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.istio.places import Place
    from cloudseg.providers.kubernetes.translate.policies.istio.settings import Settings

__all__ = ["ADDRESS", "End", "Named", "Who", "accounts", "beyond_cluster", "namespaces", "principals", "range_of"]

ADDRESS: Final = "pod/address"
"""The label under which a pod bears its addresses, as far as they were read."""

_PRINCIPAL: Final = re.compile(r"([^/*]+)/ns/([^/*]+)/sa/([^/*]+)")
_ACCOUNT: Final = re.compile(r"(?:([^/*]+)/)?([^/*]+)")
_NOBODY: Final = AnyOf(())


class Named(NamedTuple):
    """Pods whose identity fits some patterns.

    Attributes:
        text: the patterns in words.
        sure: those whose identity surely does.
        maybe: those whose identity may.
    """

    text: str
    sure: Selector
    maybe: Selector


class End(NamedTuple):
    """The far end of a rule, and whether it is no more than the rule names."""

    remote: tuple[Peer, ...]
    exact: bool


class Who(NamedTuple):
    """Whom one item of ``from`` names, with what ``when`` asks beside.

    Attributes:
        named: identities; all of them have to fit.
        excluded: identities, of which none may fit.
        addresses: the addresses to bear.
    """

    named: tuple[Named, ...] = ()
    excluded: tuple[Named, ...] = ()
    addresses: AddressSet = ALL_ADDRESSES

    @property
    def asks_identity(self) -> bool:
        """Whether it looks at identities."""
        return bool(self.named or self.excluded)

    def ends(self, place: Place, draft: Draft, *, known: bool, beyond: bool) -> Iterator[End]:
        """Yield whom it names, seen from a place: at first who surely is meant, then who may be.

        Args:
            place: the place.
            draft: the cluster.
            known: whether mutual TLS is spoken there; without it nobody shows an identity.
            beyond: whether pods outside of the cluster may be part of the mesh.
        """
        if not known:
            plain = Who((), (), self.addresses)
            yield from () if self.named else plain.ends(place, draft, known=True, beyond=False)
        elif self.named:
            yield from self._identified(place, draft, beyond=beyond)
        elif self.excluded:
            yield from self._others(place, draft, beyond=beyond)
        elif self.addresses == ALL_ADDRESSES:
            yield End((Everyone(),), exact=True)
        else:
            yield from self._bearers("any pod", "any pod", ANY_POD, ANY_POD, draft)

    def _identified(self, place: Place, draft: Draft, *, beyond: bool) -> Iterator[End]:
        words = " and ".join((*(each.text for each in self.named), *(f"not {each.text}" for each in self.excluded)))
        every = members(draft)
        if place.clients is not None:
            own = (*(each.sure for each in self.named), *(NoneOf((each.maybe,)) for each in self.excluded))
            sure = AllOf((place.clients, *own, *_inside(self.addresses, draft)))
            text = f"clients {words} of pods {place.words}{_at(self.addresses)}"
            yield End((group_of(draft, text, sure),), exact=True)
        if place.seen == "waypoint":
            # Whoever is part of the mesh comes with the identity of the waypoint.
            yield End((group_of(draft, "pods of the mesh", every), *beyond_cluster(draft, beyond=beyond)), exact=False)
            return
        own = (*(each.maybe for each in self.named), *(NoneOf((each.sure,)) for each in self.excluded))
        maybe = AllOf((every, *own, *_near(self.addresses, draft)))
        text = f"perhaps {words}{_at(self.addresses)}"
        yield End((group_of(draft, text, maybe), *beyond_cluster(draft, beyond=beyond)), exact=False)

    def _others(self, place: Place, draft: Draft, *, beyond: bool) -> Iterator[End]:
        words = " and ".join(f"not {each.text}" for each in self.excluded)
        every = members(draft)
        sure: Selector = AllOf((ANY_POD, *(NoneOf((AllOf((every, each.maybe)),)) for each in self.excluded)))
        maybe: Selector = ANY_POD
        if place.seen == "waypoint":
            sure = AllOf((ANY_POD, NoneOf((every,))))
        elif place.clients is not None:
            surely = (AllOf((place.clients, each.sure)) for each in self.excluded)
            maybe = AllOf((ANY_POD, *(NoneOf((each,)) for each in surely)))
        named = f"whoever is surely {words} at pods {place.words}", f"whoever is perhaps {words} at pods {place.words}"
        for end in self._bearers(*named, sure, maybe, draft):
            yield end._replace(exact=end.exact and not beyond)

    def _bearers(self, sure_text: str, text: str, sure: Selector, maybe: Selector, draft: Draft) -> Iterator[End]:
        """Yield who bears one of the addresses: whoever is outside, and pods of an expression."""
        at, outside = _at(self.addresses), Addresses(self.addresses)
        inside, near = _inside(self.addresses, draft), _near(self.addresses, draft)
        yield End((outside, group_of(draft, f"{sure_text}{at}", sure, *inside)), exact=True)
        if sure != maybe or inside != near:
            more = group_of(draft, f"{text}{at and f', near{at}'}", maybe, *near)
            yield End((outside, more), exact=False)


def principals(patterns: Sequence[str], settings: Settings, draft: Draft) -> Named:
    """Return the pods whose principal fits one of some patterns: exact ones, ``a*``, ``*a``, ``*``."""
    found = [_principal(pattern, settings, draft) for pattern in patterns]
    return _union("principal", patterns, found)


def namespaces(patterns: Sequence[str], draft: Draft) -> Named:
    """Return the pods whose namespace fits one of some patterns."""
    found = [(each, each) for each in (_namespace(pattern, draft) for pattern in patterns)]
    return _union("namespace", patterns, found)


def accounts(patterns: Sequence[str], place: str) -> Named:
    """Return the pods with one of some service accounts: ``namespace/name``, or ``name`` in the policy's namespace.

    Raises:
        ParseError: one of them is none.
    """
    found: list[tuple[Selector, Selector]] = []
    for pattern in patterns:
        name = _ACCOUNT.fullmatch(pattern)
        if name is None:
            raise ParseError(f"{pattern!r} is no service account: write namespace/name, or name")
        both = AllOf((in_namespace(name[1] or place), bearing(ACCOUNT, name[2])))
        found.append((both, both))
    return _union("service account", [each if "/" in each else f"{place}/{each}" for each in patterns], found)


def range_of(text: str) -> AddressSet:
    """Return the addresses of a CIDR block, or a single address.

    Raises:
        ParseError: it is neither.
    """
    return AddressSet.from_cidrs((text,))


def _union(what: str, patterns: Sequence[str], found: Sequence[tuple[Selector, Selector]]) -> Named:
    words = " or ".join(patterns)
    return Named(f"{what} {words}", AnyOf(tuple(a for a, _ in found)), AnyOf(tuple(b for _, b in found)))


def _principal(pattern: str, settings: Settings, draft: Draft) -> tuple[Selector, Selector]:
    if pattern == "*":
        every = bearing(NAMESPACE)
        return every, every
    exact = _PRINCIPAL.fullmatch(pattern)
    if exact:
        both = AllOf((in_namespace(exact[2]), bearing(ACCOUNT, exact[3])))
        if exact[1] in (LOCAL_DOMAIN, settings.domain):
            return both, both
        # Another trust domain is not the mesh's own where that was read; it may be an alias of it where it was not.
        return _NOBODY, _NOBODY if settings.domain else both
    pairs = sorted({pair for interface in draft.interfaces.values() if (pair := _pair(interface.labels))})
    own = LOCAL_DOMAIN if not settings.domain else settings.domain
    sure = [
        pair for pair in pairs if _fits(pattern, _written(own, pair)) or _fits(pattern, _written(LOCAL_DOMAIN, pair))
    ]
    maybe = pairs if not settings.domain and _may_fit(pattern) else sure
    return _of_pairs(sure), _of_pairs(maybe)


def _may_fit(pattern: str) -> bool:
    """Tell whether a pattern may fit an identity whose trust domain is not known."""
    return pattern.endswith("*") and not pattern.startswith(f"{LOCAL_DOMAIN}/")


def _pair(labels: dict[str, str]) -> tuple[str, str] | None:
    return (labels[NAMESPACE], labels[ACCOUNT]) if ACCOUNT in labels else None


def _written(domain: str, pair: tuple[str, str]) -> str:
    return f"{domain}/ns/{pair[0]}/sa/{pair[1]}"


def _of_pairs(pairs: Sequence[tuple[str, str]]) -> Selector:
    by_place: dict[str, list[str]] = {}
    for place, account in pairs:
        by_place.setdefault(place, []).append(account)
    return AnyOf(tuple(AllOf((in_namespace(place), bearing(ACCOUNT, *own))) for place, own in by_place.items()))


def _namespace(pattern: str, draft: Draft) -> Selector:
    if pattern == "*":
        return bearing(NAMESPACE)
    if "*" not in pattern:
        return in_namespace(pattern)
    return in_namespace(*(place for place in draft.inhabited if _fits(pattern, place)))


def _fits(pattern: str, text: str) -> bool:
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return text.endswith(pattern[1:]) if pattern.startswith("*") else text == pattern


def beyond_cluster(draft: Draft, *, beyond: bool) -> tuple[Peer, ...]:
    """Return what stands for workloads outside of the cluster that are part of the mesh; nothing without any."""
    if not beyond:
        return ()
    reason = "workloads outside of the cluster are part of the mesh, and their addresses and identities were not read"
    return (Unresolved(f"workloads of the mesh outside of {draft.cluster}", reason),)


def _at(addresses: AddressSet) -> str:
    return "" if addresses == ALL_ADDRESSES else f" at {addresses}"


def _inside(addresses: AddressSet, draft: Draft) -> tuple[Labelled, ...]:
    """Return what is required of pods in order that they surely bear one of some addresses."""
    if addresses == ALL_ADDRESSES:
        return ()
    return (bearing(ADDRESS, *(text for text, own in _addresses(draft) if own <= addresses), ""),)


def _near(addresses: AddressSet, draft: Draft) -> tuple[Selector, ...]:
    """Return what is required of pods in order that they may bear one."""
    if addresses == ALL_ADDRESSES:
        return ()
    apart = (text for text, own in _addresses(draft) if not own.overlaps(addresses))
    return (NoneOf((bearing(ADDRESS, *apart, ""),)),)


def _addresses(draft: Draft) -> Iterator[tuple[str, AddressSet]]:
    for interface in draft.interfaces.values():
        if matches(ANY_POD, interface) and interface.addresses:
            yield str(interface.addresses), interface.addresses
