"""The exposure of an estate in words, for reports that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import labelled, own_id
from cloudseg.reporters.text import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.reach.spread.extents import Exposure, PortExposure, Spread

__all__ = ["exposure_lines"]


def exposure_lines(exposure: Exposure | None) -> Iterator[str]:
    """Yield what people read of the exposure: who can talk, how far an intruder gets, what the internet reaches.

    Where something is unknown a number is a span, from what is certain to what there is at most.
    """
    if exposure is None:
        return
    if exposure.interfaces < 2:
        yield f"exposure: {amount(exposure.interfaces, 'interface')} read, so no pair that could talk"
        return
    anything, control = exposure.any_port, exposure.administration
    if exposure.by_intent:
        yield f"exposure: {_by_intent(anything)}; on administration ports {_by_intent(control)}"
    else:
        yield (
            f"exposure: {_percent(anything)} of all {anything.of:,} pairs of interfaces can talk, "
            f"{_percent(control)} on administration ports"
        )
    yield (
        f"blast radius: an intruder reaches {_median(anything)} other {_interfaces(anything)} in the median, "
        f"{_worst(exposure, anything)}; on administration ports {_median(control)}, {_worst(exposure, control)}"
    )
    yield (
        f"internet: reaches {_span(anything.from_internet, anything.from_internet_at_most)} of "
        f"{amount(exposure.interfaces, 'interface')} directly, "
        f"{_span(control.from_internet, control.from_internet_at_most)} on administration ports"
    )


def _by_intent(ports: PortExposure) -> str:
    """Return how many can talk beside how many are meant to: a ratio, above 100 % where it is more."""
    pairs = _span(ports.pairs, ports.pairs_at_most)
    if not ports.of:
        return f"{pairs} pairs of interfaces can talk, and the intent names none"
    return f"{pairs} pairs of interfaces can talk, {_percent(ports)} as many as the {ports.of:,} that the intent names"


def _percent(ports: PortExposure) -> str:
    least, most = (_rounded(100 * pairs / ports.of) for pairs in (ports.pairs, ports.pairs_at_most))
    return f"{least} %" if least == most else f"{least} to {most} %"


def _rounded(percent: float) -> str:
    """Return a number of percent with three digits that count; what is not nothing, or not all, never reads so."""
    if 0 < percent < 0.01:
        return "under 0.01"
    if 99.9 < percent < 100:
        return "over 99.9"
    return f"{percent:,.0f}" if percent >= 100 else f"{percent:.3g}"


def _median(ports: PortExposure) -> str:
    return _span(ports.blast_radius.median, ports.blast_radius_at_most.median)


def _interfaces(ports: PortExposure) -> str:
    # Of a span the upper end is what is read last.
    return "interface" if ports.blast_radius_at_most.median == 1 else "interfaces"


def _worst(exposure: Exposure, ports: PortExposure) -> str:
    """Return how far he gets at worst: what is certain and what there is at most may start at different interfaces."""
    least, most = ports.blast_radius, ports.blast_radius_at_most
    if least.worst == most.worst:
        # Where it is certain from some, these say more.
        return f"{least.worst:,} at worst{_from(exposure, least)}"
    sure = f"{least.worst:,} for sure at worst{_from(exposure, least)}"
    return f"{sure} and {most.worst:,} at most{_from(exposure, most)}"


def _from(exposure: Exposure, spread: Spread) -> str:
    if not spread.worst:
        return ""
    first = spread.worst_at[0]
    name = exposure.names.get(first, "")
    others = f" and {amount(spread.worst_count - 1, 'other')}" if spread.worst_count > 1 else ""
    return f" (from {labelled(own_id(first), name)}{others})"


def _span(least: int, most: int) -> str:
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
