"""The settings of a Linkerd installation, as far as objects show them; else as its chart sets them.

Sources: https://linkerd.io/2-edge/reference/authorization-policy/#default-policies,
https://linkerd.io/2-edge/reference/cluster-configuration/ and https://artifacthub.io/packages/helm/linkerd2/linkerd2
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.policies.linkerd.past import Past, read_past
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["DOMAIN", "UNREAD", "Settings", "read_settings"]

DOMAIN: Final = "linkerd.cluster.local"
"""What identities end with by default: the namespace of the control plane, and the trust domain."""

UNREAD: Final = "unread"
"""The default policy of a cluster whose settings are there and could not be read: it may be any."""

_NAME: Final = "linkerd-config"
_SETTING: Final = re.compile(r"^(clusterNetworks|identityTrustDomain):[ \t]*[\"']?([^\s\"']+)", re.MULTILINE)
_DEFAULT: Final = re.compile(
    r"^proxy:[ \t]*\n(?:[ \t]+.*\n|[ \t]*\n)*?[ \t]+defaultInboundPolicy:[ \t]*[\"']?([\w-]+)", re.MULTILINE
)
_NETWORKS: Final = "10.0.0.0/8,100.64.0.0/10,172.16.0.0/12,192.168.0.0/16,fd00::/8"


class Settings(NamedTuple):
    """The settings of an installation.

    Attributes:
        domain: what the identities of its workloads end with.
        default: the default policy of the cluster; empty where it was not read.
        networks: the addresses of the cluster.
        read: they were read.
        past: the ports that go past proxies by default.
    """

    domain: str = DOMAIN
    default: str = ""
    networks: AddressSet = AddressSet.from_cidrs(_NETWORKS.split(","))
    read: bool = False
    past: Past = Past()


def read_settings(objects: Sequence[Object], unread: Collection[str] = ()) -> Settings:
    """Return the settings of a cluster's installation.

    Args:
        objects: the objects of the cluster.
        unread: what was asked for by name and could not be read, ``configmaps linkerd/linkerd-config``.
    """
    for item in objects:
        if (item.group, item.kind, item.name) == ("", "ConfigMap", _NAME) and not item.flaw:
            text = item.part("data").get("values")
            if isinstance(text, str):
                return _of_values(text, item.place)._replace(past=read_past(text, objects, unread))
    lost = any(each.startswith("configmaps ") and each.endswith(f"/{_NAME}") for each in unread)
    return Settings(default=UNREAD, past=Past(None, None)) if lost else Settings()


def _of_values(text: str, place: str) -> Settings:
    given: dict[str, str] = dict(_SETTING.findall(text))
    default = _DEFAULT.search(text)
    try:
        networks = AddressSet.from_cidrs(given.get("clusterNetworks", _NETWORKS).split(","))
    except ParseError:
        networks = Settings().networks
    domain = f"{place}.{given.get('identityTrustDomain', 'cluster.local')}"
    return Settings(domain, default[1] if default else "", networks, read=True)
