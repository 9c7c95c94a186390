"""Small random clusters with Istio.

They are drawn from a seed and not choice by choice: so many choices make one cluster that few would be made evenly.
"""

import json
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.kubernetes.cluster import pod, space, written

T = TypeVar("T")
Json = dict[str, Any]

SPACES = ("shop", "bank", "istio-system")
ACCOUNTS = ("front", "back", "default")
PORTS = (80, 81)
NUMBERS = tuple(str(port) for port in PORTS)
PRINCIPALS = (
    *(f"cluster.local/ns/{place}/sa/{name}" for place in SPACES[:2] for name in ACCOUNTS),
    *("*", "cluster.local/ns/shop/*", "*/sa/back", "cluster.local/*", "cluster.local/ns/x/sa/y"),
)
NAMESPACES = ("shop", "bank", "shop", "bank", "*", "sh*", "*k")
BLOCKS = ("203.0.113.0/24", "203.0.113.9", "10.0.0.0/8")
SIDECARS = {"istio-injection": "enabled"}
AMBIENT = {"istio.io/dataplane-mode": "ambient"}


class Drawn:
    """Draws clusters.

    Args:
        seed: where it starts.
        whole: with what the documentation leaves open.
    """

    def __init__(self, seed: int, *, whole: bool) -> None:
        self.random = Random(seed)
        self.whole = whole

    def one(self, *values: T) -> T:
        return self.random.choice(values)

    def some(self, values: Sequence[T]) -> list[T]:
        return self.random.sample(sorted(set(values), key=values.index), self.one(1, 1, 2))

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def fields(self, share: float, **given: Any) -> Json:
        """Some of the fields, at least one."""
        found = {key: value for key, value in given.items() if self.often(share)}
        return found or dict([self.one(*given.items())])

    def labels(self, share: float = 0.5) -> dict[str, str]:
        return {key: self.one("a", "b") for key in ("app", "tier") if self.often(share)}

    def source(self) -> Json:
        if self.whole and self.often(0.2):
            return self.fields(0.4, ipBlocks=self.some(BLOCKS), notIpBlocks=self.some(BLOCKS), namespaces=["shop"])
        if self.whole and self.often(0.1):
            return {"requestPrincipals": ["*"], **self.fields(0.2, namespaces=self.some(NAMESPACES))}
        return self.fields(
            0.3,
            principals=self.some(PRINCIPALS),
            notPrincipals=self.some(PRINCIPALS),
            namespaces=self.some(NAMESPACES),
            notNamespaces=self.some(NAMESPACES),
        )

    def operation(self) -> Json:
        if self.whole and self.often(0.5):
            return {"methods": ["GET"]} | self.fields(0.4, ports=self.some(NUMBERS), notPaths=["/admin*"])
        return self.fields(0.3, ports=self.some(NUMBERS), notPorts=self.some(NUMBERS))

    def condition(self) -> Json:
        way = self.one("values", "notValues")
        if self.whole and self.often(0.4):
            return self.one(
                {"key": "source.ip", way: self.some(BLOCKS)},
                {"key": "destination.ip", way: self.some(BLOCKS)},
                {"key": "request.headers[x]", "values": ["y"]},
            )
        return self.one(
            {"key": "source.principal", way: self.some(PRINCIPALS)},
            {"key": "source.namespace", way: self.some(NAMESPACES)},
            {"key": "destination.port", way: self.some(NUMBERS)},
        )

    def rule(self) -> Json:
        found: Json = {}
        if self.often(0.8):
            found["from"] = [{"source": self.source()} for _ in range(self.one(1, 1, 2))]
        if self.often(0.5):
            found["to"] = [{"operation": self.operation()} for _ in range(self.one(1, 1, 2))]
        if self.often(0.25):
            found["when"] = [self.condition() for _ in range(self.one(1, 1, 2))]
        return found

    def authorization(self) -> Json:
        actions = ("ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "DENY", "AUDIT")
        action = "CUSTOM" if self.whole and self.often(0.1) else self.one(*actions)
        spec: Json = {"action": action, "rules": [self.rule() for _ in range(self.one(0, 1, 1, 2, 2))]}
        if action == "CUSTOM":
            spec["provider"] = {"name": "x"}
        if action == "ALLOW" and self.often(0.3):
            del spec["action"]
        if self.often(0.4):
            spec["selector"] = {"matchLabels": self.labels()}
        return spec

    def mode(self) -> Json:
        return {"mode": self.one("STRICT", "STRICT", "DISABLE", "PERMISSIVE", "UNSET")}

    def mutual_tls(self) -> Json:
        spec: Json = {"mtls": self.mode()} if self.often(0.9) else {}
        if self.often(0.5):
            spec["selector"] = {"matchLabels": self.labels(0.7) or {"app": "a"}}
            if self.often(0.5):
                spec["portLevelMtls"] = {port: self.mode() for port in self.some(PORTS)}
        return spec

    def service(self) -> Json:
        names = [self.one("http-a", "http", "tcp", "https", "", "x") for _ in range(self.one(1, 2))]
        ports = [{"name": name, "port": 8000 + n, "targetPort": self.one(*PORTS)} for n, name in enumerate(names)]
        return {"selector": self.labels(0.4) or {"app": self.one("a", "b")}, "ports": ports}

    def pod(self, name: str) -> Json:
        made = pod(name, self.one("shop", "shop", "shop", "bank", "istio-system"))
        made["metadata"]["labels"] = self.labels()
        if self.often(0.2):
            made["metadata"]["labels"]["sidecar.istio.io/inject"] = self.one("true", "false")
        if self.whole and self.often(0.2):
            made["metadata"]["labels"]["istio.io/dataplane-mode"] = self.one("ambient", "none")
        if self.often(0.8):
            made["spec"]["serviceAccountName"] = self.one(*ACCOUNTS)
        if self.often(0.1):
            excluded = {"traffic.sidecar.istio.io/excludeInboundPorts": self.one("", "80", "81")}
            made["metadata"]["annotations"] = excluded
        return made

    def cluster(self) -> list[Json]:
        kinds = [SIDECARS, SIDECARS, SIDECARS, {}, *([AMBIENT, {"istio-injection": "disabled"}] if self.whole else [])]
        objects = [space(name, **self.one(*kinds)) for name in SPACES]
        objects += [self.pod(f"p{number}") for number in range(self.one(3, 4))]
        days = iter(self.random.sample(range(1, 20), 8))
        for number in range(self.one(0, 1, 2, 3)):
            place = self.one("shop", "shop", "bank", "istio-system")
            objects.append(istio("PeerAuthentication", f"m{number}", place, next(days), spec=self.mutual_tls()))
        for number in range(self.one(0, 1, 2, 3)):
            place = self.one("shop", "shop", "bank", "istio-system")
            made = istio("AuthorizationPolicy", f"a{number}", place, next(days), spec=self.authorization())
            if self.often(0.05):
                made["metadata"]["annotations"] = {"istio.io/dry-run": "true"}
            objects.append(made)
        if self.whole and self.often(0.15):
            place, chosen = self.one("shop", "bank", "istio-system"), self.labels()
            if self.often(0.5):
                spec: Json = {"workloadSelector": {"labels": chosen}} if chosen else {}
                objects.append(written("EnvoyFilter", "f", place, apiVersion="networking.istio.io/v1alpha3", spec=spec))
            else:
                kind, what = self.one(
                    ("WasmPlugin", {"url": "oci://x/y"}), ("TrafficExtension", {"wasm": {"url": "oci://x/y"}})
                )
                spec = what | ({"selector": {"matchLabels": chosen}} if chosen else {})
                objects.append(written(kind, "w", place, apiVersion="extensions.istio.io/v1alpha1", spec=spec))
        if self.often(0.15):
            values = json.dumps({"global": {"proxy": {"excludeInboundPorts": self.one("", "80", "81,82")}}})
            objects.append(written("ConfigMap", "istio-sidecar-injector", "istio-system", data={"values": values}))
        for number in range(self.one(0, 1, 2, 3)):
            objects.append(written("Service", f"s{number}", self.one("shop", "bank"), spec=self.service()))
        return objects


def istio(kind: str, name: str, namespace: str, day: int, **fields: Any) -> Json:
    metadata = {"creationTimestamp": f"2026-01-{day:02}T00:00:00Z"}
    return written(kind, name, namespace, apiVersion="security.istio.io/v1", metadata=metadata, **fields)


def clusters(*, whole: bool = True) -> st.SearchStrategy[list[Json]]:
    return st.integers(0, 1 << 40).map(lambda seed: Drawn(seed, whole=whole).cluster())
