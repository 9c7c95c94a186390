"""What serves a class of ingresses or gateways.

A proxy in the cluster takes packets from outside and opens connections of its own; policies between it and the pods
behind it decide. It lets the internet in where a way in leads to itself.
Sources: https://kubernetes.io/docs/concepts/services-networking/ingress-controllers/ and
https://gateway-api.sigs.k8s.io/implementations/
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.exposure.fronts import (
    ALB_GROUP,
    ALB_SCHEME,
    Front,
    alb,
    annotations_of,
    cloud,
    google_gateway,
)
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE
from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.model import Entrance, Interface
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.services import Services
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Controllers"]

_NAME_LABELS: Final = ("app.kubernetes.io/name", "app")
_OWN_LABELS: Final = ("gateway.networking.k8s.io/gateway-name", "gateway.envoyproxy.io/owning-gateway-name")
"""The labels of the proxies that controllers run for one gateway. Sources:
https://gateway-api.sigs.k8s.io/geps/gep-1762/ and https://gateway.envoyproxy.io/docs/tasks/operations/deployment-mode/"""

_PROXIES: Final[Mapping[str, tuple[str, ...]]] = {
    "k8s.io/ingress-nginx": ("ingress-nginx", "nginx-ingress"),
    "nginx.org/ingress-controller": ("nginx-ingress",),
    "gateway.nginx.org/nginx-gateway-controller": ("nginx-gateway-fabric", "nginx-gateway"),
    "traefik.io/ingress-controller": ("traefik",),
    "traefik.io/gateway-controller": ("traefik",),
    "haproxy-ingress.github.io/controller": ("haproxy-ingress",),
    "haproxy.org/ingress-controller/haproxy": ("haproxy-ingress", "kubernetes-ingress"),
    "ingress-controllers.konghq.com/kong": ("kong", "gateway"),
    "konghq.com/kic-gateway-controller": ("kong", "gateway"),
    "projectcontour.io/ingress-controller": ("contour", "envoy"),
    "projectcontour.io/gateway-controller": ("contour", "envoy"),
    "istio.io/ingress-controller": ("istio-ingressgateway", "istio-ingress"),
}
"""The names that proxies of controllers bear in a cluster, as their own charts and manifests set them."""

_CLASS_CONTROLLERS: Final[Mapping[str, str]] = {
    "nginx": "k8s.io/ingress-nginx",
    "traefik": "traefik.io/ingress-controller",
    "haproxy": "haproxy-ingress.github.io/controller",
    "kong": "ingress-controllers.konghq.com/kong",
    "contour": "projectcontour.io/ingress-controller",
    "istio": "istio.io/ingress-controller",
    "alb": "ingress.k8s.aws/alb",
    "gce": "k8s.io/ingress-gce",
    "gce-internal": "k8s.io/ingress-gce",
    "azure-application-gateway": "azure/application-gateway",
}
"""What the usual names of classes stand for, where the class itself was not read."""

_ALBS: Final = frozenset(("ingress.k8s.aws/alb", "eks.amazonaws.com/alb"))
_ALB_PARAMETERS: Final = "IngressClassParams"
_AWS_GATEWAYS: Final = frozenset(("gateway.k8s.aws/alb", "gateway.k8s.aws/nlb"))
_AZURE_CONTAINERS: Final = "alb.networking.azure.io/alb-controller"
_LATTICE: Final = "application-networking.k8s.aws/gateway-api-controller"
_AGIC_PRIVATE: Final = "appgw.ingress.kubernetes.io/use-private-ip"
_NGINX_RANGES: Final = (
    "nginx.ingress.kubernetes.io/whitelist-source-range",
    "nginx.ingress.kubernetes.io/allowlist-source-range",
)
_OFFERED: Final = ("LoadBalancer", "NodePort")


class Controllers:
    """Knows what serves a class of ingresses or gateways.

    Args:
        objects: the objects of the cluster.
        services: its services.
        draft: the cluster; the ways in to proxies are to be there before anybody asks for these.
    """

    def __init__(self, objects: Iterable[Object], services: Services, draft: Draft) -> None:
        self._services = services
        self._draft = draft
        self._ingress: dict[str, Object] = {}
        self._gateway: dict[str, Object] = {}
        self._schemes: dict[str, str | None] = {}
        self._groups: defaultdict[str, set[str]] = defaultdict(set)
        self._default = ""
        self._pods = tuple(pod for _, pod in sorted(draft.interfaces.items()))
        self._fronts: dict[tuple[str, ...], Front] = {}
        for item in objects:
            if item.flaw:
                continue
            if item.kind == "IngressClass" and item.group == "networking.k8s.io":
                self._ingress[item.name] = item
                if annotations_of(item).get("ingressclass.kubernetes.io/is-default-class") == "true":
                    self._default = item.name
            elif item.kind == "GatewayClass" and item.group == "gateway.networking.k8s.io":
                self._gateway[item.name] = item
            elif item.kind == _ALB_PARAMETERS:
                scheme = item.part("spec").get("scheme")
                self._schemes[item.name] = scheme if isinstance(scheme, str) else None
            elif item.kind == "Ingress":
                annotations = annotations_of(item)
                if annotations.get(ALB_GROUP) and annotations.get(ALB_SCHEME):
                    self._groups[annotations[ALB_GROUP]].add(annotations[ALB_SCHEME])

    @cached_property
    def _by_name(self) -> dict[str, list[Interface]]:
        """The pods by what they call themselves."""
        found: defaultdict[str, list[Interface]] = defaultdict(list)
        for pod in self._pods:
            for name in {pod.labels.get(label, "") for label in _NAME_LABELS}:
                found[name].append(pod)
        return found

    def is_proxied(self, item: Object) -> bool:
        """Tell whether an ingress is served by proxies in the cluster, or nobody knows by what."""
        _, controller = self._class_of(item)
        return controller not in {*_ALBS, "k8s.io/ingress-gce", "azure/application-gateway", _AZURE_CONTAINERS}

    def of_ingress(self, item: Object) -> Front:
        """Return what stands before an ingress."""
        annotations = annotations_of(item)
        name, controller = self._class_of(item)
        if controller in _ALBS:
            return self._alb(item, name)
        if controller == "k8s.io/ingress-gce":
            return cloud(item, "a load balancer of Google Cloud", public=name != "gce-internal")
        if controller == "azure/application-gateway":
            return cloud(item, "an application gateway", public=annotations.get(_AGIC_PRIVATE) != "true")
        if controller == _AZURE_CONTAINERS:
            return cloud(item, "an application gateway for containers", public=True)
        words = f"ingress class {name}" if name else "ingresses without a class"
        front = self.by_proxies(item, words, self._named(_PROXIES.get(controller, ())))
        narrowed = next((key for key in _NGINX_RANGES if annotations.get(key)), "")
        if front.active and narrowed:
            return front._replace(active=None, doubt=f"what {narrowed} lets in is up to the proxy")
        return front

    def of_gateway(self, item: Object) -> Front:
        """Return what stands before the routes of a gateway."""
        name = str(item.part("spec").get("gatewayClassName") or "")
        known = self._gateway.get(name)
        controller = "" if known is None else str(known.part("spec").get("controllerName") or "")
        if name.startswith("gke-") or controller == "networking.gke.io/gateway":
            return google_gateway(item, name)
        if name == "amazon-vpc-lattice" or controller == _LATTICE:
            return cloud(item, "a VPC Lattice service network", public=False)
        if controller in _AWS_GATEWAYS:
            # https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/gateway/loadbalancerconfig/
            own = fields_of(item.part("spec").get("infrastructure")).get("parametersRef")
            asked = own or (known is not None and known.part("spec").get("parametersRef"))
            doubt = "the scheme that its LoadBalancerConfiguration asks for was not read"
            return cloud(item, "a load balancer of AWS", public=None if asked else False, doubt=doubt)
        if controller == _AZURE_CONTAINERS or name == "azure-alb-external":
            return cloud(item, "an application gateway for containers", public=True)
        own = [pod for pod in self._pods if any(pod.labels.get(label) == item.name for label in _OWN_LABELS)]
        near = [pod for pod in own if pod.labels.get(NAMESPACE) == item.place]
        proxies = near or own or self._named(_PROXIES.get(controller, ()))
        return self.by_proxies(item, f"gateway class {name or 'of no name'}", proxies)

    def by_proxies(self, item: Object, words: str, candidates: Sequence[Interface]) -> Front:
        """Return proxies in the cluster, and whether the internet gets to them.

        Args:
            item: the ingress or gateway.
            words: what they serve, in words.
            candidates: pods that may be these proxies.
        """
        key = (words, *(pod.id for pod in candidates))
        front = self._fronts.get(key)
        if front is None:
            front = self._fronts[key] = self._proxied(words, candidates)
        if front.active is None and not any(self._ways_to(pod) for pod in front.proxies):
            # Where the cluster runs, the ingress itself tells of the address under which it is offered.
            told = cloud(item, words, public=None, doubt=front.doubt)
            return front._replace(active=told.active, doubt=told.doubt)
        return front

    def _proxied(self, words: str, candidates: Sequence[Interface]) -> Front:
        leading = {pod.id: found for pod in candidates if (found := self._ways_to(pod))}
        proxies = tuple(pod for pod in candidates if pod.id in leading)
        if proxies:
            text = f"{words} ({', '.join(pod.own_id for pod in proxies)})"
            ways = [way for found in leading.values() for way in found]
            doubt = next((way.doubt for way in ways), "")
            active = True if any(way.active for way in ways) else None
            if active and any(pod.id not in leading and self._inside(pod) for pod in candidates):
                active, doubt = None, f"which of the proxies of {words} serve it was not read"
            return Front(proxies, active, "" if active else doubt, text)
        inside = tuple(pod for pod in candidates if self._inside(pod))
        if inside:
            return Front(inside, active=False, doubt="", text=words)
        doubt = (
            f"what serves {words} was not read" if not candidates else f"no way in to the proxies of {words} was read"
        )
        return Front(tuple(candidates), None, doubt, words)

    def _alb(self, item: Object, name: str) -> Front:
        """Return the load balancer of an ingress by the scheme of its class, of its own, or of its group.

        Source: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/ingress_class/
        """
        annotations = annotations_of(item)
        known = self._ingress.get(name)
        asked = fields_of(None if known is None else known.part("spec").get("parameters"))
        scheme = annotations.get(ALB_SCHEME)
        if asked.get("kind") == _ALB_PARAMETERS:
            parameters = str(asked.get("name") or "")
            if parameters not in self._schemes:
                return alb(item, scheme, f"the scheme that {_ALB_PARAMETERS} {parameters} ask for was not read")
            scheme = self._schemes[parameters] or scheme
        if scheme is None and self._groups.get(annotations.get(ALB_GROUP, "")):
            scheme = max(self._groups[annotations[ALB_GROUP]])
        return alb(item, scheme)

    def _class_of(self, item: Object) -> tuple[str, str]:
        """Return the name of the class of an ingress, and what serves it; either is empty where nobody knows."""
        asked = item.part("spec").get("ingressClassName") or annotations_of(item).get("kubernetes.io/ingress.class")
        name = str(asked or self._default)
        known = self._ingress.get(name)
        controller = "" if known is None else str(known.part("spec").get("controller") or "")
        return name, controller or _CLASS_CONTROLLERS.get(name, "")

    def _named(self, names: Sequence[str]) -> list[Interface]:
        found = {pod.id: pod for name in names for pod in self._by_name.get(name, ())}
        return [found[key] for key in sorted(found)]

    def _ways_to(self, pod: Interface) -> list[Entrance]:
        """Return the ways in to a proxy itself."""
        ends = {pod.id, pod.workload}
        entrances = (entrance for _, entrance in sorted(self._draft.entrances.items()))
        return [each for each in entrances if not each.through and not ends.isdisjoint(each.targets)]

    def _inside(self, pod: Interface) -> bool:
        """Tell whether something offers a proxy outside of the cluster, though not to the internet."""
        return any(service.type in _OFFERED for service in self._services.choosing((pod,)))
