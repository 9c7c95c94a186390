import io
import json
import re
from typing import Any

import msgspec
import pytest
from jsonschema import ValidationError
from syrupy.assertion import SnapshotAssertion

from cloudseg.engine import FindingsDocument
from cloudseg.findings import Also, Severity, WaiverInfo
from cloudseg.reach.comparing.compare import Change, Comparison, Counts, Witness
from cloudseg.reach.spread.extents import Exposure, PortExposure, Spread
from cloudseg.reporters import RenderOptions
from cloudseg.reporters.diff_assembly import diff_document, worst_new
from cloudseg.reporters.diff_document import DiffDocument
from cloudseg.reporters.diff_formats import DIFF_FORMATS
from cloudseg.reporters.markdown import LONGEST
from cloudseg.reporters.schema import diff_schema
from cloudseg.traffic import NO_TRAFFIC, Traffic
from tests.documents import assert_fits
from tests.reporters.conftest import HOSTILE, make_document, make_finding
from tests.reporters.reach_answers import GAP, qualified

NOBODY = Counts(0, 0, 0, 0)


def spread(worst: int) -> Spread:
    return Spread(median=1, worst=worst, worst_at=(qualified("eni-a"),), worst_count=1)


def exposure(pairs: int, at_most: int) -> Exposure:
    ports = PortExposure(
        pairs=pairs,
        pairs_at_most=at_most,
        of=1000,
        share=pairs / 1000,
        share_at_most=at_most / 1000,
        from_internet=2,
        from_internet_at_most=3,
        one_step=spread(2),
        one_step_at_most=spread(2),
        blast_radius=spread(4),
        blast_radius_at_most=spread(5),
    )
    return Exposure(interfaces=32, by_intent=False, any_port=ports, administration=ports)


def change(
    sources: tuple[str, ...], targets: tuple[str, ...], lower: str, upper: str = "", cause: Any = "changed"
) -> Change:
    most = Traffic.parse(upper or lower)
    least = NO_TRAFFIC if lower == "none" else Traffic.parse(lower)
    witness = Witness(sources[0], "10.0.0.1", targets[0], "10.0.0.2", Traffic.parse("tcp/22"))
    return Change(sources, targets, cause, least, most, len(sources) * len(targets), witness)


COMPARISON = Comparison(
    gained=(
        change(tuple(qualified(f"eni-{n}") for n in range(5)), (qualified("eni-db"),), "tcp/22", "tcp/22, icmp/8"),
        change(("external:203.0.113.0/24", "external:198.51.100.0/24"), (qualified("eni-db"),), "none", "tcp/443"),
        change((qualified("eni-new"),), (qualified("eni-db"),), "udp/53", cause="came"),
    ),
    lost=(change((qualified("eni-db"),), ("external:203.0.113.0/24",), "all"),),
    gains=Counts(pairs=6, certain_pairs=5, from_outside=1, to_outside=0),
    losses=Counts(pairs=0, certain_pairs=0, from_outside=0, to_outside=1),
    came=(qualified("eni-new"),),
    went=(qualified("eni-old"),),
    undecided=3,
)


def short_name(identifier: str) -> str:
    return identifier.rsplit(":", 1)[-1].replace("eni-", "host-")


def compared(
    comparison: Comparison = COMPARISON,
    old: FindingsDocument | None = None,
    new: FindingsDocument | None = None,
    name: Any = short_name,
) -> DiffDocument:
    before = old or make_document((make_finding(1), make_finding(2, severity=Severity.LOW)))
    after = new or make_document(
        (make_finding(2, severity=Severity.MEDIUM), make_finding(3, severity=Severity.CRITICAL)), (GAP,)
    )
    return diff_document(comparison, measured(before, exposure(100, 120)), measured(after, exposure(200, 200)), name)


def measured(document: FindingsDocument, found: Exposure) -> FindingsDocument:
    summary = msgspec.structs.replace(document.summary, exposure=found)
    return msgspec.structs.replace(document, summary=summary)


def written(document: DiffDocument, name: str, **options: Any) -> str:
    stream = io.StringIO(newline="")
    DIFF_FORMATS[name].write(document, stream, RenderOptions(**options))
    return stream.getvalue()


@pytest.mark.parametrize(("name", "width"), [("table", 60), ("table", 120), ("markdown", 120)])
def test_layout(name: str, width: int, snapshot: SnapshotAssertion) -> None:
    assert written(compared(), name, width=width) == snapshot


def test_findings_are_matched_by_their_fingerprint() -> None:
    findings = compared().findings
    assert [(f.id[-1], f.severity, f.before) for f in findings.new] == [("3", Severity.CRITICAL, None)]
    assert [(f.id[-1], f.severity, f.before) for f in findings.gone] == [("1", Severity.HIGH, None)]
    assert [(f.id[-1], f.severity, f.before) for f in findings.changed] == [("2", Severity.MEDIUM, Severity.LOW)]


def test_a_finding_that_another_takes_in_is_no_news() -> None:
    also = Also(f"{2:020x}", "overbroad-ports", Severity.LOW, "many ports")
    old = make_document((make_finding(1), make_finding(2, severity=Severity.LOW, check="overbroad-ports")))
    new = make_document((make_finding(1, also=(also,)),))
    findings = compared(old=old, new=new).findings
    assert (findings.new, findings.gone, findings.changed) == ((), (), ())


def test_a_finding_that_a_waiver_accepts_is_gone_and_one_whose_waiver_ends_is_new() -> None:
    waived = make_finding(1, waiver=WaiverInfo("net", "agreed", "2026-12-31"))
    accepted = compared(old=make_document((make_finding(1),)), new=make_document((waived,))).findings
    assert [f.id[-1] for f in accepted.gone] == ["1"]
    ended = compared(old=make_document((waived,)), new=make_document((make_finding(1),))).findings
    assert [f.id[-1] for f in ended.new] == ["1"]


def test_the_worst_news_is_what_is_new_or_got_worse() -> None:
    low, high = make_finding(1, severity=Severity.LOW), make_finding(1, severity=Severity.HIGH)
    assert worst_new(compared(old=make_document((low,)), new=make_document((high,)))) is Severity.HIGH
    assert worst_new(compared(old=make_document((high,)), new=make_document((low,)))) is None
    assert worst_new(compared(old=make_document(()), new=make_document((low,)))) is Severity.LOW
    assert worst_new(compared(old=make_document((high,)), new=make_document(()))) is None


def test_what_is_certain_and_what_only_may_be_are_told_apart() -> None:
    first, second, third = compared().gained
    assert (first.certain, first.at_most) == (("tcp/22",), ("icmp/8",))
    assert (second.certain, second.at_most) == ((), ("tcp/443",))
    assert (third.certain, third.at_most, third.cause) == (("udp/53",), (), "came")


def test_many_ends_are_counted_and_ranges_told_together() -> None:
    text = " ".join(written(compared(), "markdown").split())
    assert "host-0<br>host-1<br>host-2<br>2 more" in text
    assert "198.51.100.0/24, 203.0.113.0/24" in text
    assert "(an end is new)" in text


def test_the_last_line_tells_gaps_and_what_is_undecided() -> None:
    last = written(compared(), "table", width=400).splitlines()[-1]
    assert last == (
        "became reachable: 5 pairs (6 at most), 1 interface from outside; stopped: 0 pairs, 1 interface to outside; "
        "findings: 1 new, 1 gone, 1 of another severity; undecided: 3 pairs (unknown before and after); "
        "the new reading is incomplete: 1 gap"
    )


def test_what_undecided_means_is_said_in_words() -> None:
    for form in ("table", "markdown"):
        told = " ".join(written(compared(), form).split())
        assert "Undecided: 3 pairs. Something on their way changed" in told
        assert "a gain or a loss may hide in it" in told


def test_limit_shows_that_many_and_counts_the_rest() -> None:
    many = COMPARISON._replace(gained=COMPARISON.gained * 10)
    text = written(compared(many), "table", limit=4)
    assert "… and 26 more changes (use --format json, or --limit 0)" in text
    assert "more changes" not in written(compared(many), "table", limit=0)


def test_markdown_of_a_large_comparison_fits_a_comment() -> None:
    many = COMPARISON._replace(gained=COMPARISON.gained * 2000, lost=COMPARISON.lost * 2000)
    findings = tuple(make_finding(n) for n in range(2000))
    text = written(compared(many, new=make_document(findings, (GAP,) * 2000)), "markdown")
    assert len(text) <= LONGEST
    assert text.count("more (`--format json` has all)") >= 4
    for heading in ("New findings", "Became reachable", "Stopped being reachable", "Not read"):
        assert f"### {heading}" in text


@pytest.mark.parametrize("name", DIFF_FORMATS)
@pytest.mark.parametrize("width", [30, 120])
def test_hostile_names_do_nothing(name: str, width: int) -> None:
    findings = make_document(tuple(make_finding(n, message=text) for n, text in enumerate(HOSTILE)))
    ids = tuple(qualified(f"eni-{n}") for n in range(len(HOSTILE)))
    names = dict(zip(ids, HOSTILE, strict=True))
    comparison = COMPARISON._replace(
        gained=tuple(change((one,), (ids[0],), "tcp/22") for one in ids[1:]), lost=(), came=ids, went=()
    )
    text = written(compared(comparison, new=findings, name=names.__getitem__), name, width=width, limit=0)
    assert {c for c in text if not c.isprintable()} <= {"\n"}
    if name == "markdown":
        assert "<script" not in text
        assert "](https" not in text
        assert not re.search(r"(?<![\w&])@admins", text)


def test_the_document_fits_its_schema_and_reads_back() -> None:
    schema = diff_schema()
    text = written(compared(), "json")
    assert_fits(json.loads(text), schema)
    assert msgspec.json.decode(text, type=DiffDocument) == compared()
    broken = json.loads(text)
    broken["gained"][0]["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        assert_fits(broken, schema)


def test_every_member_is_described_by_the_name_it_has_in_the_document() -> None:
    definitions = diff_schema()["$defs"]
    assert list(definitions["WitnessInfo"]["properties"]) == ["from", "from_address", "to", "to_address", "traffic"]
    for name, definition in definitions.items():
        undescribed = [m for m, held in definition.get("properties", {}).items() if not held.get("description")]
        assert undescribed == [], name
