"""The few config maps that decide how policies are enforced, asked for by name; no other is ever read.

Of each only the settings that are judged are kept: the others hold tokens and keys. Where the plugin or mesh whose
settings they are is not there, nothing is asked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import yaml

from cloudseg.providers.kubernetes.client import AnswerError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from cloudseg.providers.kubernetes.client import Client, Fields

__all__ = ["SETTINGS", "Setting", "read_setting", "settings_for"]

_GONE: Final = 404
_OF_SERVERS: Final = frozenset(("acl", "default_intention_policy", "default_policy", "enabled"))
_OF_LINKERD: Final = frozenset(
    (
        *("clusterNetworks", "cniEnabled", "defaultInboundPolicy", "identityTrustDomain", "proxy", "proxyInit"),
        *("ignoreInboundPorts", "ignoreOutboundPorts", "skipSubnets"),
    )
)
_OF_ISTIO: Final = frozenset(("excludeInboundPorts", "global", "includeInboundPorts", "proxy"))
_OF_LINKERDS_PLUGIN: Final = frozenset(
    ("inbound-ports-to-ignore", "linkerd", "outbound-ports-to-ignore", "subnets-to-ignore")
)


def _policies_of_servers(text: str) -> str:
    """Return of a file of Consul's servers, which is JSON, the policies that hold by default.

    Raises:
        ValueError: it is no JSON.
    """
    return json.dumps(_chosen(json.loads(text), _OF_SERVERS))


def _ports_of_istio(text: str) -> str:
    """Return of the values of Istio's injector, which are JSON, the ports that are led to sidecars.

    Raises:
        ValueError: they are no JSON.
    """
    return json.dumps(_chosen(json.loads(text), _OF_ISTIO))


def _ports_of_linkerds_plugin(text: str) -> str:
    """Return of the network configuration of Linkerd's CNI plugin, which is JSON, what it leads past proxies.

    Raises:
        ValueError: it is no JSON.
    """
    return json.dumps(_chosen(json.loads(text), _OF_LINKERDS_PLUGIN))


def _values_of_linkerd(text: str) -> str:
    """Return of the values of Linkerd's chart, which are YAML, those that decide who may connect.

    Raises:
        ValueError: they are no YAML.
    """
    try:
        values: object = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError("it is no YAML") from error
    return yaml.safe_dump(_chosen(values, _OF_LINKERD), default_flow_style=False)


class Setting(NamedTuple):
    """A config map.

    Attributes:
        groups: API groups that show that somebody uses it.
        namespace: where it stands.
        name: its name.
        keys: the settings that are kept; none for all of them, as far as ``kept`` leaves anything.
        kept: returns what is kept of one setting, and raises ValueError where it cannot be read; all of it without.
    """

    groups: tuple[str, ...]
    namespace: str
    name: str
    keys: tuple[str, ...]
    kept: Callable[[str], str] | None = None

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return f"/api/v1/namespaces/{self.namespace}/configmaps/{self.name}"


SETTINGS: Final = (
    # https://docs.cilium.io/en/stable/security/network/policyenforcement/
    Setting(("cilium.io",), "kube-system", "cilium-config", ("enable-policy", "policy-cidr-match-mode")),
    # https://docs.aws.amazon.com/eks/latest/userguide/network-policy-disable.html
    Setting(
        ("vpcresources.k8s.aws", "crd.k8s.amazonaws.com", "networking.k8s.aws"),
        "kube-system",
        "amazon-vpc-cni",
        ("enable-network-policy-controller",),
    ),
    # https://github.com/Azure/ip-masq-agent-v2#configuring-the-agent; AKS keeps the second map itself:
    # https://learn.microsoft.com/azure/aks/azure-cni-overlay
    Setting(("acn.azure.com",), "kube-system", "azure-ip-masq-agent-config", ()),
    Setting(("acn.azure.com",), "kube-system", "azure-ip-masq-agent-config-reconciled", ()),
    # https://cloud.google.com/kubernetes-engine/docs/how-to/ip-masquerade-agent
    Setting(("networking.gke.io",), "kube-system", "ip-masq-agent", ("config",)),
    # https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
    Setting(("security.istio.io", "networking.istio.io"), "istio-system", "istio", ("mesh",)),
    # https://artifacthub.io/packages/helm/istio-official/istiod
    Setting(
        ("security.istio.io", "networking.istio.io"),
        "istio-system",
        "istio-sidecar-injector",
        ("values",),
        _ports_of_istio,
    ),
    # https://linkerd.io/2-edge/reference/authorization-policy/#default-policies and
    # https://artifacthub.io/packages/helm/linkerd2/linkerd-control-plane
    Setting(("policy.linkerd.io", "linkerd.io"), "linkerd", "linkerd-config", ("values",), _values_of_linkerd),
    # https://artifacthub.io/packages/helm/linkerd2/linkerd2-cni
    Setting(
        ("policy.linkerd.io", "linkerd.io"),
        "linkerd-cni",
        "linkerd-cni-config",
        ("cni_network_config",),
        _ports_of_linkerds_plugin,
    ),
    # https://developer.hashicorp.com/consul/docs/agent/config/config-files#acl_default_policy; what the chart's value
    # server.extraConfig says stands in a map of its own: https://developer.hashicorp.com/consul/docs/k8s/helm
    Setting(("consul.hashicorp.com",), "consul", "consul-server-config", (), _policies_of_servers),
    Setting(("consul.hashicorp.com",), "consul", "consul-server-tmp-extra-config", (), _policies_of_servers),
)


def settings_for(groups: Collection[str]) -> Iterator[Setting]:
    """Yield the config maps that matter where API groups are served."""
    return (setting for setting in SETTINGS if any(group in groups for group in setting.groups))


def read_setting(client: Client, setting: Setting) -> Fields | None:
    """Return a config map with the settings that are kept; None where there is none.

    Raises:
        AnswerError: it cannot be read.
    """
    try:
        answer = client.get(setting.path)
    except AnswerError as error:
        if error.status == _GONE:
            return None
        if error.status != 403:
            raise
        rule = f'resources: ["configmaps"], resourceNames: ["{setting.name}"], verbs: ["get"]'
        raise AnswerError("denied", f"grant {rule}; {error.detail}", 403) from error
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": setting.name, "namespace": setting.namespace},
        "data": dict(_kept(setting, answer.get("data"))),
    }


def _kept(setting: Setting, data: object) -> Iterator[tuple[str, str]]:
    given = cast("Fields", data) if isinstance(data, dict) else {}
    for key in setting.keys or sorted(given):
        text = given.get(key)
        if not isinstance(text, str):
            continue
        try:
            yield key, text if setting.kept is None else setting.kept(text)
        except (ValueError, RecursionError) as error:
            raise AnswerError("malformed", f"{key}: {error}") from error


def _chosen(value: object, keys: Collection[str]) -> object:
    """Return a value with nothing but the fields of some names, in whatever they stand."""
    if isinstance(value, dict):
        fields = cast("dict[object, object]", value)
        return {str(key): _chosen(each, keys) for key, each in fields.items() if key in keys}
    if isinstance(value, list):
        return [_chosen(each, keys) for each in cast("list[object]", value)]
    return value
