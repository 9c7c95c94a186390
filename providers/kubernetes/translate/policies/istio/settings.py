"""The settings of a mesh, as far as objects show them; else as Istio sets them by default.

Source: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.istio.capture import Capture, read_capture

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["LOCAL_DOMAIN", "Settings", "read_settings"]

LOCAL_DOMAIN: Final = "cluster.local"
"""The trust domain by default; in policies it always stands for the mesh's own. Source:
https://istio.io/latest/docs/tasks/security/authorization/authz-td-migration/"""

_CONFIG_MAP: Final = re.compile(r"istio(-.+)?")
_SETTING: Final = re.compile(r"^(rootNamespace|trustDomain|enableAutoMtls):[ \t]*[\"']?([\w.-]+)", re.MULTILINE)
_OUTBOUND: Final = re.compile(r"^outboundTrafficPolicy:[ \t]*\n[ \t]+mode:[ \t]*[\"']?(\w+)", re.MULTILINE)


class Settings(NamedTuple):
    """The settings of a mesh.

    Attributes:
        root: the namespace whose policies hold for the whole mesh.
        domain: the trust domain of its identities; empty where it was not read.
        automatic: proxies speak mutual TLS with each other unasked.
        registry_only: proxies refuse to connect to what is not registered, by default.
        capture: what is led to sidecars, by default.
    """

    root: str = "istio-system"
    domain: str = ""
    automatic: bool = True
    registry_only: bool = False
    capture: Capture = Capture()


def read_settings(objects: Sequence[Object], unread: Collection[str] = ()) -> Settings:
    """Return the settings of the mesh of a cluster.

    Args:
        objects: the objects of the cluster.
        unread: what was asked for by name and could not be read.
    """
    found = Settings(capture=read_capture(objects, unread))
    for item in objects:
        if (item.group, item.kind) == ("", "ConfigMap") and _CONFIG_MAP.fullmatch(item.name):
            text = item.part("data").get("mesh")
            if isinstance(text, str):
                given: dict[str, object] = dict(_SETTING.findall(text))
                mode = _OUTBOUND.search(text)
                found = _with(found, given, mode[1] if mode else "")
        elif item.group == "install.istio.io":
            found = _of_config(found, item.part("spec").get("meshConfig"))
        elif item.group == "sailoperator.io":
            found = _of_config(found, fields_of(item.part("spec").get("values")).get("meshConfig"))
    return found


def _of_config(found: Settings, config: object) -> Settings:
    given = fields_of(config)
    return _with(found, given, fields_of(given.get("outboundTrafficPolicy")).get("mode"))


def _with(found: Settings, given: dict[str, object], mode: object) -> Settings:
    root, domain, automatic = (given.get(key) for key in ("rootNamespace", "trustDomain", "enableAutoMtls"))
    return found._replace(
        root=root if isinstance(root, str) and root else found.root,
        domain=domain if isinstance(domain, str) and domain else found.domain,
        automatic=found.automatic and automatic not in (False, "false"),
        registry_only=found.registry_only or mode == "REGISTRY_ONLY",
    )
