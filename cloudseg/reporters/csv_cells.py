"""Texts from outside as cells of a CSV file that a spreadsheet shows and does not run."""

from __future__ import annotations

from cloudseg.reporters.text import visible

__all__ = ["csv_cell"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_cell(text: str) -> str:
    """Return a text on one line, with an apostrophe in front of what a spreadsheet would read as a formula.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return f"'{visible(text)}" if text.startswith(_FORMULA) else visible(text)
