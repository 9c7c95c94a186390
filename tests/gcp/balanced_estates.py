"""Small estates with a load balancer, and the words in which tests speak of what reaches whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks import internet_exposed_port
from cloudseg.checks.interface import AuditContext, Check
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.internet import InternetView
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import translated
from tests.gcp.raw import Raw
from tests.gcp.raw_balancers import Balancers
from tests.gcp.raw_parts import Card

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from tests.gcp.oracle_records import Json

__all__ = ["FRONT_ENDS", "LB", "MACHINES", "OUTSIDE", "Seen", "estate", "outer_proxy", "passed_on"]

MACHINES = ("web", "spare", "other", "client")
LB = "34.9.0.1"
OUTSIDE = "8.8.8.8"
FRONT_ENDS = ["35.191.0.0/16", "130.211.0.0/22"]


def estate(*rules: Json, routes: bool = True) -> Balancers:
    """Machines 10.1.1.2 to 10.1.1.5 in one network without public addresses; each has its name as a tag."""
    raw = Raw()
    raw.network("main")
    raw.subnet("main", "sa", "10.1.1.0/24")
    if routes:
        raw.route("main", "default", "0.0.0.0/0", "gateway")
    for number, name in enumerate(MACHINES, start=2):
        raw.vm(name, Card("sa", f"10.1.1.{number}"), tags=[name])
    raw.firewall("main", *rules)
    return Balancers(raw)


def passed_on(
    *rules: Json, healthy: bool | None = True, read: bool = True, routes: bool = True, rule: Json | None = None
) -> Balancers:  # fmt: skip
    """``web`` behind an external passthrough load balancer; ``rule`` are fields of its forwarding rule."""
    b = estate(*rules, routes=routes)
    b.group("ig", "web", read=read)
    b.service("bs", "ig")
    if healthy is not None:
        b.health("bs", "ig", {"web": healthy})
    b.rule("lb", LB, service="bs", fields=rule or {"portRange": "80-80"})
    return b


def outer_proxy(*rules: Json, region: str = "", kind: str = "http", healthy: bool | None = True) -> Balancers:
    """``web`` behind an external proxy, global or of a region, which asks it at port 8080."""
    b = estate(*rules)
    b.group("ig", "web", ports={"app": 8080})
    if region:
        b.proxy_subnet("10.129.0.0/23")
    protocol = "HTTP" if kind.startswith("http") else "TCP"
    b.service("bs", "ig", region=region, scheme="EXTERNAL_MANAGED", protocol=protocol, port_name="app")
    if healthy is not None:
        b.health("bs", "ig", {"web": healthy})
    b.proxy("px", "bs", kind=kind, region=region)
    more: Json = {"network": "main"} if region else {}
    b.rule("lb", LB, region=region, scheme="EXTERNAL_MANAGED", target="px", portRange="443-443", fields=more)
    return b


class Seen:
    """What an estate says of its machines."""

    def __init__(self, balancers: Balancers) -> None:
        self._raw = balancers.raw
        self.estate: Estate = translated(balancers.answers)
        self.reach = Reachability(self.estate)

    def id(self, name: str) -> str:
        return self._raw.own(name) if name in MACHINES else name

    def passes(self, source: str, target: str, traffic: str) -> str:
        """``surely``, ``at most`` or ``no``; ends are machines, ids or addresses outside."""
        outside = source not in MACHINES and not source.startswith("gcp:")
        start = AddressSet.parse(source) if outside else self.id(source)
        found, asked = self.reach.between(start, self.id(target)), Traffic.parse(traffic)
        if found.lower >= asked:
            return "surely"
        return "at most" if found.upper >= asked else "no"

    def explained(self, source: str, target: str, traffic: str) -> str:
        """The same by the other way of asking, hop by hop."""
        outside = source not in MACHINES and not source.startswith("gcp:")
        start = AddressSet.parse(source) if outside else self.id(source)
        found = explain(self.reach, start, self.id(target), Traffic.parse(traffic))
        return {"allowed": "surely", "unknown": "at most", "blocked": "no"}.get(found.verdict, found.verdict)

    def exposed(self) -> list[tuple[str, str, list[str]]]:
        """The findings of ports that the internet reaches: severity, confidence and whom they affect."""
        check = internet_exposed_port.CHECK
        found = sorted(check.run(self.context(check)), key=lambda each: each.id)
        return [(str(each.severity), each.confidence, [self._name(one) for one in each.affected]) for each in found]

    def context(self, check: Check) -> AuditContext:
        """What a check is asked with."""
        settings = {each.name: each.default for each in check.parameters}
        return AuditContext(estate=self.estate, check=check, settings=settings, internet=InternetView(self.estate))

    def _name(self, own: str) -> str:
        return own.split("/")[3] if own.startswith("zones/") else own
