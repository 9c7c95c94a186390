"""The network plugins that are recognised by their daemons, and what each makes of policies.

Names, images and arguments are those with which the vendors ship their daemons; chained plugins count as those that
they are chained to, too. Whether rules that name addresses match pods is said where a vendor says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.providers.kubernetes.translate.plugins import clouds
from cloudseg.providers.kubernetes.translate.plugins.claim import ADMIN, V1, Claim, image_words
from cloudseg.providers.kubernetes.translate.plugins.daemons import Container, truth
from cloudseg.providers.kubernetes.translate.plugins.plugin import ANTREA_GROUP, CALICO_GROUPS, CILIUM_GROUP, OVN_GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cloudseg.providers.kubernetes.translate.plugins.claim import Surroundings
    from cloudseg.providers.kubernetes.translate.plugins.daemons import Daemon

__all__ = ["claims"]

_NOTHING: Final = Container("", "", "", (), {})
_KINDNET_ENFORCES: Final = 20240813
"""The date in the tag of the image that kind v0.24.0 ships, the first that enforces policies. Source:
https://github.com/kubernetes-sigs/kind/releases/tag/v0.24.0"""
_KINDNET_IGNORES: Final = 20240723
"""Before this day kindnet did not know of policies. Source: https://github.com/kubernetes-sigs/kind/pull/3612"""
_OF_CILIUMS_KINDS: Final = (
    "enable-cilium-network-policy",
    "enable-cilium-clusterwide-network-policy",
    "enable-non-default-deny-policies",
)
_OF_ENFORCEMENT: Final = frozenset(
    ("enable-policy", "policy-audit-mode", "enable-k8s-networkpolicy", *_OF_CILIUMS_KINDS)
)
_WITHOUT_ANTREAS: Final = re.compile(r"(?m)^\s*AntreaPolicy:\s*['\"]?false\b")
_DATED: Final = re.compile(r"v(20\d{6})(?:-.*)?")


def claims(daemon: Daemon, around: Surroundings) -> Iterator[Claim]:
    """Yield what a daemon tells; one that holds two plugins, as Canal does, tells of both."""
    for mark in _MARKS:
        if found := mark.of(daemon):
            claim = mark.judge(daemon, found, around)
            yield claim._replace(evidence=f"{daemon.words}{claim.evidence}", windows=daemon.windows)
            if mark.alone:
                return


class _Mark(NamedTuple):
    """By what the daemon of a plugin is known: the name of its DaemonSet, of a container or of an image.

    Attributes:
        judge: what it makes of policies, by the daemon and the container that tells.
        names: names of DaemonSets.
        containers: names of containers.
        images: the last part of the names of images.
        alone: nothing else is looked for in this daemon.
    """

    judge: Callable[[Daemon, Container, Surroundings], Claim]
    names: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    alone: bool = False

    def of(self, daemon: Daemon) -> Container | None:
        """Return the container of a daemon that tells of the plugin; None where none does."""
        for container in daemon.containers:
            if container.name in self.containers or container.image.rpartition("/")[2] in self.images:
                return container
        if daemon.name in self.names:
            return next(iter(daemon.containers), _NOTHING)
        return None


def _calico(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge Calico, whether it makes the network or only enforces policies in that of another plugin.

    It compares the addresses of packets with ranges, those of pods too. Which release understands which admin policies
    is not read off the image. Sources: https://docs.tigera.io/calico/latest/reference/resources/networkpolicy,
    https://github.com/projectcalico/calico/issues/6634 and
    https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy
    """
    return Claim("Calico", image_words(container), "everywhere", V1 | CALICO_GROUPS, ADMIN, enforces=True)


def _cilium(_daemon: Daemon, container: Container, around: Surroundings) -> Claim:
    """Judge Cilium: a range of addresses never means pods, and a switch turns all policies off, or denial on.

    The switches stand in a config map, or in the arguments of the agent; where neither was read they have their
    defaults. Nodes may be set apart. In the audit mode no policy is enforced. Sources:
    https://docs.cilium.io/en/stable/security/policy/intro/,
    https://docs.cilium.io/en/stable/security/policy/language/#ip-cidr-based,
    https://docs.cilium.io/en/stable/security/policy-creation/ and
    https://docs.cilium.io/en/stable/configuration/per-node-config/
    """
    settings = around.settings.get(("kube-system", "cilium-config")) or next(
        (data for (_, name), data in around.settings.items() if name == "cilium-config"), None
    )

    def given(switch: str) -> str | None:
        return container.flag(switch) or (settings or {}).get(switch)

    mode, words = given("enable-policy"), image_words(container)
    if mode is None:
        unread = "" if settings is not None else "; the config map cilium-config was not read"
        words += f"; that its mode of enforcement is `default` is assumed{unread}"
    elif mode not in {"default", "always", "never"}:
        return Claim("Cilium", words, doubt=f"its mode of enforcement is {mode!r}, which is none", enforces=None)
    if mode == "never":
        return Claim("Cilium", f"{words}; its mode of enforcement is `never`", enforces=False)
    if truth(given("policy-audit-mode"), default=False):
        return Claim("Cilium", f"{words}; its policy audit mode is on: it logs and enforces nothing", enforces=False)
    apart = sorted(around.set_by_node & _OF_ENFORCEMENT)
    doubt = f"a CiliumNodeConfig sets {', '.join(apart)} for some nodes" if apart else ""
    v1 = frozenset[str]() if truth(given("enable-k8s-networkpolicy")) is False else V1
    own = frozenset((CILIUM_GROUP,))
    # Its own kinds share a group: where one of them is switched off, which ones count is not told apart.
    partly = any(truth(given(switch)) is False for switch in _OF_CILIUMS_KINDS)
    return Claim(
        "Cilium",
        words,
        "outside",
        v1 if partly else v1 | own,
        ADMIN | own if partly else ADMIN,
        closed=mode == "always",
        enforces=None if doubt else bool(v1),
        doubt=doubt,
    )


def _antrea(_daemon: Daemon, container: Container, around: Surroundings) -> Claim:
    """Judge Antrea; a feature gate turns its own policies off, and one turns admin policies on.

    Source: https://antrea.io/docs/main/docs/feature-gates/
    """
    configs = (text for (_, name), data in around.settings.items() if "antrea-config" in name for text in data.values())
    off = any(_WITHOUT_ANTREAS.search(text) for text in configs)
    words = f"{image_words(container)}{'; its feature gate AntreaPolicy is off' if off else ''}"
    # The gate is one of the agent and one of the controller: its policies may still count where one has it on.
    own = frozenset((ANTREA_GROUP,))
    return Claim("Antrea", words, groups=V1 if off else V1 | own, doubtful=ADMIN | own if off else ADMIN, enforces=True)


def _weave(daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge Weave Net, whose controller of policies is a container beside it.

    Source: https://github.com/weaveworks/weave/blob/master/site/kubernetes/kube-addon.md
    """
    controller = any(each.name == "weave-npc" or each.image.endswith("weave-npc") for each in daemon.containers)
    switch = next(
        (each.environment["EXPECT_NPC"] for each in daemon.containers if "EXPECT_NPC" in each.environment), "1"
    )
    if not controller or switch == "0":
        why = "EXPECT_NPC is 0" if controller else "it has no container weave-npc"
        return Claim("Weave Net", f"{image_words(container)}; {why}", enforces=False)
    return Claim("Weave Net", image_words(container), groups=V1, enforces=True)


def _kube_router(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge kube-router, whose firewall is on unless it is switched off.

    Source: https://www.kube-router.io/docs/user-guide/
    """
    firewall = truth(container.flag("run-firewall"), default=True)
    if firewall is False:
        return Claim("kube-router", f"{image_words(container)}; --run-firewall is off", enforces=False)
    doubt = "" if firewall else "it cannot be told whether --run-firewall is on"
    return Claim("kube-router", image_words(container), groups=V1, doubtful=ADMIN, doubt=doubt, enforces=firewall)


def _flannel(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge Flannel, which makes a network and leaves policies to others.

    Source: https://github.com/flannel-io/flannel#readme
    """
    return Claim("Flannel", f"{image_words(container)}; Flannel itself enforces no policies", enforces=False)


def _kindnet(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge kindnet, which enforces policies since kind v0.24.0.

    Sources: https://github.com/kubernetes-sigs/kind/releases/tag/v0.24.0 and https://github.com/aojea/kindnet
    """
    words, enforces = image_words(container), truth(container.flag("network-policy"))
    dated = _DATED.fullmatch(container.tag)
    if enforces is None and dated is not None:
        day = int(dated[1])
        enforces = True if day >= _KINDNET_ENFORCES else False if day < _KINDNET_IGNORES else None
    if enforces is False:
        return Claim(
            "kindnet", f"{words}; kindnet before kind v0.24.0, or with its policies off, enforces none", enforces=False
        )
    doubt = "" if enforces else f"whether its version ({container.tag or 'no tag'}) enforces policies cannot be told"
    return Claim("kindnet", words, groups=V1, doubtful=ADMIN, doubt=doubt, enforces=enforces)


def _kube_network_policies(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge kube-network-policies, alone or as a container beside Flannel.

    Source: https://kube-network-policies.sigs.k8s.io
    """
    admin = truth(container.flag("admin-network-policy"))
    return Claim(
        "kube-network-policies",
        image_words(container),
        groups=V1 | ADMIN if admin else V1,
        doubtful=frozenset() if admin else ADMIN,
        enforces=True,
    )


def _ovn(daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge OVN-Kubernetes; admin policies count where they are switched on.

    Source: https://ovn-kubernetes.io/features/network-security-controls/admin-network-policy/
    """
    text = " ".join(argument for each in daemon.containers for argument in each.arguments)
    admin = "--enable-admin-network-policy" in text and "--enable-admin-network-policy=false" not in text
    own = V1 | {OVN_GROUP}
    return Claim(
        "OVN-Kubernetes",
        image_words(container),
        groups=own | ADMIN if admin else own,
        doubtful=frozenset() if admin else ADMIN,
        enforces=True,
    )


def _romana(_daemon: Daemon, container: Container, _around: Surroundings) -> Claim:
    """Judge Romana. Source: https://github.com/romana/romana."""
    return Claim("Romana", image_words(container), groups=V1, enforces=True)


def _mark(
    judge: Callable[[Daemon, Container, Surroundings], Claim],
    names: Iterable[str] = (),
    containers: Iterable[str] = (),
    images: Iterable[str] = (),
    *,
    alone: bool = False,
) -> _Mark:
    return _Mark(judge, frozenset(names), frozenset(containers), frozenset(images), alone)


_MARKS: Final = (
    _mark(clouds.dataplane, ("anetd",), alone=True),
    _mark(clouds.azure_npm, ("azure-npm", "azure-npm-win"), ("azure-npm",), ("azure-npm",)),
    _mark(clouds.azure_cns, ("azure-cns", "azure-cns-win")),
    _mark(_calico, ("calico-node", "canal", "rke2-canal"), ("calico-node",), ("hardened-calico",)),
    _mark(_cilium, ("cilium",), ("cilium-agent",)),
    _mark(_antrea, ("antrea-agent", "antrea-agent-windows"), ("antrea-agent",)),
    _mark(_weave, ("weave-net",), (), ("weave-kube",)),
    _mark(_kube_router, ("kube-router",), ("kube-router",), ("kube-router",)),
    _mark(clouds.aws, ("aws-node",), ("aws-node",), ("amazon-k8s-cni",)),
    _mark(_flannel, ("kube-flannel", "kube-flannel-ds"), ("kube-flannel",), ("flannel", "hardened-flannel")),
    _mark(_kindnet, ("kindnet",), ("kindnet-cni",), ("kindnetd",)),
    _mark(_kube_network_policies, ("kube-network-policies",), ("kube-network-policies",), ("kube-network-policies",)),
    _mark(_ovn, ("ovnkube-node",), ("ovnkube-node", "ovnkube-controller")),
    _mark(clouds.openshift, (), ("sdn",)),
    _mark(_romana, ("romana-agent",), ("romana-agent",)),
)
