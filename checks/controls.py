"""Controls of benchmarks that are about certain ports or services: a finding bears those that concern what it opens.

The numbers are those of the CIS benchmarks. That of AWS means the ports of remote administration by 5.2 and 5.3 (3.0),
5.3 and 5.4 (5.0), one control for each family of addresses; that of Azure has one control for each port.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Addresses, Service
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudseg.model import Peer, Resource, Rule

__all__ = ["Subject", "are_tied", "controls_of", "subject_of"]

_BOTH: Final = frozenset((4, 6))
_SSH, _RDP = Traffic.parse("tcp/22"), Traffic.parse("tcp/3389")
_ADMIN: Final = _SSH | _RDP
_UDP, _WEB, _FILES = Traffic.parse("udp"), Traffic.parse("tcp/80, tcp/443"), Traffic.parse("tcp/445")


class _Concern(NamedTuple):
    """What a control is about.

    Attributes:
        traffic: any of this; nothing where it is not about ports.
        families: of the addresses that are let in.
        services: families of services; none where it is not about services.
        aspect: what a finding has to be about besides; empty for anything.
    """

    traffic: Traffic = NO_TRAFFIC
    families: frozenset[int] = _BOTH
    services: frozenset[str] = frozenset()
    aspect: str = ""


def _of(*services: str) -> _Concern:
    return _Concern(services=frozenset(services))


_IPV4, _IPV6 = frozenset((4,)), frozenset((6,))
_AZURE_PORTS: Final = (_RDP, _SSH, _UDP, _WEB)

_CONCERNS: Final[Mapping[tuple[str, str], _Concern]] = {
    ("cis-aws-3.0", "5.1"): _Concern(_ADMIN),
    ("cis-aws-3.0", "5.2"): _Concern(_ADMIN, _IPV4),
    ("cis-aws-3.0", "5.3"): _Concern(_ADMIN, _IPV6),
    ("cis-aws-5.0", "5.1.2"): _Concern(_FILES),
    ("cis-aws-5.0", "5.2"): _Concern(_ADMIN),
    ("cis-aws-5.0", "5.3"): _Concern(_ADMIN, _IPV4),
    ("cis-aws-5.0", "5.4"): _Concern(_ADMIN, _IPV6),
    **{("cis-azure-3.0", f"7.{number}"): _Concern(traffic) for number, traffic in enumerate(_AZURE_PORTS, 1)},
    **{("cis-azure-4.0", f"8.{number}"): _Concern(traffic) for number, traffic in enumerate(_AZURE_PORTS, 1)},
    **{("cis-azure-5.0", f"7.{number}"): _Concern(traffic) for number, traffic in enumerate(_AZURE_PORTS, 1)},
    **{("cis-gcp-3.0", number): _Concern(traffic) for number, traffic in (("3.6", _SSH), ("3.7", _RDP))},
    **{("cis-gcp-4.0", number): _Concern(traffic) for number, traffic in (("3.6", _SSH), ("3.7", _RDP))},
    **{(f"cis-gcp-{version}", "3.1"): _Concern(aspect="default") for version in ("3.0", "4.0")},
    **{(f"cis-gcp-{version}", "3.2"): _Concern(aspect="legacy") for version in ("3.0", "4.0")},
    ("cis-azure-3.0", "3.3.7"): _of("keyvault"),
    ("cis-azure-3.0", "4.6"): _of("storage"),
    ("cis-azure-3.0", "4.7"): _of("storage"),
    ("cis-azure-3.0", "4.9"): _of("storage"),
    ("cis-azure-3.0", "5.1.2"): _of("sql"),
    ("cis-azure-4.0", "9.3.7"): _of("keyvault"),
    ("cis-azure-4.0", "9.3.8"): _of("keyvault"),
    **{("cis-azure-4.0", f"10.3.2.{number}"): _of("storage") for number in (1, 2, 3)},
    ("cis-azure-5.0", "8.3.7"): _of("keyvault"),
    ("cis-azure-5.0", "8.3.8"): _of("keyvault"),
    **{("cis-azure-5.0", f"9.3.2.{number}"): _of("storage") for number in (1, 2, 3)},
}


class Subject(NamedTuple):
    """What a finding is about, as far as controls ask.

    Attributes:
        traffic: what it opens; None where that is not known, or not the point.
        families: of the addresses to which it does.
        services: families of the services that it names; None where that is not the point.
        aspects: what it is about besides, in the words of :data:`_CONCERNS`.
    """

    traffic: Traffic | None = None
    families: frozenset[int] = _BOTH
    services: frozenset[str] | None = None
    aspects: frozenset[str] = frozenset()


def subject_of(resource: Resource, rule: Rule | None) -> Subject:
    """Return what a finding is about by its resource and its rule alone; a rule for what goes out opens no port."""
    services = frozenset((resource.service,)) if isinstance(resource, Service) else None
    if rule is None:
        return Subject(services=services)
    inward = rule.traffic if rule.direction == "ingress" else NO_TRAFFIC
    return Subject(inward, _families(rule.remote), services)


def _families(peers: tuple[Peer, ...]) -> frozenset[int]:
    if not peers or not all(isinstance(peer, Addresses) for peer in peers):
        return _BOTH
    told = [peer.addresses for peer in peers if isinstance(peer, Addresses)]
    four, six = any(each.v4 for each in told), any(each.v6 for each in told)
    return frozenset(number for number, held in ((4, four), (6, six)) if held)


def are_tied(controls: Iterable[tuple[str, str]]) -> bool:
    """Tell whether any of these controls is about certain ports or services."""
    return any(control in _CONCERNS for control in controls)


def controls_of(controls: Iterable[tuple[str, str]], subject: Subject) -> tuple[str, ...]:
    """Return the controls, by benchmark and number, that concern what a finding is about."""
    return tuple(
        f"{benchmark}:{control}" for benchmark, control in controls if _concerns((benchmark, control), subject)
    )


def _concerns(control: tuple[str, str], subject: Subject) -> bool:
    about = _CONCERNS.get(control)
    if about is None:
        return True
    if about.aspect:
        return about.aspect in subject.aspects
    if about.services:
        return subject.services is None or not about.services.isdisjoint(subject.services)
    opened = subject.traffic
    return opened is None or (opened.overlaps(about.traffic) and not about.families.isdisjoint(subject.families))
