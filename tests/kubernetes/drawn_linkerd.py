"""Small random clusters with Linkerd, drawn from a seed."""

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

import yaml
from hypothesis import strategies as st

from tests.kubernetes.cluster import pod, space, written

T = TypeVar("T")
Json = dict[str, Any]

SPACES = ("shop", "bank", "edge")
ACCOUNTS = ("front", "back", "default")
PORTS = (80, 81, 82)
DOMAIN = "serviceaccount.identity.linkerd.cluster.local"
IDENTITIES = (
    *(f"{name}.{place}.{DOMAIN}" for place in SPACES[:2] for name in ACCOUNTS),
    *("*", f"*.shop.{DOMAIN}", f"*.bank.{DOMAIN}", f"*.{DOMAIN}", "*.cluster.local", f"x.y.{DOMAIN}"),
)
POLICIES = (
    "all-authenticated",
    "all-unauthenticated",
    "audit",
    "cluster-authenticated",
    "cluster-unauthenticated",
    "deny",
)
CERTAIN = ("all-authenticated", "all-unauthenticated", "audit", "deny", "deny")
EVERYWHERE: list[Json] = [{"cidr": "0.0.0.0/0"}, {"cidr": "::/0"}]
BLOCKS = ("203.0.113.0/24", "10.0.0.0/8", "0.0.0.0/0")
GROUP = "policy.linkerd.io"
HTTP_ROUTES = (GROUP, "gateway.networking.k8s.io")


class Drawn:
    """Draws clusters.

    Args:
        seed: where it starts.
        whole: with what the documentation leaves open.
    """

    def __init__(self, seed: int, *, whole: bool) -> None:
        self.random = Random(seed)
        self.whole = whole
        self.policies = POLICIES if whole else CERTAIN

    def one(self, *values: T) -> T:
        return self.random.choice(values)

    def some(self, values: Sequence[T]) -> list[T]:
        return self.random.sample(values, self.one(1, 1, 2))

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def labels(self, share: float = 0.5) -> dict[str, str]:
        return {key: self.one("a", "b") for key in ("app", "tier") if self.often(share)}

    def selector(self) -> Json:
        if self.often(0.3):
            return {}
        if self.often(0.3):
            return {"matchExpressions": [{"key": "app", "operator": self.one("In", "NotIn"), "values": ["a"]}]}
        return {"matchLabels": self.labels(0.5)}

    def annotations(self, share: float) -> Json:
        found: Json = {}
        if self.often(share):
            found["config.linkerd.io/default-inbound-policy"] = self.one(*self.policies)
        if self.often(0.15):
            found["config.linkerd.io/skip-inbound-ports"] = self.one("81", "81-82", "1,80")
        if self.often(0.15):
            found["config.linkerd.io/proxy-require-identity-inbound-ports"] = self.one("80", "80-81")
        if self.whole and self.often(0.1):
            found["config.linkerd.io/skip-outbound-ports"] = self.one("80", "80,81")
        return found

    def space(self, name: str) -> Json:
        made = space(name)
        inject = self.one("enabled", "enabled", "enabled", "ingress", "disabled", "")
        made["metadata"]["annotations"] = self.annotations(0.4) | ({"linkerd.io/inject": inject} if inject else {})
        return made

    def pod(self, name: str) -> Json:
        number, other = self.random.sample(PORTS, 2)
        ports = [{"name": "http", "containerPort": number}, {"name": "admin", "containerPort": other}]
        made = pod(name, self.one("shop", "shop", "shop", "bank", "edge"), ports)
        made["metadata"]["labels"] = self.labels()
        made["metadata"]["annotations"] = self.annotations(0.2)
        if self.often(0.2):
            made["metadata"]["annotations"]["linkerd.io/inject"] = self.one("enabled", "disabled")
        if self.often(0.8):
            made["spec"]["serviceAccountName"] = self.one(*ACCOUNTS)
        return made

    def networks(self) -> list[Json]:
        if not self.whole:
            return EVERYWHERE
        return [
            {"cidr": each} | ({"except": ["10.1.0.0/16"]} if each == "10.0.0.0/8" and self.often(0.5) else {})
            for each in self.some(BLOCKS)
        ]

    def client(self) -> Json:
        found: Json = {} if self.whole and self.often(0.4) else {"networks": self.networks()}
        if self.often(0.25):
            return found | {"unauthenticated": True}
        if self.whole and self.often(0.2):
            return found | {"meshTLS": {"unauthenticatedTLS": True}}
        accounts = [{"name": name} | ({"namespace": "bank"} if self.often(0.3) else {}) for name in self.some(ACCOUNTS)]
        tls = self.one({"identities": self.some(IDENTITIES)}, {"serviceAccounts": accounts})
        return found | {"meshTLS": tls}

    def server(self, place: str, port: int | str) -> Json:
        spec: Json = {"podSelector": self.selector(), "port": port}
        if self.often(0.6):
            spec["proxyProtocol"] = self.one("unknown", "HTTP/1", "HTTP/2", "opaque", "opaque", "TLS")
        if self.often(0.25):
            spec["accessPolicy"] = self.one(*self.policies)
        return written("Server", f"{place}-{port}", place, apiVersion="policy.linkerd.io/v1beta3", spec=spec) | {}

    def reference(self, names: Sequence[tuple[str, str, str]], place: str) -> Json:
        kind, space_name, name = self.one(*names)
        group = {} if kind == "ServiceAccount" else {"group": GROUP}
        return {"kind": kind, "name": name} | group | ({} if space_name == place else {"namespace": space_name})

    def authorization(self, number: int, place: str, servers: list[Json], routes: list[Json], known: Any) -> Json:
        kind = self.one("Server", "Server", "Namespace", "Route", "Route", "Route")
        near = [each for each in routes if each["metadata"]["namespace"] == place]
        target: Json = {"kind": "Namespace", "name": place}
        if kind == "Server" and servers:
            target = {"group": GROUP, "kind": "Server", "name": self.one(*servers)["metadata"]["name"]}
        if kind == "Route" and near:
            route = self.one(*near)
            group = route["apiVersion"].partition("/")[0]
            target = {"group": group, "kind": "HTTPRoute", "name": route["metadata"]["name"]}
        accounts = [("ServiceAccount", self.one("shop", "bank"), name) for name in ACCOUNTS[:2]]
        required = [self.reference([*known, *accounts], place) for _ in range(self.one(1, 1, 1, 1, 0))]
        if self.whole and self.often(0.3):
            required.append(self.reference([*known, *accounts], place))
        spec = {"targetRef": target, "requiredAuthenticationRefs": required}
        return written("AuthorizationPolicy", f"a{number}", place, apiVersion=f"{GROUP}/v1alpha1", spec=spec)

    def authentications(self) -> list[Json]:
        found: list[Json] = []
        for number in range(self.one(1, 2)):
            references = [{"kind": "ServiceAccount", "name": name} for name in self.some(ACCOUNTS)]
            spec = self.one({"identities": self.some(IDENTITIES)}, {"identityRefs": references})
            place = self.one("shop", "bank")
            found.append(
                written("MeshTLSAuthentication", f"m{number}", place, apiVersion=f"{GROUP}/v1alpha1", spec=spec)
            )
        if self.often(0.5):
            spec = {"networks": self.networks()}
            found.append(written("NetworkAuthentication", "n", "shop", apiVersion=f"{GROUP}/v1alpha1", spec=spec))
        return found

    def cluster(self) -> list[Json]:
        objects = [self.space(name) for name in SPACES]
        objects += [self.pod(f"p{number}") for number in range(self.one(3, 4))]
        servers: list[Json] = []
        for place in ("shop", "bank"):
            # No two Servers for one port of one pod: a pod has each of its ports under one name.
            ports = self.one([], [80], [80, 81], ["http"], ["http", "admin"], [80, 82])
            servers += [self.server(place, port) for port in ports]
        for each in servers:
            each["metadata"]["labels"] = self.labels()
        routes = [self.route(number, each) for number, each in enumerate(servers) if self.often(0.5)]
        authentications = self.authentications()
        known = [(e["kind"], e["metadata"]["namespace"], e["metadata"]["name"]) for e in authentications]
        known.append(("MeshTLSAuthentication", "shop", "nothing"))
        for number in range(self.one(1, 2, 3)):
            place = self.one("shop", "shop", "bank")
            near = [each for each in servers if each["metadata"]["namespace"] == place]
            objects.append(self.authorization(number, place, near, routes, known))
        for number in range(self.one(0, 1, 2)):
            chosen = {"selector": self.selector()} if self.often(0.5) or not servers else self.named(servers)
            spec = {"server": chosen, "client": self.client()}
            place = self.one("shop", "bank")
            objects.append(
                written("ServerAuthorization", f"s{number}", place, apiVersion=f"{GROUP}/v1beta1", spec=spec)
            )
        if self.whole and self.often(0.3):
            spec: Json = {"trafficPolicy": self.one("Deny", "Allow")}
            if self.often(0.5):
                spec["networks"] = self.networks()
            place = self.one("shop", "linkerd-egress")
            objects.append(written("EgressNetwork", "e", place, apiVersion=f"{GROUP}/v1alpha1", spec=spec))
        return [*objects, *servers, *routes, *authentications, *self.installation()]

    def installation(self) -> list[Json]:
        """What is set for all proxies, where it is known: whether clients show who they are may depend on it."""
        if self.often(0.4):
            return []
        outbound = self.one("", "80", "81-82") if self.whole else ""
        values = {
            "identityTrustDomain": "cluster.local",
            "proxy": {"defaultInboundPolicy": "all-unauthenticated"},
            "proxyInit": {"ignoreInboundPorts": self.one("", "80", "81-82", 82), "ignoreOutboundPorts": outbound},
        }
        return [written("ConfigMap", "linkerd-config", "linkerd", data={"values": yaml.safe_dump(values)})]

    def named(self, servers: list[Json]) -> Json:
        return {"name": self.one(*servers)["metadata"]["name"]}

    def route(self, number: int, server: Json) -> Json:
        parent = {"group": GROUP, "kind": "Server", "name": server["metadata"]["name"]}
        spec = {"parentRefs": [parent], "rules": [{"matches": [{"path": {"value": "/x"}, "method": "GET"}]}]}
        version = f"{self.one(*HTTP_ROUTES)}/v1"
        return written("HTTPRoute", f"r{number}", server["metadata"]["namespace"], apiVersion=version, spec=spec)


def clusters(*, whole: bool = True) -> st.SearchStrategy[list[Json]]:
    return st.integers(0, 1 << 40).map(lambda seed: Drawn(seed, whole=whole).cluster())
