"""Small random clusters with Consul, drawn from a seed."""

from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.kubernetes.cluster import pod, space, written

T = TypeVar("T")
Json = dict[str, Any]

OWN = "consul.hashicorp.com/"
SPACES = ("shop", "bank", "kube-system")
NAMES = ("web", "api", "db")
PORTS = (80, 81)


class Drawn:
    """Draws clusters.

    Args:
        seed: where it starts.
        whole: with what the documentation leaves open.
    """

    def __init__(self, seed: int, *, whole: bool) -> None:
        self.random = Random(seed)
        self.whole = whole
        self.mirrored = self.often(0.3)

    def one(self, *values: T) -> T:
        return self.random.choice(values)

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def permission(self) -> Json:
        http: Json = self.one(
            {"pathPrefix": "/"}, {"pathPrefix": "/a"}, {"pathExact": "/admin"}, {"methods": ["GET"], "pathPrefix": "/"}
        )
        return {"action": self.one("allow", "deny", "deny"), "http": http}

    def source(self, name: str) -> Json:
        found: Json = {"name": name}
        if self.mirrored and self.often(0.4):
            found["namespace"] = self.one("*", "shop", "bank") if name == "*" else self.one("shop", "bank")
        if self.often(0.25):
            return found | {"permissions": [self.permission() for _ in range(self.one(1, 2))]}
        return found | {"action": self.one("allow", "allow", "deny")}

    def intentions(self) -> list[Json]:
        names = self.random.sample((*NAMES, "*"), self.one(1, 2, 3, 4))
        found: list[Json] = []
        for number, name in enumerate(names):
            sources = self.random.sample((*NAMES, "*"), self.one(1, 2, 3))
            spec: Json = {"destination": {"name": name}, "sources": [self.source(each) for each in sources]}
            if self.mirrored and name == "*" and self.often(0.5):
                spec["destination"]["namespace"] = "*"
                for each in spec["sources"]:
                    each.setdefault("namespace", "*" if each["name"] == "*" else "shop")
            place = self.one("shop", "bank") if self.mirrored or self.whole else "shop"
            found.append(consul("ServiceIntentions", f"i{number}", place, **spec))
        return found

    def pod(self, name: str) -> Json:
        made = pod(name, self.one("shop", "shop", "bank", "kube-system"), [{"containerPort": self.one(*PORTS)}])
        made["metadata"]["labels"] = {"app": self.one(*NAMES), "tier": self.one("a", "b")}
        notes: Json = {}
        if self.often(0.85):
            notes["connect-inject"] = self.one("true", "true", "true", "true", "false")
        if self.often(0.3):
            notes["connect-service"] = self.one(*NAMES)
        if self.often(0.2):
            notes["connect-service-port"] = self.one("80", "81")
        if self.often(0.15):
            notes["transparent-proxy-exclude-inbound-ports"] = self.one("80", "81", "80,82")
        if self.whole and self.often(0.2):
            notes["transparent-proxy"] = self.one("true", "false")
        if self.whole and self.often(0.2):
            notes["transparent-proxy-exclude-outbound-ports"] = "80"
        if self.often(0.1):
            notes["kubernetes-service"] = self.one(*NAMES) if self.whole else made["metadata"]["labels"]["app"]
        made["metadata"]["annotations"] = {OWN + key: value for key, value in notes.items()}
        return made

    def fronts(self) -> list[Json]:
        found: list[Json] = []
        for place in SPACES:
            found += [written("Service", name, place, spec={"selector": {"app": name}}) for name in NAMES]
            if self.whole and self.often(0.3):
                found.append(written("Service", "more", place, spec={"selector": {"tier": "a"}}))
            if self.often(0.2):
                ignored = {"labels": {OWN + "service-ignore": "true"}}
                found.append(written("Service", "not", place, metadata=ignored, spec={"selector": {"tier": "a"}}))
        return found

    def defaults(self) -> list[Json]:
        found: list[Json] = []
        chosen = NAMES if self.often(0.6) else self.random.sample(NAMES, self.one(0, 1, 2))
        for name in chosen:
            spec: Json = {"protocol": "http"} if self.often(0.9) or not self.whole else {}
            if self.often(0.25):
                spec["mutualTLSMode"] = self.one("permissive", "permissive", "strict")
            places = ("shop", "bank") if self.mirrored else ("shop",)
            found += [consul("ServiceDefaults", name, place, **spec) for place in places]
        config = {"protocol": "http"} if not self.whole or self.often(0.5) else {}
        mode = {"mutualTLSMode": self.one("permissive", "strict")} if self.often(0.2) else {}
        if config or mode:
            found.append(consul("ProxyDefaults", "global", "shop", config=config, **mode))
        if not self.whole or self.often(0.7):
            found.append(consul("Mesh", "mesh", "shop", allowEnablingPermissiveMutualTLS=True))
        return found

    def installed(self) -> list[Json]:
        found: list[Json] = []
        if not self.whole or self.often(0.6):
            acl = {"acl.json": '{"acl": {"enabled": true, "default_policy": "deny"}}'} if self.often(0.6) else {}
            data = {"server.json": '{"server": true}', **acl}
            found.append(written("ConfigMap", "consul-server-config", "consul", data=data))
        if self.mirrored or not self.whole or self.often(0.4):
            flags = [f"-default-inject={self.one('true', 'false')}", "-default-enable-transparent-proxy=true"]
            if self.mirrored:
                flags += ["-enable-namespaces=true", "-enable-k8s-namespace-mirroring=true"]
            container = {"name": "injector", "command": ["consul-k8s", "inject-connect"], "args": flags}
            template = {
                "metadata": {"annotations": {OWN + "connect-inject": "false"}},
                "spec": {"containers": [container]},
            }
            found.append(written("Deployment", "consul-connect-injector", "consul", spec={"template": template}))
        return found

    def cluster(self) -> list[Json]:
        objects = [space(name) for name in (*SPACES, "consul")]
        if self.often(0.2):
            objects[1]["metadata"]["labels"] = (
                {OWN + "transparent-proxy": self.one("true", "false")} if self.whole else {}
            )
        objects += [self.pod(f"p{number}") for number in range(self.one(3, 4))]
        return [*objects, *self.fronts(), *self.intentions(), *self.defaults(), *self.installed()]


def consul(kind: str, name: str, namespace: str, **spec: Any) -> Json:
    return written(kind, name, namespace, apiVersion=f"{OWN}v1alpha1", spec=spec)


def clusters(*, whole: bool = True) -> st.SearchStrategy[list[Json]]:
    return st.integers(0, 1 << 40).map(lambda seed: Drawn(seed, whole=whole).cluster())
