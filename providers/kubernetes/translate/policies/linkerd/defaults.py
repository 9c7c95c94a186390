"""The policies that decide where no other does: of the ports without a Server, and of Servers themselves.

Sources: https://linkerd.io/2-edge/reference/authorization-policy/#default-policies and
https://linkerd.io/2-edge/features/server-policy/#default-authorizations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import ANYONE, Addresses, AllOf, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import ON_HOST, in_cluster
from cloudseg.providers.kubernetes.translate.objects import PROVIDER
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.linkerd.clients import ANY_IDENTITY, Clients, of_cluster
from cloudseg.providers.kubernetes.translate.policies.linkerd.membership import (
    DEFAULT,
    IDENTIFIED,
    LINKERD,
    PERHAPS_SKIPPED,
    SKIPPED,
    SKIPPED_BY_DEFAULT,
    SURELY,
    UNKNOWN,
)
from cloudseg.providers.kubernetes.translate.policies.meshes import TCP, bearing, group_of, without
from cloudseg.traffic import NO_ADDRESSES, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Peer, Selector, Verdict
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.linkerd.settings import Settings

__all__ = ["ADMITTED", "DENIED", "OPEN", "PAST_BY_DEFAULT", "access", "add_defaults"]

PAST_BY_DEFAULT: Final = "past-the-proxy-by-default"
"""The id of the rule that lets pass what goes past proxies since no annotation says otherwise."""
_PAST: Final = 0
ADMITTED: Final = 1
"""The priority of what admits clients to a Server."""
DENIED: Final = 2
"""The priority of what denies whom nothing admits to a Server."""
_ADMITTED_IDENTITIES: Final = 3
_DENIED_STRANGERS: Final = 4
_ADMITTED_BY_DEFAULT: Final = 5
_DENIED_BY_DEFAULT: Final = 6

OPEN: Final = frozenset(("all-unauthenticated", "audit"))
"""Policies that admit everyone."""


def access(policy: str, settings: Settings) -> Clients | None:
    """Return whom a default policy, or the access policy of a Server, admits; None for nobody, or an unknown one."""
    match policy:
        case "all-unauthenticated" | "audit":
            return Clients()
        case "all-authenticated":
            return Clients(named=ANY_IDENTITY)
        case "cluster-unauthenticated":
            return Clients(of_cluster(settings))
        case "cluster-authenticated":
            return Clients(of_cluster(settings), ANY_IDENTITY)
        case _:
            return None


class _PastProxies(NamedTuple):
    """Ports that go past proxies.

    Attributes:
        label: the label with them.
        rule: what the rule that lets them pass is called.
        name: what the list with it is called.
        certain: they surely do.
        words: why, in words.
    """

    label: str
    rule: str
    name: str
    certain: bool
    words: str


_PAST_PROXIES: Final = (
    _PastProxies(SKIPPED, "past-the-proxy", "past proxies", certain=True, words="goes past the proxy"),
    _PastProxies(
        SKIPPED_BY_DEFAULT,
        PAST_BY_DEFAULT,
        "past proxies by default",
        certain=True,
        words="goes past the proxy, as Linkerd is set",
    ),
    _PastProxies(
        PERHAPS_SKIPPED,
        PAST_BY_DEFAULT,
        "perhaps past proxies by default",
        certain=False,
        words="goes past the proxy, unless Linkerd is set otherwise",
    ),
)


class _Setting(NamedTuple):
    """What pods have in common.

    Attributes:
        part: whether they are surely part of the mesh.
        policy: the policy of the ports without a Server.
        identified: the ports at which it asks for an identity in any case; empty for none.
    """

    part: str
    policy: str
    identified: str

    @property
    def words(self) -> str:
        """It in words."""
        asked = f", identities at {self.identified}" if self.identified else ""
        return f"default inbound policy {self.policy}{asked}{'' if self.part == SURELY else ', perhaps of the mesh'}"


def add_defaults(settings: Settings, draft: Draft, *, beyond: bool) -> None:
    """Add the lists of default policies, and of what goes past proxies.

    Args:
        settings: the settings of the mesh.
        draft: the cluster, with the lists of Servers.
        beyond: whether workloads outside of the cluster may be part of the mesh.
    """
    pods = [each.labels for each in draft.interfaces.values() if LINKERD in each.labels]
    shown = {_Setting(labels[LINKERD], labels[DEFAULT], labels.get(IDENTIFIED, "")) for labels in pods}
    for setting in sorted(shown):
        rules = tuple(_rules(setting, settings, draft, beyond=beyond))
        if rules:
            identified = bearing(IDENTIFIED, setting.identified) if setting.identified else without(IDENTIFIED)
            chosen = (bearing(LINKERD, setting.part), bearing(DEFAULT, setting.policy), identified)
            _put(setting.words, rules, chosen, {"default-inbound-policy": setting.policy}, draft, isolates=True)
    decided = any(each.stage == MESH_STAGE and _denies(each) for each in draft.rule_sets.values())
    for past in _PAST_PROXIES if decided else ():
        for text in sorted({labels[past.label] for labels in pods if past.label in labels}):
            traffic, bearers = Traffic.parse(text), (bearing(LINKERD), bearing(past.label, text))
            rule = _rule(past.rule, "next", traffic, ANYONE, _PAST, exact=past.certain, description=past.words)
            _put(f"{past.name} {text}", (rule,), bearers, {}, draft, isolates=False)
    if decided and pods:
        _add_probes(draft)


def _denies(rule_set: RuleSet) -> bool:
    return any(not rule.allows for rule in rule_set.rules)


def _rules(setting: _Setting, settings: Settings, draft: Draft, *, beyond: bool) -> Iterator[Rule]:
    certain = setting.part == SURELY
    clients = access(setting.policy, settings)
    told = "no Server decides of this port, and the default policy admits nobody else"
    if setting.policy == UNKNOWN:
        words = "the default policy is not known"
        yield _rule("default", "deny", TCP, ANYONE, _DENIED_BY_DEFAULT, exact=False, description=words)
        return
    if setting.identified and clients is not None and clients.named is None and setting.policy != "audit":
        ports = Traffic.parse(setting.identified)
        asked = clients._replace(named=ANY_IDENTITY)
        for number, end in enumerate(asked.ends(draft, beyond=beyond)):
            for part, shown in asked.shown(ports, settings):
                name, exact = f"identified#{number}{'' if shown else '@past'}", certain and end.exact and shown
                yield _rule(name, "next", part, end.remote, _ADMITTED_IDENTITIES, exact=exact)
        words = "an identity is asked for at this port"
        yield _rule("identified", "deny", ports, ANYONE, _DENIED_STRANGERS, exact=certain, description=words)
    if setting.policy in OPEN:
        return
    for number, end in enumerate(() if clients is None else clients.ends(draft, beyond=beyond)):
        for part, shown in () if clients is None else clients.shown(TCP, settings):
            name, exact = f"default#{number}{'' if shown else '@past'}", certain and end.exact and shown
            yield _rule(name, "next", part, end.remote, _ADMITTED_BY_DEFAULT, exact=exact)
    yield _rule("default", "deny", TCP, ANYONE, _DENIED_BY_DEFAULT, exact=certain, description=told)


def _add_probes(draft: Draft) -> None:
    """Let the health checks of nodes pass, at most: single paths of some ports, which no list of ours names."""
    addresses = NO_ADDRESSES
    for node in draft.nodes:
        addresses |= node.addresses
    hosts = any(each.role == "host" for each in draft.interfaces.values())
    if not addresses and not hosts:
        return
    on_host = group_of(draft, "pods on the network of their node", bearing(ON_HOST, draft.cluster))
    remote: tuple[Peer, ...] = (on_host, Addresses(addresses)) if addresses else (on_host,)
    words = "HTTP: health checks are admitted by themselves"
    rule = _rule("health-checks", "next", TCP, remote, ADMITTED, exact=False, description=words)
    _put("health checks of the mesh", (rule,), (bearing(LINKERD),), {}, draft, isolates=False)


def _rule(
    name: str,
    verdict: Verdict,
    traffic: Traffic,
    remote: tuple[Peer, ...],
    priority: int,
    *,
    exact: bool = True,
    description: str = "",
) -> Rule:
    return Rule(
        id=name,
        direction="ingress",
        verdict=verdict,
        traffic=traffic,
        remote=remote,
        priority=priority,
        exact=exact,
        description=description,
    )


def _put(
    text: str,
    rules: tuple[Rule, ...],
    chosen: tuple[Selector, ...],
    tags: dict[str, str],
    draft: Draft,
    *,
    isolates: bool,
) -> None:
    own = draft.id(f"{MESH_STAGE}/{text}")
    draft.rule_sets[own] = RuleSet(
        id=own,
        kind="mesh-rule",
        name=text,
        tags=tags,
        stage=MESH_STAGE,
        rules=rules,
        applies=AllOf((*chosen, in_cluster(draft.cluster))),
        network=pods_of(draft.cluster),
        isolates=frozenset(("ingress",)) if isolates else frozenset(),
        managed_by=PROVIDER,
    )
