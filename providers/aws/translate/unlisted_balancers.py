"""Load balancers that no answer lists: their interfaces are told by what AWS writes into their description."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import Forwarder, Workload
from cloudseg.providers.aws.translate.arns import partition_of

if TYPE_CHECKING:
    from cloudseg.model import Interface
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_unlisted_balancers"]

_FACET: Final = "load-balancers"
_LISTED: Final = "describe_load_balancers"
_OWNER: Final = "amazon-elb"
_NAMED: Final = re.compile(r"ELB (?:(?P<type>app|net|gwy)/(?P<name>[^/]+)/[0-9a-f]{16}|(?P<classic>[A-Za-z0-9-]+))")
_KINDS: Final = {"app": "application", "net": "network", "gwy": "gateway"}


class _Named(NamedTuple):
    """What the description of an interface tells of its load balancer."""

    own: str
    name: str
    kind: str
    service: str


def add_unlisted_balancers(answers: Answers, draft: Draft) -> None:
    """Add the load balancers that interfaces name and no answer lists, because it was denied or they are another's.

    What they listen to and where they send it is added with the target groups as far as these were read; the rest is
    unknown. Otherwise their interfaces would count as ordinary ones, which open connections to anybody. Whether they
    are meant to serve the internet is told by their public addresses alone. Sources:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-register-targets.html and
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html
    """
    for interface in list(draft.interfaces.values()):
        named = _named(interface, draft) if interface.region == answers.region else None
        if named is None:
            continue
        identifier = answers.id(named.own, account=interface.scope)
        if identifier not in draft.forwarders:
            _add(answers, draft, interface, named, identifier)
        draft.interfaces[interface.id] = msgspec.structs.replace(interface, workload=identifier)
        if interface.public:
            facing = msgspec.structs.replace(draft.workloads[identifier], internet_facing=True)
            draft.workloads[identifier] = facing


def _named(interface: Interface, draft: Draft) -> _Named | None:
    """Return the load balancer that an interface belongs to; None where it belongs to none, or it was listed."""
    found = _NAMED.fullmatch(draft.descriptions.get(interface.id, ""))
    if interface.workload is not None or found is None:
        return None
    own, kind = found[0].removeprefix("ELB "), found["type"]
    if kind is not None:
        place = f"{interface.region}:{interface.scope}:loadbalancer"
        arn = f"arn:{partition_of(interface.region)}:elasticloadbalancing:{place}/{own}"
        return _Named(arn, found["name"], _KINDS[kind], "elbv2")
    # Anybody may write two words into a description.
    return _Named(own, own, "classic", "elb") if interface.managed_by == _OWNER else None


def _add(answers: Answers, draft: Draft, interface: Interface, named: _Named, identifier: str) -> None:
    kind = f"{named.kind}-load-balancer"
    workload = Workload(
        id=identifier,
        kind="load-balancer",
        name=named.name,
        region=interface.region,
        network=interface.network,
    )
    forwarder = Forwarder(
        id=identifier, kind=kind, name=named.name, region=interface.region, accepts=None, complete=False
    )
    draft.put(draft.workloads, workload, answers.scope)
    draft.put(draft.forwarders, forwarder, answers.scope)
    if answers.scope == interface.scope and answers.has(named.service, _LISTED):
        detail = f"{interface.own_id} belongs to it, and it was not listed"
        answers.gap(f"{named.service}.{_LISTED}", named.own, "not-found", detail, _FACET)
