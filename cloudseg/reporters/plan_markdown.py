"""A plan as Markdown, for those who review it in a pull request: what is taken away first, then what changes and why.

It stays under the 65,536 characters that GitHub takes in a description. What does not fit is left out, and counted:
parts that are short stay whole, the long ones share what is left. Text from outside is shown as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.markdown import LONGEST, prose, short
from cloudseg.reporters.plan_words import (
    change_words,
    evidence_line,
    exposure_rows,
    gaps_in_scopes,
    headline,
    left_out_line,
    proof_line,
    refused_words,
)
from cloudseg.reporters.text import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from cloudseg.plan.values import ManifestInfo, PlanDocument, PlanEdit, ProposalInfo
    from cloudseg.remediations.interface import Choice

__all__ = ["REPORTER"]

_MARGIN: Final = 300
_LINES: Final = 6
_EDITS: Final = 12
_BLOCK: Final = 6_000
_MORE: Final = "\n… and {:,} more; plan.json has all.\n"


class _Section(NamedTuple):
    """A part of the report.

    Attributes:
        head: what stands above its rows.
        rows: each whole, or not there at all.
        tail: what stands below them.
    """

    head: str
    rows: Sequence[str]
    tail: str = ""

    @property
    def frame(self) -> int:
        """How many characters it takes without its rows."""
        return len(self.head) + len(self.tail) + len(_MORE) + 12

    @property
    def size(self) -> int:
        """How many characters it takes in full."""
        return self.frame + sum(map(len, self.rows))


def _write(document: PlanDocument, stream: TextIO, _options: RenderOptions) -> None:
    head = "".join(_head(document))
    sections = [section for section in _sections(document) if section.rows]
    stream.write(head)
    rooms = _rooms([section.size for section in sections], LONGEST - len(head) - _MARGIN)
    for section, room in zip(sections, rooms, strict=True):
        stream.writelines(_fitted(section, room))


def _rooms(sizes: Sequence[int], room: int) -> list[int]:
    """Return how much room each of some parts gets: short ones what they take, the others even shares of the rest."""
    rooms = [0] * len(sizes)
    left = sorted(range(len(sizes)), key=lambda place: sizes[place])
    while left:
        place = left.pop(0)
        rooms[place] = min(sizes[place], room // (len(left) + 1))
        room -= rooms[place]
    return rooms


def _fitted(section: _Section, room: int) -> Iterator[str]:
    yield section.head
    room -= section.frame
    shown = 0
    for row in section.rows:
        # One that is too long hides no other.
        if len(row) <= room:
            room -= len(row)
            shown += 1
            yield row
    yield section.tail
    if shown < len(section.rows):
        yield _MORE.format(len(section.rows) - shown)


def _head(document: PlanDocument) -> Iterator[str]:
    taken = document.summary.removals
    yield f"## cloudseg plan: {prose(headline(document))}\n\n"
    if taken:
        verb = "takes" if taken == 1 else "take"
        yield f"> **Warning: {amount(taken, 'edit')} {verb} something away that is there today.** Listed first.\n\n"
    if gaps := gaps_in_scopes(document):
        named = "; ".join(map(short, gaps[:_LINES]))
        more = f" and {len(gaps) - _LINES} more scopes" if len(gaps) > _LINES else ""
        yield f"> **Not all was read** of what this plan is about: {named}{more}.\n\n"
    yield f"- {prose(proof_line(document))}\n"
    yield f"- evidence: {prose(evidence_line(document))}\n"
    if line := left_out_line(document):
        yield f"- {prose(line)}\n"
    yield f"- read {prose(document.snapshot.taken_at)}, fingerprint <code>{document.snapshot.fingerprint[:16]}</code>\n"
    yield f"- digest <code>{document.digest}</code>: what is applied must bear it\n"


def _sections(document: PlanDocument) -> Iterator[_Section]:
    yield _Section(
        "\n### Taken away\n\n| edit | resource | what goes |\n|---:|---|---|\n",
        [_deletion_row(number, edit) for number, edit in enumerate(document.edits, 1) if edit.removes],
    )
    yield _Section(
        "\n### What changes\n\n| | edit | resource | change | environment | |\n|---:|---|---|---|---|---|\n",
        [_edit_row(number, edit) for number, edit in enumerate(document.edits, 1)],
        "\nIn this order: what lets more through or as much goes before what takes away.\n",
    )
    yield _Section(
        "\n### Exposure\n\n| | before | after |\n|---|---:|---:|\n",
        [f"| {name} | {before} | {after} |\n" for name, before, after in exposure_rows(document)],
    )
    by_id = {edit.id: (number, edit) for number, edit in enumerate(document.edits, 1)}
    yield _Section(
        "\n### Why\n", [_proposal(each, [by_id[name] for name in each.edits]) for each in document.proposals]
    )
    yield _Section("\n### What could break\n\n", [_item(text) for text in _risks(document)])
    yield _Section(
        f"\n### Not in this plan\n\n<details><summary>{amount(len(document.refused), 'answer')}</summary>\n\n"
        "| severity | finding | why | |\n|---|---|---|---|\n",
        list(_refusals(document)),
        "\n</details>\n",
    )
    yield from _left_alone(document)
    yield _Section(
        "\n### Manifests\n\n",
        [_manifest(each) for each in document.manifests],
    )
    assumed = (*document.proof.assumptions, *(text for each in document.proposals for text in each.assumptions))
    yield _Section("\n### Assumptions\n\n", [_item(text) for text in dict.fromkeys(assumed)])
    yield _Section("\n### Not known, before or after\n\n", [_item(text) for text in document.proof.unknowns])
    yield _Section("\n### Notes\n\n", [_item(text) for text in document.notes])


def _manifest(manifest: ManifestInfo) -> str:
    name = f"<code>{short(manifest.path)}</code>" if manifest.path else short(manifest.resource)
    return f"- {name}{f': {short(manifest.reason)}' if manifest.reason else ''}\n"


def _resource(edit: PlanEdit) -> str:
    return f"<code>{short(edit.name)}</code><br>{short(f'{edit.provider} {edit.scope}')}"


def _deletion_row(number: int, edit: PlanEdit) -> str:
    return f"| {number} | {_resource(edit)} | {short(change_words(edit)[1])} |\n"


def _edit_row(number: int, edit: PlanEdit) -> str:
    does, words = change_words(edit)
    safety = "" if edit.safety == "safe" else "review"
    cells = (str(number), does, _resource(edit), short(words), short(edit.environment) or "?", safety)
    return f"| {' | '.join(cells)} |\n"


def _proposal(proposal: ProposalInfo, edits: Sequence[tuple[int, PlanEdit]]) -> str:
    """Return one proposal with its evidence folded; what is long in it is cut, and counted."""
    numbers = ", ".join(str(number) for number, _ in edits[:_EDITS])
    more = f" and {len(edits) - _EDITS} more" if len(edits) > _EDITS else ""
    title = f"{proposal.severity.value} · {short(proposal.summary)}"
    lines: list[str] = []
    lines += _listed("Mends", [f"{', '.join(proposal.checks)} of {proposal.name}"])
    for number, edit in edits[:_EDITS]:
        lines += _listed(f"Edit {number}", [edit.reason, *edit.evidence])
    lines += _listed("Considered", [_considered(choice) for choice in proposal.considered])
    lines += _listed("No longer passes, and nobody is known to need it", proposal.drops)
    lines += _listed("Undo", dict.fromkeys(edit.undo for _, edit in edits))
    room = _BLOCK
    kept: list[str] = []
    for line in lines:
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    if len(kept) < len(lines):
        kept.append(f"- … {len(lines) - len(kept):,} more lines in plan.json\n")
    body = "".join(kept)
    review = "" if proposal.safety == "safe" else ", to be reviewed"
    return f"\n<details><summary>{title} (edits {numbers}{more}{review})</summary>\n\n{body}\n</details>\n"


def _listed(title: str, texts: Iterable[str]) -> list[str]:
    """Return a list under a title as far as it may go; nothing without a text."""
    found = [text for text in texts if text]
    if not found:
        return []
    lines = [f"  - {short(text)}\n" for text in found[:_LINES]]
    if len(found) > _LINES:
        lines.append(f"  - … and {len(found) - _LINES:,} more\n")
    return [f"- **{prose(title)}**\n", *lines]


def _considered(choice: Choice) -> str:
    parts = [
        f"{'taken' if choice.chosen else 'not taken'}{f', {choice.reason}' if choice.reason else ''}",
        *([f"would add {', '.join(choice.adds[:_LINES])}"] if choice.adds else []),
        *([f"would miss {', '.join(choice.misses[:_LINES])}"] if choice.misses else []),
    ]
    return f"{choice.name}: {'; '.join(parts)}"


def _risks(document: PlanDocument) -> Iterator[str]:
    """Yield what could break, each once, and how many proposals stop what nobody is known to need."""
    found: dict[str, int] = {}
    for proposal in document.proposals:
        for text in proposal.risks:
            found[text] = found.get(text, 0) + 1
    for text, count in found.items():
        yield f"{text} ({count:,} proposals)" if count > 1 else text
    dropping = sum(bool(proposal.drops) for proposal in document.proposals)
    if dropping:
        yield f"{amount(dropping, 'proposal')} stop what nobody is known to need: each tells what under Why"


def _refusals(document: PlanDocument) -> Iterator[str]:
    for each in document.refused:
        lines = [short(each.reason)]
        if each.witness:
            lines.append(f"witness: <code>{short(each.witness)}</code>")
        lines += [short(step) for step in each.steps[:_LINES]]
        if len(each.steps) > _LINES:
            lines.append(f"… and {len(each.steps) - _LINES} more steps")
        finding = f"{short(each.check)}<br><code>{short(each.name)}</code>"
        yield f"| {each.severity.value} | {finding} | {'<br>'.join(lines)} | {refused_words(each)} |\n"


def _left_alone(document: PlanDocument) -> Iterator[_Section]:
    observed, intended = document.observed_not_carried, document.intended_not_carried
    for title, left in (
        ("Observed, and not carried today: listed, never opened", observed),
        ("Intended, and not carried today: listed, never opened", intended),
    ):
        rest = left.count - len(left.first)
        rows = [_item(text) for text in left.first]
        yield _Section(f"\n### {title} ({left.count:,})\n\n", rows, f"- … and {rest:,} more\n" if rest > 0 else "")


def _item(text: str) -> str:
    return f"- {short(text)}\n"


REPORTER = Reporter(name="markdown", suffixes=(".md", ".markdown"), write=_write)
