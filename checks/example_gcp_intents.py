"""Two instances in Google Cloud and what is meant between them, as the examples of intent show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule
from cloudseg.intent import Allowance, Intent
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from cloudseg.model import Estate, Rule

__all__ = ["gcp_web_and_app", "gcp_web_to_app"]


def gcp_web_and_app(*rules: Rule) -> Estate:
    """Return two instances with a network tag each; ``rules`` are VPC firewall rules. Nothing leaves the network."""
    b = GcpBuilder()
    inside = gcp_rule("inside", "egress", "all", "10.2.0.0/16", priority=900)
    b.firewall(*rules, inside, gcp_rule("rest", "egress", "all", verdict="deny"))
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "data", "10.2.2.10", tags=["app"])
    return b.build()


def gcp_web_to_app() -> Intent:
    """Return the intent that ``web`` opens tcp/8080 to ``app``, and nothing else."""
    segments = tuple(Segment(name=name, choice=Choice(groups=(f"{NETWORK}/tags/{name}",))) for name in ("web", "app"))
    allowed = Allowance(sources=("web",), targets=("app",), traffic=Traffic.parse("tcp/8080"))
    return Intent(segments=segments, allow=(allowed,))
