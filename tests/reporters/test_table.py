import re
from collections.abc import Callable

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion
from wcwidth import wcswidth

from cloudseg.engine import FindingsDocument
from cloudseg.findings import ResourceInfo

Render = Callable[..., str]


@pytest.mark.parametrize("width", [40, 80, 160])
def test_layout(width: int, corpus: FindingsDocument, render: Render, snapshot: SnapshotAssertion) -> None:
    assert render(corpus, "table", width=width) == snapshot


@pytest.mark.parametrize("width", [40, 59, 60, 80, 99, 100, 160])
def test_no_line_is_wider_than_the_terminal(width: int, document: FindingsDocument, render: Render) -> None:
    widths = [wcswidth(line) for line in render(document, "table", width=width).splitlines()]
    assert min(widths) >= 0
    assert max(widths) <= width


@pytest.mark.parametrize("width", [1, 40, 80, 160])
def test_severity_resource_and_message_are_always_there(width: int, corpus: FindingsDocument, render: Render) -> None:
    text = render(corpus, "table", width=width)
    flat = re.sub(r"\s", "", text)
    for finding in corpus.findings:
        assert finding.severity in text
    if width < 60:
        for finding in corpus.findings:
            assert re.sub(r"\s", "", finding.resource.id) in flat
            assert re.sub(r"\s", "", finding.message) in flat


@pytest.mark.parametrize("width", [80, 160])
def test_long_ids_are_folded_and_not_cut(width: int, corpus: FindingsDocument, render: Render) -> None:
    column = [line[12:] for line in render(corpus, "table", width=width).splitlines()]
    pieces = [line.split("  ")[0] for line in column]
    assert corpus.findings[2].resource.id in "".join(pieces)


def test_wide_names_keep_the_columns_straight(corpus: FindingsDocument, render: Render) -> None:
    resource = ResourceInfo("security-group", "データベース本番")
    findings = (corpus.findings[0], msgspec.structs.replace(corpus.findings[0], resource=resource))
    lines = render(msgspec.structs.replace(corpus, findings=findings), "table", width=80).splitlines()
    (wide,) = [line for line in lines if "データベース" in line]
    start = wcswidth(next(line for line in lines if "the whole" in line).partition("the whole")[0])
    taken = 0
    for character in wide:
        if taken >= start:
            break
        taken += wcswidth(character)
    assert taken == start


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_of_an_arm_id_the_names_in_it_are_shown(form: str, corpus: FindingsDocument, render: Render) -> None:
    own = "/subscriptions/0b/resourcegroups/rg-net/providers/microsoft.network/networksecuritygroups/web-nsg"
    resource = ResourceInfo("network-security-group", own, "Web-NSG")
    findings = (msgspec.structs.replace(corpus.findings[0], resource=resource),)
    text = render(msgspec.structs.replace(corpus, findings=findings), form, width=160)
    assert "Web-NSG (rg-net)" in text
    assert "/subscriptions/" not in text


def test_no_colour_codes_without_colour(document: FindingsDocument, render: Render) -> None:
    assert "\x1b" not in render(document, "table")


def test_colour_marks_severities_and_nothing_else(corpus: FindingsDocument, render: Render) -> None:
    colored = render(corpus, "table", color=True)
    assert "\x1b[1;31mcritical\x1b[0m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render(corpus, "table")


def test_limit_shows_that_many_of_a_check_and_counts_the_rest(long: FindingsDocument, render: Render) -> None:
    text = render(long, "table", limit=3)
    assert text.count("the whole IPv4 internet") == 6
    assert "… and 3,997 more (use --format json, or --check latent-internet-rule with --limit 0)" in text


def test_limit_zero_shows_all(long: FindingsDocument, render: Render) -> None:
    text = render(long, "table", limit=0)
    assert text.count("the whole IPv4 internet") == 5000
    assert "more" not in text


def test_parts_of_a_long_table_have_the_same_columns(long: FindingsDocument, render: Render) -> None:
    places = {line.index("the whole") for line in render(long, "table", limit=0).splitlines() if "the whole" in line}
    assert len(places) == 1


def test_waived_findings_come_after_the_open_ones_of_a_check(corpus: FindingsDocument, render: Render) -> None:
    text = render(corpus, "table", limit=5, width=200)
    assert text.index("ü.tf") < text.index("waived until 2026-12-31 by net-team: bastion, reviewed")
    assert "bastion" not in render(corpus, "table", limit=4, width=200)


def test_last_line_never_reads_as_an_all_clear_when_something_was_not_read(
    corpus: FindingsDocument, render: Render
) -> None:
    last = render(corpus, "table", width=200).splitlines()[-1]
    assert last.startswith("6 findings; 1 waived; the answer is incomplete: 12 gaps; 1 check not fully evaluated")


def test_first_ten_gaps_are_listed_with_their_reason(corpus: FindingsDocument, render: Render) -> None:
    text = render(corpus, "table", width=160)
    assert text.count("denied: AccessDenied: no") == 10
    assert "… and 2 more gaps" in text
    assert render(corpus, "table", width=160, limit=0).count("denied: AccessDenied: no") == 12


def test_plain_ascii_where_the_stream_takes_no_more(document: FindingsDocument, render: Render) -> None:
    assert render(document, "table", unicode=False).isascii()
