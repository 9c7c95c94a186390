"""Whether the load balancer of a service is one for the internet, and whom it lets in.

Without a word, clouds make public ones; the AWS Load Balancer Controller, and the nodes that AWS keeps itself, make
internal ones. Sources:
https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer,
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-scheme,
https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html,
https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters and
https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Interface
    from cloudseg.providers.kubernetes.translate.exposure.service import Service

__all__ = ["Offer", "makes_internal", "offer_of"]

_ON_AWS: Final = "service.beta.kubernetes.io/aws-load-balancer-"
_SCHEME: Final = f"{_ON_AWS}scheme"
_AWS_INTERNAL: Final = f"{_ON_AWS}internal"
_AWS_TYPE: Final = f"{_ON_AWS}type"

_INTERNAL: Final = {
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
    "networking.gke.io/load-balancer-type": "internal",
    "cloud.google.com/load-balancer-type": "internal",
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": "private",
    "service.beta.kubernetes.io/openstack-internal-load-balancer": "true",
    "service.beta.kubernetes.io/cce-load-balancer-internal-vpc": "true",
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": "intranet",
    "service.beta.kubernetes.io/oci-load-balancer-internal": "true",
    "service.beta.kubernetes.io/do-loadbalancer-network": "internal",
    "load-balancer.hetzner.cloud/disable-public-network": "true",
}
"""Annotations by which a load balancer stays inside, each with its value."""
_INTERNAL_BY_ANY: Final = ("service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",)

_CLASSES: Final[dict[str, bool]] = {
    "service.k8s.aws/nlb": False,
    "eks.amazonaws.com/nlb": False,
    "networking.gke.io/l4-regional-external": True,
    "networking.gke.io/l4-regional-external-legacy": True,
    "networking.gke.io/l4-regional-internal": False,
    "networking.gke.io/l4-regional-internal-legacy": False,
    "tailscale": False,
}
"""Classes of load balancers, by whether they are for the internet unless annotations say so."""

_AWS_CONTROLLER: Final = "aws-load-balancer-controller"
_RANGES: Final = (
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "service.beta.kubernetes.io/azure-allowed-ip-ranges",
)
_FILTERS: Final = (
    f"{_ON_AWS}security-groups",
    f"{_ON_AWS}security-group-prefix-lists",
    "service.beta.kubernetes.io/azure-allowed-service-tags",
)
"""Annotations that name filters of the cloud."""


class Offer(NamedTuple):
    """What a load balancer offers.

    Attributes:
        public: to the internet; None where that is not known.
        senders: the clients that it lets in. A cloud that cannot filter takes no notice of them; those above can.
        doubt: what is not known, in words.
    """

    public: bool | None
    senders: AddressSet = ALL_ADDRESSES
    doubt: str = ""


def makes_internal(pods: Iterable[Interface]) -> bool:
    """Tell whether the controller of AWS is among pods, which makes internal load balancers unless told otherwise."""
    return any(pod.labels.get("app.kubernetes.io/name") == _AWS_CONTROLLER for pod in pods)


def offer_of(service: Service, *, aws_controller: bool) -> Offer:
    """Return what the load balancer of a service offers.

    Args:
        service: a service of type ``LoadBalancer``.
        aws_controller: the load balancer controller of AWS runs in the cluster.
    """
    public, doubt = _scheme(service, aws_controller=aws_controller)
    named = [key for key in _FILTERS if service.annotations.get(key)]
    if public and named:
        public, doubt = None, f"what {named[0]} lets in was not read"
    return Offer(public, _senders(service), doubt)


def _scheme(service: Service, *, aws_controller: bool) -> tuple[bool | None, str]:
    known = service.annotations
    if service.told:
        return service.told == "public", ""
    if any(known.get(key, "").casefold() == value for key, value in _INTERNAL.items()):
        return False, ""
    if any(known.get(key) for key in _INTERNAL_BY_ANY):
        return False, ""
    if scheme := known.get(_SCHEME):
        return scheme == "internet-facing", ""
    if internal := known.get(_AWS_INTERNAL):
        return internal.casefold() == "false", ""
    if known.get(_AWS_TYPE) in {"external", "nlb-ip"}:
        return False, ""
    if service.balancer:
        public = _CLASSES.get(service.balancer)
        return public, "" if public is not None else f"what a load balancer of class {service.balancer} is was not read"
    if aws_controller and not known.get(_AWS_TYPE):
        return None, "the AWS Load Balancer Controller may make it, and makes internal ones unless told otherwise"
    return True, ""


def _senders(service: Service) -> AddressSet:
    if service.ranges is not None:
        return service.ranges
    texts = [text.strip() for key in _RANGES for text in service.annotations.get(key, "").split(",") if text.strip()]
    try:
        return AddressSet.from_cidrs(texts) if texts else ALL_ADDRESSES
    except ParseError:
        # Nobody refuses an annotation: it may as well be taken no notice of.
        return ALL_ADDRESSES
