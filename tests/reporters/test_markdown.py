import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
from markdown_it import MarkdownIt

from cloudseg.engine import FindingsDocument
from cloudseg.findings import Severity
from cloudseg.reporters.markdown import LONGEST, prose
from cloudseg.reporters.text import visible

Render = Callable[..., str]
TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
OWN = TABLES | {"h2", "h3", "p", "ul", "li", "code", "br", "strong", "details", "summary"}


class Page(HTMLParser):
    """The elements of a rendered page, and the text of each cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_names_become_no_element(hostile: FindingsDocument, render: Render) -> None:
    page = Page(render(hostile, "markdown"))
    assert set(page.tags) <= OWN
    assert set(page.attributes) <= {"style"}


def test_every_row_of_a_table_keeps_its_cells(hostile: FindingsDocument, render: Render) -> None:
    page = Page(render(hostile, "markdown"))
    severities = len(Severity) + 1
    assert page.tags.count("td") == 2 * severities + 3 * len(hostile.findings)


@pytest.mark.parametrize(
    "text",
    ["<script>", "a|b`c``d|e\\|f\\", "*b* _i_ ~~s~~", "[x](http://y) ![i](z)", "&amp; &lt;", "@a #1 !2 $x$ ~l &3 GH-4"],
)
def test_escaped_text_shows_what_it_was(text: str) -> None:
    page = Page(f"| {prose(text)} |\n|---|\n")
    assert page.text.strip() == text
    assert set(page.tags) == {"table", "thead", "tr", "th"}


@pytest.mark.parametrize(
    "text", ["@team", "a@b.example", "#12", "o/r#12", "https://x.y", "HTTP://x.y", "www.x.y", "GH-1"]
)
def test_nothing_is_left_that_a_forge_would_link(text: str) -> None:
    shown = prose(f"see {text} now")
    assert not re.search(r"@\w|#\d|://|www\.|GH-\d", re.sub(r"&#\d+;", "", shown), re.IGNORECASE)


def test_control_characters_are_shown() -> None:
    assert visible("a\x1b[31m\n\u202e\u200b\ud800") == "a\\x1b[31m\\n\\u202e\\u200b\\ud800"


def test_report_stays_under_the_limit_and_says_what_was_cut(document: FindingsDocument, render: Render) -> None:
    assert len(render(document, "markdown")) < LONGEST


def test_what_does_not_fit_is_counted(long: FindingsDocument, render: Render) -> None:
    text = render(long, "markdown")
    rows = len(re.findall(r"^\| (?:critical|high|medium|low|info) \| <code>", text, re.MULTILINE))
    assert 100 < rows < 5000
    (left_out,) = re.findall(r"\*\*([\d,]+) findings left out", text)
    assert int(left_out.replace(",", "")) == 5000 - rows
    more = [int(number.replace(",", "")) for number in re.findall(r"… and ([\d,]+) not shown", text)]
    assert sum(more) == 5000 - rows
    assert "| info | <code>" not in text


def test_more_than_ten_findings_of_a_check_are_folded(long: FindingsDocument, render: Render) -> None:
    eleven = msgspec.structs.replace(long, findings=long.findings[1:5] * 2 + long.findings[6:9])
    page = Page(render(eleven, "markdown"))
    assert page.tags.count("details") == 1
    assert "1 more" in page.text
    ten = msgspec.structs.replace(long, findings=long.findings[1:5] * 2 + long.findings[6:8])
    assert "<details>" not in render(ten, "markdown")


def test_one_endless_finding_hides_no_other(corpus: FindingsDocument, render: Render) -> None:
    endless = msgspec.structs.replace(corpus.findings[0], message="|" * 10_000, evidence=("x" * 100_000,))
    text = render(msgspec.structs.replace(corpus, findings=(endless,) * 3 + corpus.findings), "markdown")
    assert len(text) < LONGEST
    assert "bastion, reviewed" in text


def test_gaps_are_listed(corpus: FindingsDocument, render: Render) -> None:
    text = render(corpus, "markdown")
    assert "**The answer is incomplete:**" in text
    assert text.count("AccessDenied: no") == 12
