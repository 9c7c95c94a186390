"""Services, ingresses and gateways for tests, as people write them, and the ways in that they are."""

from typing import Any, NamedTuple

from cloudseg.model import Estate, own_id
from cloudseg.providers.kubernetes.translate import translate
from tests.kubernetes.cluster import pod, snapshot, written

WEB = pod("web", ports=[{"containerPort": 8080, "name": "http"}])
HTTP = {"port": 80, "targetPort": 8080}


class Way(NamedTuple):
    """A way in, in words."""

    active: bool | None
    listens: str
    traffic: str
    pods: tuple[str, ...]


def service(
    name: str = "web", kind: str = "LoadBalancer", annotations: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    spec = {"type": kind, "selector": {"app": "web"}, "ports": [HTTP]} | more
    status = spec.pop("status", {})
    return written("Service", name, "shop", metadata={"annotations": annotations or {}}, spec=spec, status=status)


def ingress(
    name: str = "site", *, to: str = "web", port: Any = None, annotations: dict[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    backend = {"service": {"name": to, "port": port or {"number": 80}}}
    fields = {"rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]} | spec
    status = fields.pop("status", {})
    return written(
        "Ingress",
        name,
        "shop",
        apiVersion="networking.k8s.io/v1",
        metadata={"annotations": annotations or {}},
        spec=fields,
        status=status,
    )


def gateway(*listeners: dict[str, Any], name: str = "edge", namespace: str = "shop", of: str = "gke-l7-gxlb") -> Any:
    spec = {"gatewayClassName": of, "listeners": list(listeners) or [listener()]}
    return written("Gateway", name, namespace, apiVersion="gateway.networking.k8s.io/v1", spec=spec)


def listener(port: int = 80, protocol: str = "HTTP", name: str = "main", **more: Any) -> dict[str, Any]:
    return {"name": name, "port": port, "protocol": protocol} | more


def route(kind: str = "HTTPRoute", *, to: dict[str, Any] | None = None, namespace: str = "shop", **more: Any) -> Any:
    backend = {"name": "web", "port": 80} if to is None else to
    spec = {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [backend]}]} | more
    return written(kind, "site", namespace, apiVersion="gateway.networking.k8s.io/v1", spec=spec)


def node(*addresses: str) -> dict[str, Any]:
    given = [{"type": "InternalIP", "address": each} for each in addresses]
    return written("Node", "n", status={"addresses": given})


def estate_of(*objects: Any) -> Estate:
    return translate(snapshot(*objects))


def ways(*objects: Any) -> dict[str, Way]:
    """The ways into a cluster, by the id of what is one."""
    return {
        own_id(key): Way(
            each.active,
            str(each.listens),
            str(each.traffic),
            tuple(sorted(own_id(target).removeprefix("shop/Pod/") for target in each.targets)),
        )
        for key, each in estate_of(*objects).entrances.items()
    }
