"""The sentences that the reports of a comparison share. They are raw: each format escapes them in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.outside import EXTERNAL, addresses_of, outside_words
from cloudseg.reporters.text import amount
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.reach.spread.extents import Exposure, PortExposure
    from cloudseg.reporters.diff_document import ChangeInfo, CountInfo, DiffDocument, FindingChange, WitnessInfo

__all__ = ["Row", "change_row", "exposure_rows", "finding_text", "headline", "undecided", "verdicts"]

_NAMES = 3
_CAUSES = {"changed": "", "came": "an end is new", "went": "an end is gone"}


class Row(NamedTuple):
    """What is told of a change, as the lines of five cells."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    traffic: tuple[str, ...]
    bound: str
    witness: tuple[str, ...]


def change_row(change: ChangeInfo, names: Mapping[str, str]) -> Row:
    """Return a change in words."""
    certain, at_most = ", ".join(change.certain), ", ".join(change.at_most)
    also = (f"at most also {at_most}",) if certain and at_most else ()
    cause = _CAUSES[change.cause]
    return Row(
        _ends(change.sources, names),
        _ends(change.targets, names),
        (certain or at_most, *also),
        "exact" if certain else "at most",
        (_witness(change.witness, names), *((f"({cause})",) if cause else ())),
    )


def _ends(ends: tuple[str, ...], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return ends in words: the first names, ranges outside together."""
    outside = NO_ADDRESSES
    inside: list[str] = []
    for end in ends:
        if end.startswith(EXTERNAL):
            outside |= addresses_of(end)
        else:
            inside.append(names.get(end, end))
    shown = inside[:_NAMES]
    if len(inside) > _NAMES:
        shown.append(f"{len(inside) - _NAMES:,} more")
    if outside:
        shown.append(outside_words(outside))
    return tuple(shown)


def _witness(witness: WitnessInfo, names: Mapping[str, str]) -> str:
    source = witness.source_address or names.get(witness.source, witness.source)
    target = witness.target_address or names.get(witness.target, witness.target)
    return f"{source} → {target} {witness.traffic}"


def headline(document: DiffDocument) -> str:
    """Return the one line that sums a comparison up; it tells when something was not read."""
    summary = document.summary
    parts = [
        f"became reachable: {_counts(summary.gains)}",
        f"stopped: {_counts(summary.losses)}",
        f"findings: {sum(summary.new.values()):,} new, {sum(summary.gone.values()):,} gone",
    ]
    if summary.changed:
        parts[-1] += f", {summary.changed:,} of another severity"
    if summary.undecided:
        parts.append(f"undecided: {amount(summary.undecided, 'pair')} (unknown before and after)")
    parts.extend(_incomplete(document))
    return "; ".join(parts)


def undecided(document: DiffDocument) -> str:
    """Return what it means that pairs are undecided; nothing where none is."""
    count = document.summary.undecided
    if not count:
        return ""
    return (
        f"Undecided: {amount(count, 'pair')}. Something on their way changed, and part of their traffic is unknown in"
        " both readings (an unread list, route or scope): whether that part passed before, or passes now, cannot be"
        " told, so a gain or a loss may hide in it."
    )


def _incomplete(document: DiffDocument) -> Iterator[str]:
    """Yield for each reading that has gaps how many."""
    for name, reading in (("old", document.old), ("new", document.new)):
        gaps = sum(len(source.gaps) for source in reading.sources)
        if gaps:
            yield f"the {name} reading is incomplete: {amount(gaps, 'gap')}"


def _counts(counts: CountInfo) -> str:
    parts = [amount(counts.certain_pairs, "pair")]
    if counts.pairs > counts.certain_pairs:
        parts[0] += f" ({counts.pairs:,} at most)"
    if counts.from_outside:
        parts.append(f"{amount(counts.from_outside, 'interface')} from outside")
    if counts.to_outside:
        parts.append(f"{amount(counts.to_outside, 'interface')} to outside")
    return ", ".join(parts)


def verdicts(counts: Mapping[str, int]) -> str:
    """Return how many findings there are of each severity, worst first."""
    return ", ".join(f"{count:,} {severity}" for severity, count in counts.items() if count) or "none"


def finding_text(change: FindingChange) -> str:
    """Return a finding in words, with what it was before where it was another."""
    return f"{change.message} (was {change.before})" if change.before is not None else change.message


def exposure_rows(document: DiffDocument) -> Iterator[tuple[str, str, str]]:
    """Yield what is measured of both readings: its name, before, and after; nothing where it was not asked for."""
    old, new = document.old.exposure, document.new.exposure
    if old is not None and new is not None:
        for (name, before), (_, after) in zip(_measures(old), _measures(new), strict=True):
            yield name, before, after


def _measures(exposure: Exposure) -> Iterator[tuple[str, str]]:
    yield "interfaces", f"{exposure.interfaces:,}"
    for name, ports in (("any port", exposure.any_port), ("administration", exposure.administration)):
        yield f"{name}: pairs that can talk", _pairs(ports, by_intent=exposure.by_intent)
        yield (
            f"{name}: reached from the internet",
            _span(f"{ports.from_internet:,}", f"{ports.from_internet_at_most:,}"),
        )
        least, most = ports.blast_radius, ports.blast_radius_at_most
        yield f"{name}: blast radius, median", _span(f"{least.median:g}", f"{most.median:g}")
        yield f"{name}: blast radius, worst", _span(f"{least.worst:,}", f"{most.worst:,}")


def _pairs(ports: PortExposure, *, by_intent: bool) -> str:
    found = _span(f"{ports.pairs:,}", f"{ports.pairs_at_most:,}")
    pairs = f"{found}, where the intent names {ports.of:,}" if by_intent else f"{found} of {ports.of:,}"
    if ports.share is None or ports.share_at_most is None:
        return pairs
    return f"{pairs} ({_span(f'{100 * ports.share:.3g}', f'{100 * ports.share_at_most:.3g}')} %)"


def _span(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"
