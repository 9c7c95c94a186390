"""How Consul is installed, as far as objects show it: its injector, its servers, its namespaces.

The injector is a Deployment with flags; what servers do with connections for which there is no intention stands in a
ConfigMap. Neither shows in Consul's own objects, so that much stays unknown where these were not read. Sources:
https://developer.hashicorp.com/consul/docs/k8s/helm,
https://developer.hashicorp.com/consul/docs/connect/intentions#precedence-and-match-order and
https://developer.hashicorp.com/consul/docs/agent/config/config-files#acl_default_policy
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

from cloudseg.providers.kubernetes.pruning import FLAGS
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.consul.signs import truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Settings", "Spaces", "read_settings"]

_READ: Final = frozenset(
    (
        "acl-auth-method",
        "allow-k8s-namespace",
        "consul-destination-namespace",
        "default-enable-transparent-proxy",
        "default-inject",
        "deny-k8s-namespace",
        "enable-k8s-namespace-mirroring",
        "enable-namespaces",
        "k8s-namespace-mirroring-prefix",
    )
)
"""The flags of the injector that are looked at."""
_INJECTOR: Final = "inject-connect"
_FLAG: Final = re.compile(
    rf"(?<![\w-])--?({'|'.join(sorted(_READ, key=len, reverse=True))})(?![\w-])(?:[= ]+[\"']?([\w*.-]+))?"
)
_POLICY: Final = re.compile(r"[\"']?\b(default_policy|default_intention_policy)[\"']?\s*[:=]\s*[\"'](\w+)[\"']")
_ENABLED: Final = re.compile(r"[\"']?\bacl[\"']?\s*[:=]?\s*\{[^{}]*?[\"']?\benabled[\"']?\s*[:=]\s*true")
_SERVERS: Final = re.compile(r"(.+-)?server-(tmp-extra-)?config")
"""The configuration of servers; what the chart's value ``server.extraConfig`` adds stands in a map of its own."""
_ADDED: Final = "server-tmp-extra-config"
_OPEN_SOURCE: Final = re.compile(r"(.+/)?hashicorp/consul:[\d.]+")
"""An image of servers without namespaces: those of Consul Enterprise have another name, or a tag with ``-ent``."""


class Spaces(NamedTuple):
    """How the namespaces of Consul follow from those of the cluster.

    Attributes:
        kind: ``none`` without namespaces, ``mirrored`` for one each, ``single`` for one that holds all services.
        text: what stands before the name of each mirrored one; the name of the single one.
    """

    kind: Literal["none", "mirrored", "single", "unknown"] = "unknown"
    text: str = ""


class Settings(NamedTuple):
    """How Consul is installed.

    Attributes:
        injects: sidecars are injected where no annotation asks; None where that is not known.
        transparent: all connections go by the proxy where nothing else says so; None where that is not known.
        allowed: the namespaces in which sidecars are injected; ``*`` for all.
        denied: those in which none is.
        named_by_account: services bear the names of service accounts, since tokens are asked for.
        spaces: the namespaces of Consul.
        default: what becomes of connections without an intention; None where that is not known.
    """

    injects: bool | None = None
    transparent: bool | None = None
    allowed: frozenset[str] = frozenset(("*",))
    denied: frozenset[str] = frozenset()
    named_by_account: bool = False
    spaces: Spaces = Spaces()
    default: Literal["allow", "deny"] | None = None


def read_settings(objects: Iterable[Object], unread: Iterable[str] = ()) -> Settings:
    """Return how Consul is installed in a cluster.

    Args:
        objects: the objects of the cluster.
        unread: what was asked for by name and could not be read, ``configmaps consul/consul-server-config``.
    """
    found = Settings()
    servers: list[Object] = []
    for item in objects:
        if item.kind == "ConfigMap" and not item.group and _SERVERS.fullmatch(item.name):
            servers.append(item)
        elif item.kind in {"Deployment", "StatefulSet"} and item.group == "apps":
            template = fields_of(item.part("spec").get("template"))
            containers = [fields_of(each) for each in _list(fields_of(template.get("spec")).get("containers"))]
            if any(_OPEN_SOURCE.fullmatch(str(each.get("image"))) for each in containers) and "server" in item.name:
                found = found._replace(spaces=Spaces("none"))
            text = "\n".join(_texts(containers))
            if "connect-injector" in item.name or _INJECTOR in text:
                found = _of_injector(found, text)
    lost = any(_SERVERS.fullmatch(each.rpartition("/")[2]) for each in unread if each.startswith("configmaps "))
    return found if lost else found._replace(default=_default(servers))


def _of_injector(found: Settings, text: str) -> Settings:
    flags: dict[str, list[str]] = {}
    for match in _FLAG.finditer(text):
        flags.setdefault(match[1], []).append(match[2] or "true")
    last = {name: values[-1] for name, values in flags.items()}
    found = found._replace(
        injects=truth(last.get("default-inject")) if found.injects is None else found.injects,
        transparent=truth(last.get("default-enable-transparent-proxy")),
        named_by_account=found.named_by_account or "acl-auth-method" in last,
        denied=frozenset(flags.get("deny-k8s-namespace", ())),
    )
    if _INJECTOR not in text and not _READ <= FLAGS:
        # Arguments were dropped when it was read: that a flag is not there says nothing.
        return found
    allowed = frozenset(flags.get("allow-k8s-namespace", ("*",)))
    return found._replace(allowed=allowed, spaces=_spaces(last))


def _spaces(flags: Mapping[str, str]) -> Spaces:
    if truth(flags.get("enable-namespaces", "false")) is not True:
        return Spaces("none")
    if truth(flags.get("enable-k8s-namespace-mirroring", "false")):
        return Spaces("mirrored", flags.get("k8s-namespace-mirroring-prefix", ""))
    return Spaces("single", flags.get("consul-destination-namespace", "default"))


def _default(servers: Iterable[Object]) -> Literal["allow", "deny"] | None:
    """Return what servers do by default; None where it is not known, or not the same everywhere."""
    together: defaultdict[tuple[str, str], list[Object]] = defaultdict(list)
    for item in servers:
        match = _SERVERS.fullmatch(item.name)
        together[item.place, (match[1] if match else "") or ""].append(item)
    told: set[Literal["allow", "deny"] | None] = {_default_of(maps) for maps in together.values()}
    return next(iter(told)) if len(told) == 1 else None


def _default_of(maps: Sequence[Object]) -> Literal["allow", "deny"] | None:
    """Return what the servers of one installation do: without a policy in their configuration they allow everything.

    The policy of intentions goes before that of access lists. What is said twice, and differently, is not known; nor is
    anything where only what was added to a configuration is there, and not the configuration.
    """
    texts: list[str] = []
    for item in maps:
        data = item.part("data")
        if item.flaw or not data or not all(isinstance(each, str) for each in data.values()):
            return None
        texts += map(str, data.values())
    if all(_ADDED in item.name for item in maps):
        return None
    said: dict[str, set[str]] = {}
    for text in texts:
        for match in _POLICY.finditer(text):
            said.setdefault(match[1], set()).add(match[2])
    given = said.get("default_intention_policy") or said.get("default_policy") or {"allow"}
    enabled = any(_ENABLED.search(text) for text in texts)
    if "default_intention_policy" not in said and "default_policy" in said and not enabled:
        # Without access lists their policy has no effect; whether they are on is not plain here.
        given = given | {"allow"}
    return "allow" if given == {"allow"} else "deny" if given == {"deny"} else None


def _texts(containers: Iterable[dict[str, object]]) -> Iterator[str]:
    for container in containers:
        for each in (*_list(container.get("command")), *_list(container.get("args"))):
            if isinstance(each, str):
                yield each


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
