"""Which connections are led to sidecars where no annotation of a pod says otherwise, as an installation is set.

What comes to a port that is left out goes past the sidecar, and no policy of Istio guards it. Sources:
https://istio.io/latest/docs/reference/config/annotations/#SidecarTrafficExcludeInboundPorts,
https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig-InboundInterceptionMode and
https://artifacthub.io/packages/helm/istio-official/istiod (``global.proxy.excludeInboundPorts``)
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Capture", "read_capture"]

_INJECTOR: Final = re.compile(r"istio-sidecar-injector(-.+)?")
_MESH: Final = re.compile(r"istio(-.+)?")
_MODE: Final = re.compile(r"^[ \t]+interceptionMode:[ \t]*[\"']?(\w+)", re.MULTILINE)
_REDIRECTS: Final = frozenset(("REDIRECT", "TPROXY"))


class Capture(NamedTuple):
    """What is led to sidecars.

    Attributes:
        included: the ports on which connections are, ``*`` for all; None where that is not known.
        excluded: the ports on which they are not; None where that is not known.
        surely: connections are led there at all, as far as is known.
    """

    included: str | None = "*"
    excluded: str | None = ""
    surely: bool = True


def read_capture(objects: Iterable[Object], unread: Collection[str]) -> Capture:
    """Return what is led to sidecars by default; of several revisions of a mesh what all of them say.

    Args:
        objects: the objects of the cluster.
        unread: what was asked for by name and could not be read, ``configmaps istio-system/istio-sidecar-injector``.
    """
    if any(each.startswith("configmaps ") and "/istio-sidecar-injector" in each for each in unread):
        return Capture(None, None, surely=False)
    found = {capture for item in objects if not item.flaw for capture in _of(item)}
    if not found:
        return Capture()
    included, excluded = {each.included for each in found}, {each.excluded for each in found}
    return Capture(
        included.pop() if len(included) == 1 else None,
        excluded.pop() if len(excluded) == 1 else None,
        surely=all(each.surely for each in found),
    )


def _of(item: Object) -> Iterator[Capture]:
    if (item.group, item.kind) == ("", "ConfigMap"):
        text = item.part("data").get("values")
        if _INJECTOR.fullmatch(item.name) and isinstance(text, str):
            try:
                yield _of_values(fields_of(json.loads(text)))
            except (ValueError, RecursionError):
                yield Capture(None, None)
        text = item.part("data").get("mesh")
        if _MESH.fullmatch(item.name) and isinstance(text, str):
            written = _MODE.search(text)
            if written is not None and written[1] not in _REDIRECTS:
                yield Capture(surely=False)
    elif item.group in {"install.istio.io", "sailoperator.io"}:
        spec = item.part("spec")
        values = fields_of(spec.get("values"))
        own = _of_values(values)
        for config in (spec.get("meshConfig"), values.get("meshConfig")):
            mode = fields_of(fields_of(config).get("defaultConfig")).get("interceptionMode")
            own = own._replace(surely=own.surely and (mode is None or mode in _REDIRECTS))
        if own != Capture():
            yield own


def _of_values(values: dict[str, object]) -> Capture:
    given = fields_of(fields_of(values.get("global")).get("proxy"))
    included, excluded = (given.get(f"{key}InboundPorts") for key in ("include", "exclude"))
    return Capture(_text(included, "*"), _text(excluded, ""))


def _text(value: object, default: str) -> str | None:
    if value is None:
        return default
    return str(value) if isinstance(value, str) or type(value) is int else None
