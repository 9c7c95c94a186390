"""The checks in words: a list, and one check explained."""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.checks.interface import Check, ParameterValue

__all__ = ["check_list", "check_text", "docstring_of", "summary_of"]

NARROWEST = 40


def docstring_of(check: Check) -> str:
    """Return the docstring of the file in which a check stands."""
    return inspect.cleandoc(sys.modules[check.run.__module__].__doc__ or "")


def summary_of(check: Check) -> str:
    """Return the first line of a check's docstring."""
    return docstring_of(check).partition("\n")[0]


def check_list(checks: Sequence[Check], width: int) -> str:
    """Return the checks, one a row: severity, id, clouds, and what each finds; fitted to a width in columns."""
    from tabulate import tabulate

    rows = [(check.severity.value, check.id, " ".join(sorted(check.concept)), summary_of(check)) for check in checks]
    headers = ("severity", "check", "clouds", "finds")
    taken = sum(max(len(str(row[i])) for row in (*rows, headers)) for i in range(3)) + 6
    room = width - taken
    if room >= 24:
        return tabulate(rows, headers, tablefmt="simple", maxcolwidths=[None, None, None, room])
    blocks = [textwrap.fill(f"{severity}  {name}: {text}", max(width, 20), subsequent_indent="  ")
              for severity, name, _, text in rows]  # fmt: skip
    return "\n".join(blocks)


def check_text(check: Check, width: int) -> str:
    """Return the page of one check as plain text: its docstring, its settings and the controls it speaks to."""
    columns = max(min(width, 100), NARROWEST)
    lines = [*textwrap.wrap(f"{check.id} ({check.severity})", columns), ""]
    lines += _folded(docstring_of(check), columns)
    lines += ["", *textwrap.wrap(f"Remedy id: {check.remedy or 'none, people must decide'}", columns)]
    for provider, concept in sorted(check.concept.items()):
        lines += _item(f"{provider}: {concept}", columns)
    for provider, reason in sorted(check.absent.items()):
        lines += _item(f"{provider}: not there; {reason}", columns)
    if check.parameters:
        lines += ["", *textwrap.wrap(f"Settings, under [checks.{check.id}] in cloudseg.toml:", columns)]
        for parameter in check.parameters:
            lines += _item(f"{parameter.name} = {toml(parameter.default)}: {parameter.description}", columns)
    if check.compliance:
        lines += ["", "Compliance:"]
        for benchmark, controls in sorted(check.compliance.items()):
            lines += _item(f"{benchmark}: {', '.join(controls)}", columns)
    lines += ["", "Examples:"]
    for example in check.examples:
        lines += _item(f"{'finds' if example.finds else 'accepts'}: {example.name}", columns)
    return "\n".join(lines)


def toml(value: ParameterValue) -> str:
    """Return a setting's value as it is written in a TOML file."""
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return f"[{', '.join(toml(item) for item in value)}]"
        case str():
            return f'"{value}"'
        case int():
            return str(value)


def _item(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, columns, initial_indent="  - ", subsequent_indent="    ")


def _folded(text: str, columns: int) -> list[str]:
    """Return paragraphs wrapped anew; the indented lines of one paragraph belong together."""
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        heading, _, rest = paragraph.partition("\n")
        if lines:
            lines.append("")
        lines += textwrap.wrap(heading, columns)
        if rest:
            body = " ".join(rest.split())
            lines += textwrap.wrap(body, columns, initial_indent="    ", subsequent_indent="    ")
    return lines
