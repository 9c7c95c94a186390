"""Whether pods of Consul's mesh take what is not mutual TLS, and what they let out.

A proxy in the transparent mode takes whatever comes in, and refuses it without mutual TLS unless the permissive mode is
set. It leads to the service's port alone, whichever port was dialled. Without the transparent mode the workload stands
open beside its proxy, which has a port of its own. Sources:
https://developer.hashicorp.com/consul/docs/k8s/connect/transparent-proxy,
https://developer.hashicorp.com/consul/docs/k8s/connect/onboarding-tproxy-mode,
https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels and
https://developer.hashicorp.com/consul/docs/connect/config-entries/mesh#transparentproxy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.model import ANYONE, AllOf, Everyone, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import in_cluster
from cloudseg.providers.kubernetes.translate.objects import PROVIDER
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, MUTUAL_TLS_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.consul.defaults import BY, EXPOSED, MODE
from cloudseg.providers.kubernetes.translate.policies.consul.ends import elsewhere
from cloudseg.providers.kubernetes.translate.policies.consul.intentions import ENFORCING
from cloudseg.providers.kubernetes.translate.policies.consul.membership import (
    DIRECT,
    OUTBOUND,
    PAST,
    PERHAPS,
    PORT,
    SIDECAR,
    UNASKED,
    UNNAMED,
)
from cloudseg.providers.kubernetes.translate.policies.consul.names import CONSUL, EVERY
from cloudseg.providers.kubernetes.translate.policies.meshes import NOT_TCP, TCP, bearing, group_of, without
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Peer, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.consul.defaults import Defaults

__all__ = ["add_mutual_tls"]

_OWN: Final = Traffic.ports("tcp", 20000, 20015)
"""The ports of the proxies themselves: one for each service of a pod."""


class _Writer(NamedTuple):
    """Makes rules.

    Attributes:
        draft: the cluster.
        item: the object that they come from; None for what holds by default.
    """

    draft: Draft
    item: Object | None

    def rule(
        self,
        name: str,
        traffic: Traffic,
        remote: tuple[Peer, ...],
        local: tuple[Peer, ...] = ANYONE,
        *,
        exact: bool = True,
        priority: int | None = None,
        description: str = "",
    ) -> Rule:
        """Return a rule that lets connections in, as far as this stage goes."""
        location = None if self.item is None else self.item.location
        return Rule(
            id=name,
            direction="ingress",
            verdict="next",
            traffic=traffic,
            remote=remote,
            local=local,
            priority=priority,
            exact=exact,
            description=description,
            location=location,
        )

    def pods(self, words: str, *parts: Selector) -> tuple[Peer, ...]:
        """Return pods of this cluster as an end."""
        return (group_of(self.draft, f"consul: {words}", *parts, in_cluster(self.draft.cluster)),)


def add_mutual_tls(objects: Sequence[Object], defaults: Defaults, draft: Draft, *, beyond: bool) -> None:
    """Add a rule set for each object that sets the mode of services, one for the others, and what goes past proxies."""
    setters = {
        item.own: item for item in objects if item.own in _values(BY, draft) and item.group == "consul.hashicorp.com"
    }
    for name, item in sorted(setters.items()):
        _add(item, bearing(BY, name), draft, beyond=beyond)
    shown = [each for each in draft.interfaces.values() if each.labels.get(CONSUL) in _PARTS]
    if any(BY not in each.labels for each in shown):
        _add(None, without(BY), draft, beyond=beyond)
    for text in _values(PAST, draft):
        _add_past(text, draft)
    if defaults.closed is not None and shown:
        _add_closed(defaults.closed, draft)


_PARTS: Final = frozenset((SIDECAR, DIRECT, PERHAPS, UNASKED, UNNAMED))


def _values(key: str, draft: Draft) -> list[str]:
    """Return the values of a label that pods bear."""
    return sorted({each.labels[key] for each in draft.interfaces.values() if key in each.labels})


def _add(item: Object | None, whom: Selector, draft: Draft, *, beyond: bool) -> None:
    identifier = draft.id(f"{MUTUAL_TLS_STAGE}/consul" if item is None else item.own)
    applies = AllOf((whom, ENFORCING, in_cluster(draft.cluster)))
    modes = sorted(
        {
            each.labels.get(MODE, "")
            for each in draft.interfaces.values()
            if each.labels.get(CONSUL) in _PARTS and each.labels.get(BY, "") == ("" if item is None else item.own)
        }
    )
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind="mesh-rule" if item is None else item.kind,
        name="" if item is None else item.name,
        tags={"mode": "/".join(modes)} | ({} if item is None else {"namespace": item.place}),
        location=None if item is None else item.location,
        stage=MUTUAL_TLS_STAGE,
        rules=tuple(_rules(_Writer(draft, item), beyond=beyond)),
        applies=applies,
        network=pods_of(draft.cluster),
        isolates=frozenset(("ingress",)),
        managed_by=PROVIDER if item is None else "",
    )


def _rules(write: _Writer, *, beyond: bool) -> Iterator[Rule]:
    draft = write.draft
    away: tuple[Peer, ...] = (elsewhere(draft),) if beyond else ()
    every = (*write.pods("pods of the mesh", EVERY), *away)
    speakers = write.pods("pods that speak mutual TLS", bearing(CONSUL, SIDECAR), without(OUTBOUND))
    behind = write.pods("pods behind proxies", bearing(CONSUL, SIDECAR))
    yield write.rule("not-tcp", NOT_TCP, (Everyone(),))
    for text in _values(PORT, draft):
        local = write.pods(f"pods behind proxies, service at {text}", bearing(CONSUL, SIDECAR), bearing(PORT, text))
        yield write.rule(f"mutual-tls.{text}", Traffic.parse(text), speakers, local)
    yield write.rule("mutual-tls.perhaps", TCP, every, behind, exact=False)
    open_to = write.pods("pods in the permissive mode", bearing(CONSUL, SIDECAR), bearing(MODE, "permissive"))
    perhaps = write.pods("pods perhaps in the permissive mode", bearing(CONSUL, SIDECAR), bearing(MODE, "unknown"))
    yield write.rule("plain-text", TCP, (Everyone(),), open_to)
    yield write.rule("plain-text.perhaps", TCP, (Everyone(),), perhaps, exact=False)
    for text in _values(EXPOSED, draft):
        local = write.pods(f"pods with exposed paths at {text}", bearing(EXPOSED, text))
        told = "HTTP: exposed paths only"
        yield write.rule("exposed", Traffic.parse(text), (Everyone(),), local, exact=False, description=told)
    beside = write.pods("pods beside their proxies", bearing(CONSUL, DIRECT))
    yield write.rule("beside-the-proxy", TCP - _OWN, (Everyone(),), beside)
    yield write.rule("at-the-proxy", _OWN, every, beside, exact=False)
    unsure = write.pods("pods perhaps of the mesh", bearing(CONSUL, PERHAPS, UNASKED, UNNAMED))
    yield write.rule("perhaps-without-proxy", TCP, (Everyone(),), unsure, exact=False)


def _add_past(text: str, draft: Draft) -> None:
    """Let pass what goes past proxies, as annotations of pods say."""
    for stage in (MUTUAL_TLS_STAGE, MESH_STAGE):
        own = draft.id(f"{stage}/past proxies {text}")
        rule = _Writer(draft, None).rule(
            "past-the-proxy", Traffic.parse(text), (Everyone(),), priority=0, description="goes past the proxy"
        )
        _put_beside(own, stage, rule, (bearing(CONSUL, SIDECAR), bearing(PAST, text)), draft)


def _put_beside(own: str, stage: str, rule: Rule, parts: tuple[Selector, ...], draft: Draft) -> None:
    draft.rule_sets[own] = RuleSet(
        id=own,
        kind="mesh-rule",
        stage=stage,
        rules=(rule,),
        applies=AllOf((*parts, in_cluster(draft.cluster))),
        network=pods_of(draft.cluster),
        # It adds to what other lists let through, and judges nobody by itself.
        isolates=frozenset(),
        managed_by=PROVIDER,
    )


def add_beside(draft: Draft) -> None:
    """Let pass what intentions do not judge: what reaches workloads beside their proxies, and exposed paths."""
    if _has(DIRECT, draft):
        traffic = TCP - _OWN
        rule = _Writer(draft, None).rule(
            "beside-the-proxy", traffic, (Everyone(),), priority=0, description="goes past the proxy"
        )
        _put_beside(draft.id(f"{MESH_STAGE}/beside proxies"), MESH_STAGE, rule, (bearing(CONSUL, DIRECT),), draft)
    for text in _values(EXPOSED, draft):
        rule = _Writer(draft, None).rule(
            "exposed", Traffic.parse(text), (Everyone(),), priority=0, exact=False, description="HTTP: exposed paths"
        )
        own = draft.id(f"{MESH_STAGE}/exposed {text}")
        _put_beside(own, MESH_STAGE, rule, (ENFORCING, bearing(EXPOSED, text)), draft)


def _has(part: str, draft: Draft) -> bool:
    return any(each.labels.get(CONSUL) == part for each in draft.interfaces.values())


def _add_closed(item: Object, draft: Draft) -> None:
    """Add what proxies let out where they connect to the mesh alone: beyond it by gateways, or past them, at most."""
    write = _Writer(draft, item)
    surely = write.pods("pods behind proxies", bearing(CONSUL, SIDECAR))
    out: Literal["egress"] = "egress"
    where = item.location
    rules = (
        Rule(id="mesh", direction=out, verdict="next", traffic=TCP, remote=surely, priority=1, location=where),
        Rule(
            id="others",
            direction=out,
            verdict="deny",
            traffic=TCP,
            remote=(Everyone(),),
            priority=2,
            exact=False,
            location=where,
        ),
    )
    identifier = draft.id(item.own)
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind=item.kind,
        name=item.name,
        tags={"namespace": item.place},
        location=item.location,
        stage=MESH_STAGE,
        rules=rules,
        applies=AllOf((ENFORCING, in_cluster(draft.cluster))),
        network=pods_of(draft.cluster),
        isolates=frozenset(("egress",)),
    )
