"""Which pods are part of the mesh, and what their annotations set.

Annotations of a pod go before those of its namespace. Pods outside of the mesh enforce nothing and have no identity.
Where it cannot be told, a pod is part of it perhaps. Sources:
https://linkerd.io/2-edge/features/proxy-injection/,
https://linkerd.io/2-edge/reference/proxy-configuration/,
https://linkerd.io/2-edge/reference/authorization-policy/#default-policies and
https://linkerd.io/2-edge/features/protocol-detection/#marking-ports-as-skip-ports
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, ON_NAMESPACE
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.linkerd.past import parse_ports
from cloudseg.providers.kubernetes.translate.policies.linkerd.signs import INJECT, PROXY
from cloudseg.providers.kubernetes.translate.policies.meshes import MESH, mark
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Interface
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.evidence import Evidence, Shape
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.linkerd.past import Past
    from cloudseg.providers.kubernetes.translate.policies.linkerd.settings import Settings
    from cloudseg.traffic import Traffic

__all__ = [
    "DEFAULT",
    "IDENTIFIED",
    "LINKERD",
    "OUTBOUND",
    "PERHAPS",
    "PERHAPS_SKIPPED",
    "SKIPPED",
    "SKIPPED_BY_DEFAULT",
    "SURELY",
    "UNKNOWN",
    "mark_members",
]

LINKERD: Final = "pod/linkerd"
"""The label that a pod of the mesh bears; its value tells whether it surely is part of it."""
DEFAULT: Final = "pod/linkerd-default"
"""The label with the policy of the ports of which no Server decides."""
IDENTIFIED: Final = "pod/linkerd-identified"
"""The label with those of the ports at which clients have to show an identity in any case."""
SKIPPED: Final = "pod/linkerd-skipped"
"""The label with the ports that go past the proxy by annotation."""
SKIPPED_BY_DEFAULT: Final = "pod/linkerd-skipped-by-default"
"""The label with the ports that go past the proxy since no annotation says otherwise."""
PERHAPS_SKIPPED: Final = "pod/linkerd-perhaps-skipped"
"""The label with the ports that do so perhaps."""
OUTBOUND: Final = "pod/linkerd-outbound"
"""The label of a pod of whose own connections some go past its proxy, so that they show no identity."""

SURELY: Final = "surely"
PERHAPS: Final = "perhaps"
UNKNOWN: Final = "unknown"
Part = Literal["surely", "perhaps", ""]

_WEBHOOKS: Final = f"{ON_NAMESPACE}config.linkerd.io/admission-webhooks"
_POLICY: Final = "config.linkerd.io/default-inbound-policy"
_IDENTIFIED: Final = "config.linkerd.io/proxy-require-identity-inbound-ports"
_SKIPPED: Final = "config.linkerd.io/skip-inbound-ports"
_SUBNETS: Final = "config.linkerd.io/skip-subnets"
_OUTBOUND: Final = ("config.linkerd.io/skip-outbound-ports", _SUBNETS)
_WITHOUT_IDENTITY: Final = "config.linkerd.io/disable-identity"
_VARIABLE: Final = "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY"
_IGNORED: Final = frozenset(("cert-manager", "kube-system"))
"""Namespaces in which no proxy is ever injected."""
_INJECTED: Final = frozenset(("enabled", "ingress"))
_POLICIES: Final = frozenset(
    (
        "all-authenticated",
        "all-unauthenticated",
        "audit",
        "cluster-authenticated",
        "cluster-unauthenticated",
        "deny",
    )
)


class _Space(NamedTuple):
    """A namespace.

    Attributes:
        annotations: its annotations.
        read: it was read.
    """

    annotations: Mapping[str, str]
    read: bool = True


class _Pods(NamedTuple):
    """The pods of an interface, and what is known of them."""

    interface: Interface
    evidence: Evidence
    space: _Space

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """What tells how they are: the pods that run, or else what makes them."""
        return self.evidence.running or (self.evidence.template,)

    def given(self, key: str) -> Iterator[str | None]:
        """Yield what an annotation says for each of them; None where it cannot be told, no text where nothing does."""
        for shape in self.shapes:
            found = self._said(shape, key)
            yield None if found is None and not (self.space.read or self._injected(shape)) else found or ""

    def said(self, key: str) -> Iterator[str | None]:
        """Yield what an annotation says for each of them, if only nothing; None where there is none."""
        return (self._said(shape, key) for shape in self.shapes)

    def _said(self, shape: Shape, key: str) -> str | None:
        if key in shape.annotations or self._injected(shape):
            # The injector hands down to a pod what its namespace says.
            return shape.annotations.get(key)
        return self.space.annotations.get(key)

    def _injected(self, shape: Shape) -> bool:
        return bool(self.evidence.running) and PROXY in shape.containers


def mark_members(objects: Sequence[Object], settings: Settings, draft: Draft) -> None:
    """Mark the pods that are part of the mesh, and what is set for them."""
    spaces = _spaces(objects)
    hinted = {
        draft.id(f"{item.place}/{item.name}[{item.kind}]")
        for item in objects
        if _annotations(item).get(INJECT) in _INJECTED and item.kind not in {"Namespace", "Pod"}
    }
    assumed = False
    for key, interface in list(draft.interfaces.items()):
        evidence = draft.evidence.get(key)
        if interface.network is None or evidence is None:
            continue
        space = spaces.get(interface.labels[NAMESPACE], _Space({}, read=False))
        pods = _Pods(interface, evidence, space)
        part = _part(pods, hinted=key in hinted)
        if not part:
            continue
        policy = _policy(pods, settings)
        assumed = assumed or not policy
        skipped, identified = _skipped(pods, settings.past), _ports(pods, _IDENTIFIED)
        if skipped is None or identified is None or any(each == "true" for each in pods.given(_WITHOUT_IDENTITY)):
            # What goes past the proxy, or whom it asks, cannot be told.
            part, skipped, identified = PERHAPS, _Skipped(), NO_TRAFFIC
        partly = any(each for name in _OUTBOUND for each in pods.given(name))
        mark(
            draft,
            key,
            linkerd=part,
            linkerd_default=policy or "all-unauthenticated",
            linkerd_identified=str(identified) if identified else "",
            linkerd_skipped=str(skipped.annotated) if skipped.annotated else "",
            linkerd_skipped_by_default=str(skipped.by_default) if skipped.by_default else "",
            linkerd_perhaps_skipped=str(skipped.perhaps) if skipped.perhaps else "",
            linkerd_outbound="partly" if partly else "",
            mesh="" if MESH in interface.labels else "linkerd" if part == SURELY else "linkerd-perhaps",
        )
    if assumed:
        words = "the default inbound policy of Linkerd is taken for all-unauthenticated, as its chart sets it"
        draft.ledger.notes.append(f"cluster {draft.cluster}: {words}: nothing that was read says so")


def _spaces(objects: Iterable[Object]) -> dict[str, _Space]:
    spaces = (item for item in objects if (item.group, item.kind) == ("", "Namespace") and not item.flaw)
    return {item.name: _Space(_annotations(item)) for item in spaces}


def _annotations(item: Object) -> dict[str, str]:
    given = fields_of(item.part("metadata").get("annotations"))
    return {key: value for key, value in given.items() if isinstance(value, str)}


def _part(pods: _Pods, *, hinted: bool) -> Part:
    """Return whether pods are part of the mesh; perhaps, where what makes them says so of itself and not of them.

    Whether a pod that runs has a proxy is there to be seen. Else its annotation counts, then its namespace's; with a
    value that is none of those known, in either, nothing is injected.
    """
    evidence, space = pods.evidence, pods.space
    if evidence.running:
        with_proxy = [PROXY in shape.containers for shape in evidence.running]
        return SURELY if all(with_proxy) else PERHAPS if any(with_proxy) else ""
    if PROXY in evidence.template.containers:
        return SURELY
    own = evidence.template.annotations.get(INJECT, "")
    above = space.annotations.get(INJECT, "")
    if own not in {"", *_INJECTED} or pods.interface.labels[NAMESPACE] in _IGNORED:
        return ""
    if pods.interface.labels.get(_WEBHOOKS) == "disabled" or (above not in {"", "disabled", *_INJECTED}):
        return ""
    if own or above in _INJECTED:
        return SURELY
    return "" if space.read and not hinted else PERHAPS


def _policy(pods: _Pods, settings: Settings) -> str:
    """Return the policy of ports without a Server; nothing where it is the cluster's, and that was not read.

    It is fixed when a proxy starts, so that its own variable goes before annotations.
    """
    told = [dict(shape.settings).get(_VARIABLE, "") for shape in pods.shapes]
    given = [variable or each for variable, each in zip(told, pods.given(_POLICY), strict=True)]
    found = {settings.default if each == "" else each for each in given}
    if len(found) == 1:
        (policy,) = found
        if policy in _POLICIES or policy == "":
            return policy or ""
    return UNKNOWN


class _Skipped(NamedTuple):
    """The ports that go past a proxy.

    Attributes:
        annotated: those that an annotation names.
        by_default: those that do so without one.
        perhaps: those that may do so without one.
    """

    annotated: Traffic = NO_TRAFFIC
    by_default: Traffic = NO_TRAFFIC
    perhaps: Traffic = NO_TRAFFIC


def _skipped(pods: _Pods, past: Past) -> _Skipped | None:
    """Return the ports that go past proxies; None where that cannot be told.

    What an annotation names takes the place of what is set for all. Of subnets that are skipped it is not told whether
    their connections count that come in. A namespace that was not read is taken for one without annotations.
    """
    if any(pods.said(_SUBNETS)):
        return None
    told = set(pods.said(_SKIPPED))
    if len(told) > 1:
        return None
    (text,) = told
    if text is None or not text.strip():
        if past.inbound is None:
            return None
        sure = text is None and past.read
        return _Skipped(by_default=past.inbound) if sure else _Skipped(perhaps=past.inbound)
    try:
        return _Skipped(parse_ports(text))
    except ParseError:
        return None


def _ports(pods: _Pods, key: str) -> Traffic | None:
    """Return the ports that an annotation names; None where that cannot be told.

    A namespace that was not read is taken for one without it: hardly any has one.
    """
    found = {each or "" for each in pods.given(key)}
    if len(found) > 1:
        return None
    try:
        return parse_ports(*found)
    except ParseError:
        return None
