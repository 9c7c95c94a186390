import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from cloudseg.engine import FindingsDocument
from cloudseg.errors import ConfigError
from cloudseg.reporters import RenderOptions, format_for
from cloudseg.reporters.formats import FORMATS

Render = Callable[..., str]


class Chunks(io.TextIOBase):
    """A stream that keeps nothing but the longest piece it was given."""

    def __init__(self) -> None:
        self.longest = 0
        self.total = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        self.longest = max(self.longest, len(text))
        self.total += len(text)
        return len(text)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("report.json", "json"),
        ("report.sarif", "sarif"),
        ("report.sarif.json", "sarif"),
        ("out/REPORT.MD", "markdown"),
        ("a.b/findings.csv", "csv"),
        ("report.txt", "table"),
        (Path("x") / "y.json", "json"),
    ],
)
def test_suffix_tells_the_format(path: str | Path, name: str) -> None:
    assert format_for(path, FORMATS).name == name


@pytest.mark.parametrize("path", ["report", "report.html", "json", "report.sarif/x", ""])
def test_unknown_suffix_lists_the_known_ones(path: str) -> None:
    with pytest.raises(ConfigError, match=r"\.csv, \.json, .*\.sarif, \.sarif\.json, \.txt"):
        format_for(path, FORMATS)


def test_formats_are_named_as_they_are_listed() -> None:
    assert {name: reporter.name for name, reporter in FORMATS.items()} == {name: name for name in FORMATS}
    suffixes = [suffix for reporter in FORMATS.values() for suffix in reporter.suffixes]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("limit", [0, 20])
def test_no_piece_grows_with_the_number_of_findings(name: str, limit: int, long: FindingsDocument) -> None:
    stream = Chunks()
    FORMATS[name].write(long, stream, RenderOptions(limit=limit))  # type: ignore[arg-type]
    assert stream.total > 0
    assert stream.longest < 40_000


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_valid_utf_8(name: str, document: FindingsDocument, render: Render) -> None:
    assert render(document, name).encode("utf-8")


@pytest.mark.parametrize("name", FORMATS)
def test_same_document_gives_the_same_bytes(name: str, corpus: FindingsDocument, render: Render) -> None:
    assert render(corpus, name) == render(corpus, name)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_that_acts_on_a_terminal_gets_through(name: str, hostile: FindingsDocument, render: Render) -> None:
    acting = {c for c in render(hostile, name) if not c.isprintable()} - {"\n", "\r"}
    assert acting == set()


@pytest.mark.parametrize("name", ["table", "markdown", "csv"])
def test_line_breaks_in_names_make_no_lines(name: str, hostile: FindingsDocument, render: Render) -> None:
    text = render(hostile, name, width=400)
    assert not any(line.startswith("lines") for line in text.splitlines())
    assert "two\\nlines\\r\\n\\ttab" in text.replace("&#92;", "\\")


@pytest.mark.parametrize("name", ["json", "sarif", "markdown", "csv"])
def test_layout(name: str, corpus: FindingsDocument, render: Render, snapshot: SnapshotAssertion) -> None:
    text = render(corpus, name)
    if name == "sarif":
        text = re.sub(r'"(index|ruleIndex)": \d+', r'"\1": 0', text[text.index('"automationDetails"') :])
    assert text.replace("\r\n", "\n") == snapshot
