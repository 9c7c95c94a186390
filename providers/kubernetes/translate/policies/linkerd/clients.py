"""Whom Linkerd's policies admit: identities of workloads, and networks.

An identity is ``<service account>.<namespace>.serviceaccount.identity.<control plane>.<trust domain>``. Only a client
that is part of the mesh has one, and it shows it in every connection to a workload of the mesh, unless its own proxy
is bypassed. Sources: https://linkerd.io/2-edge/features/automatic-mtls/ and
https://linkerd.io/2-edge/reference/authorization-policy/#meshtlsauthentication
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, AllOf, AnyOf, Everyone, NoneOf, Unresolved
from cloudseg.providers.kubernetes.translate.labels import ACCOUNT, NAMESPACE, in_cluster, in_namespace
from cloudseg.providers.kubernetes.translate.policies.linkerd.membership import LINKERD, OUTBOUND, SURELY
from cloudseg.providers.kubernetes.translate.policies.meshes import ADDRESS, ANY_POD, bearing, group_of, without
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Interface, Peer, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.linkerd.settings import Settings
    from cloudseg.providers.kubernetes.translate.policies.linkerd.wire import Network
    from cloudseg.traffic import Traffic

__all__ = [
    "ANY_IDENTITY",
    "Clients",
    "End",
    "Named",
    "Networks",
    "account",
    "identity",
    "namespace_of_accounts",
    "networks_of",
    "of_cluster",
    "some_of",
]

_MARK: Final = ".serviceaccount.identity."
_NOBODY: Final = AnyOf(())


class Named(NamedTuple):
    """Pods with some identities.

    Attributes:
        text: the identities in words.
        sure: those that surely have one.
        maybe: those that may have one.
    """

    text: str
    sure: Selector
    maybe: Selector


class Networks(NamedTuple):
    """Where clients have to be.

    Attributes:
        text: the addresses in words; empty for all.
        sure: addresses that surely count.
        maybe: addresses that may count.
        near: where it is not known who bears these, the pods of the cluster count that bear no address beside them.
    """

    text: str = ""
    sure: AddressSet = ALL_ADDRESSES
    maybe: AddressSet = ALL_ADDRESSES
    near: AddressSet | None = None

    def inside(self, draft: Draft) -> tuple[Selector, ...]:
        """Return what is required of pods in order that they surely count."""
        if self.sure == ALL_ADDRESSES:
            return ()
        own = bearing(ADDRESS, *(text for text, each in _addresses(draft) if each <= self.sure), "")
        if self.near is None:
            return (own,)
        far = bearing(ADDRESS, *(text for text, each in _addresses(draft) if not each <= self.near), "")
        return (AnyOf((own, AllOf((in_cluster(draft.cluster), NoneOf((far,)))))),)

    def around(self, draft: Draft) -> tuple[Selector, ...]:
        """Return what is required of pods in order that they may count."""
        if self.maybe == ALL_ADDRESSES:
            return ()
        return (
            NoneOf(
                (bearing(ADDRESS, *(text for text, each in _addresses(draft) if not each.overlaps(self.maybe)), ""),)
            ),
        )


class End(NamedTuple):
    """The far end of a rule, and whether it is no more than what is admitted."""

    remote: tuple[Peer, ...]
    exact: bool


class Clients(NamedTuple):
    """Whom a policy admits.

    Attributes:
        networks: where they have to be.
        named: the identities, one of which they have to show; None where they need none.
        strangers: who speaks TLS without an identity of the mesh may be admitted as well.
        certain: False where these are the most that are admitted.
    """

    networks: Networks = Networks()
    named: Named | None = None
    strangers: bool = False
    certain: bool = True

    def ends(self, draft: Draft, *, beyond: bool) -> Iterator[End]:
        """Yield whom they are: at first who surely is admitted, then who may be.

        Args:
            draft: the cluster.
            beyond: whether workloads outside of the cluster may be part of the mesh.
        """
        for end in self._ends(draft, beyond=beyond):
            yield end._replace(exact=end.exact and self.certain)

    def shown(self, traffic: Traffic, settings: Settings) -> Iterator[tuple[Traffic, bool]]:
        """Yield parts of some traffic, and whether clients that are part of the mesh surely show there who they are.

        Args:
            traffic: the traffic.
            settings: the settings of the mesh, which may lead some of it past the proxies of clients.
        """
        outbound = settings.past.outbound
        apart = NO_TRAFFIC if self.named is None else traffic if outbound is None else traffic & outbound
        if traffic - apart:
            yield traffic - apart, True
        if apart:
            yield apart, False

    def _ends(self, draft: Draft, *, beyond: bool) -> Iterator[End]:
        where = self.networks
        at = where.text and f" at {where.text}"
        if self.named is not None:
            members = (bearing(LINKERD, SURELY), without(OUTBOUND), bearing(ACCOUNT), in_cluster(draft.cluster))
            sure = group_of(draft, f"clients {self.named.text}{at}", *members, self.named.sure, *where.inside(draft))
            yield End((sure,), exact=True)
            doubtful = (bearing(LINKERD), in_cluster(draft.cluster), self.named.maybe, *where.around(draft))
            maybe = group_of(draft, f"perhaps clients {self.named.text}{at}", *doubtful)
            yield End((maybe, *_beyond(draft, beyond=beyond)), exact=False)
            if self.strangers:
                yield from (end._replace(exact=False) for end in Clients(where).ends(draft, beyond=beyond))
        elif where.sure == ALL_ADDRESSES:
            yield End((Everyone(),), exact=True)
        else:
            inside = group_of(draft, f"any pod{at}", ANY_POD, *where.inside(draft))
            yield End((Addresses(where.sure), inside) if where.sure else (inside,), exact=True)
            around = group_of(draft, f"any pod perhaps{at}", ANY_POD, *where.around(draft))
            yield End((Addresses(where.maybe), around), exact=False)


ANY_IDENTITY: Final = Named("with any identity", bearing(NAMESPACE), bearing(NAMESPACE))


def account(place: str, name: str) -> Named:
    """Return the pods of a service account."""
    both = AllOf((in_namespace(place), bearing(ACCOUNT, name)))
    return Named(f"with service account {place}/{name}", both, both)


def namespace_of_accounts(place: str) -> Named:
    """Return the pods of all service accounts of a namespace."""
    both = in_namespace(place)
    return Named(f"of namespace {place}", both, both)


def identity(pattern: str, settings: Settings, draft: Draft) -> Named:
    """Return the pods whose identity is, or ends as, a text says.

    Raises:
        ParseError: it is none.
    """
    if pattern == "*":
        return ANY_IDENTITY
    if "*" in pattern.removeprefix("*.") or pattern in {"", "*."}:
        raise ParseError(f"{pattern!r} is no identity: write a name, *, or *. and the end of a name")
    text = f"with identity {pattern}"
    left, mark, domain = pattern.removeprefix("*.").rpartition(_MARK)
    both: Selector | None = None
    if mark and not pattern.startswith("*."):
        name, _, place = left.rpartition(".")
        both = AllOf((in_namespace(place), bearing(ACCOUNT, name)))
    elif mark and "." not in left:
        both = in_namespace(left)
    if both is not None:
        own = domain == settings.domain
        return Named(text, both if own else _NOBODY, both if own or not settings.read else _NOBODY)
    pairs = sorted({(each.labels[NAMESPACE], each.labels[ACCOUNT]) for each in _accounts(draft)})
    sure = [pair for pair in pairs if _written(pair, settings.domain).endswith(pattern.removeprefix("*"))]
    # It may be the end of a domain that was not read.
    return Named(text, _of_pairs(sure), _of_pairs(sure if settings.read else pairs))


def some_of(named: Sequence[Named]) -> Named:
    """Return the pods with any of some identities."""
    if len(named) == 1:
        return named[0]
    words = " or ".join(each.text for each in named)
    return Named(words, AnyOf(tuple(each.sure for each in named)), AnyOf(tuple(each.maybe for each in named)))


def networks_of(given: Iterable[Network]) -> Networks:
    """Return networks as they are written.

    Raises:
        ParseError: one of them is none.
    """
    found = NO_ADDRESSES
    for each in given:
        found |= AddressSet.from_cidrs((each.cidr,)) - AddressSet.from_cidrs(each.without or ())
    return Networks("" if found == ALL_ADDRESSES else str(found), found, found)


def of_cluster(settings: Settings, *, widest: AddressSet | None = None) -> Networks:
    """Return the networks of the cluster: its pods, and whoever else bears such an address at most.

    Args:
        settings: the settings of the mesh.
        widest: other addresses that may count.
    """
    text = "an address of the cluster" if widest is None else "an address that its server chooses"
    return Networks(text, NO_ADDRESSES, settings.networks if widest is None else widest, settings.networks)


def _accounts(draft: Draft) -> Iterator[Interface]:
    return (each for each in draft.interfaces.values() if ACCOUNT in each.labels and LINKERD in each.labels)


def _written(pair: tuple[str, str], domain: str) -> str:
    return f"{pair[1]}.{pair[0]}{_MARK}{domain}"


def _of_pairs(pairs: Sequence[tuple[str, str]]) -> Selector:
    by_place: dict[str, list[str]] = {}
    for place, name in pairs:
        by_place.setdefault(place, []).append(name)
    return AnyOf(tuple(AllOf((in_namespace(place), bearing(ACCOUNT, *own))) for place, own in by_place.items()))


def _beyond(draft: Draft, *, beyond: bool) -> tuple[Peer, ...]:
    if not beyond:
        return ()
    reason = "workloads outside of the cluster are part of the mesh, and their addresses and identities were not read"
    return (Unresolved(f"workloads of the mesh outside of {draft.cluster}", reason),)


def _addresses(draft: Draft) -> Iterator[tuple[str, AddressSet]]:
    for interface in draft.interfaces.values():
        if ADDRESS in interface.labels:
            yield interface.labels[ADDRESS], interface.addresses
