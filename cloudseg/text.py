"""Text from outside, made safe to show: what a name holds is seen, and does nothing."""

from __future__ import annotations

__all__ = ["amount", "valid", "visible"]


def visible(text: str) -> str:
    r"""Return a text with everything that is not printable written as an escape: ``\n``, ``\x1b``, ``\u202e``.

    Control characters of both sets, bidirectional overrides, characters without width, line separators and lone
    surrogates can move a terminal's cursor, recolour it, or make a name look like another one.
    See https://www.unicode.org/reports/tr36/.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def valid(text: str) -> str:
    """Return a text that UTF-8 can hold: lone surrogates become the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def amount(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 finding``, ``2,000 findings``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
