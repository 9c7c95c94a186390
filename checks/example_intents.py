"""Two machines in Azure and what is meant between them, as the examples of intent show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_nsgs import NsgBuilder, asg_id, nsg_rule
from cloudseg.intent import Allowance, Intent
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from cloudseg.model import Estate, Rule

__all__ = ["web_and_app", "web_to_app"]


def web_and_app(*rules: Rule) -> Estate:
    """Return two machines, each in a group and a subnet of its own; ``rules`` are those of the NSG before ``app``.

    Both NSGs deny what no rule admits.
    """
    b = NsgBuilder()
    b.asg("asg-web")
    b.asg("asg-app")
    shut = (nsg_rule("ingress", 4096, "all", deny=True), nsg_rule("egress", 4096, "all", deny=True))
    b.nsg("nsg-web", nsg_rule("egress", 100, "tcp/8000-8100", "asg-app"), *shut, subnet="web")
    b.nsg("nsg-data", *rules, *shut, subnet="data")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-app", "data", "10.1.2.10", asgs=["asg-app"])
    return b.build()


def web_to_app() -> Intent:
    """Return the intent that ``web`` opens tcp/8080 to ``app``, and nothing else."""
    segments = tuple(Segment(name=name, choice=Choice(groups=(asg_id(f"asg-{name}"),))) for name in ("web", "app"))
    allowed = Allowance(sources=("web",), targets=("app",), traffic=Traffic.parse("tcp/8080"))
    return Intent(segments=segments, allow=(allowed,))
