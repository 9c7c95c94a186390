import io
import json
from typing import Any, Literal

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from cloudseg.engine import SourceInfo
from cloudseg.reach.explaining.explanation import Cut, EndPoint, Explanation, RuleRef, Step
from cloudseg.reporters import RenderOptions, explain_json, explain_text
from cloudseg.reporters.explain_json import Explained, ExplanationDocument
from cloudseg.reporters.schema import explanation_schema
from cloudseg.traffic import GLOBAL_UNICAST
from tests.documents import assert_fits
from tests.reporters.conftest import HOSTILE
from tests.reporters.reach_answers import GAP, qualified

WEB, DB = (
    EndPoint(id=qualified("eni-web"), text="eni-web (web)", address="10.0.1.5"),
    EndPoint(id=qualified("eni-db"), text="eni-db (orders)", address="10.0.2.5"),
)
OUT = RuleRef(rule_set="sg-web", rule="sgr-1", label="sg-web (web)", verdict="next", text="egress tcp/443 to 0.0.0.0/0")
DEFAULT = RuleRef(
    rule_set="sg-db", rule="*", label="sg-db (db)", verdict="deny", text="deny ingress what no rule matches"
)
REASON = "no rule of sg-db (db) admits tcp/443 from eni-web (10.0.1.5)"


def blocked(**changes: Any) -> Explanation:
    told = Explanation(
        source=WEB,
        target=DB,
        traffic="tcp/443, tcp/5432",
        verdict="blocked",
        lower="none",
        upper="none",
        reason=REASON,
        steps=(
            Step(kind="stage", direction="egress", text="security groups sg-web (web) of eni-web", verdict="partly",
                 rules=(OUT,), left_lower="tcp/443", left_upper="tcp/443", reason="only tcp/443 is admitted"),
            Step(kind="route", text="rtb-1: route 10.0.0.0/16 to local", verdict="passes",
                 left_lower="tcp/443", left_upper="tcp/443"),
            Step(kind="boundary", text="network ACL acl-1 of subnet-db", verdict="unknown",
                 left_lower="none", left_upper="tcp/443", reason="its entries were not read"),
            Step(kind="stage", direction="ingress", text="security groups sg-db (db) of eni-db", verdict="blocks",
                 rules=(DEFAULT,), left_lower="none", left_upper="none", reason=REASON),
        ),
        blocked_by=(DEFAULT,),
        also_blocking=(
            Step(kind="route", text="rtb-2", verdict="blocks", left_lower="none", left_upper="none",
                 reason="no route back"),
        ),
        unknowns=("the entries of acl-1 were not read",),
        notes=("a group names its members by their private addresses",),
    )  # fmt: skip
    return msgspec.structs.replace(told, **changes)


def document(*told: Explanation, gaps: int = 0, notes: tuple[str, ...] = ()) -> ExplanationDocument:
    source = SourceInfo("aws", "111122223333", "", ("eu-west-1",), complete=not gaps, gaps=(GAP,) * gaps)
    explained = tuple(Explained((each.source.id, qualified("eni-web-2")), (each.target.id,), each) for each in told)
    return ExplanationDocument(
        generated_at="2026-01-15T12:00:00Z", sources=(source,), explanations=explained, notes=notes
    )


def written(given: ExplanationDocument, name: str = "text", **options: Any) -> str:
    stream = io.StringIO(newline="")
    reporter = {"text": explain_text.REPORTER, "json": explain_json.REPORTER}[name]
    reporter.write(given, stream, RenderOptions(**options))
    return stream.getvalue()


@pytest.mark.parametrize("width", [44, 100])
def test_layout(width: int, snapshot: SnapshotAssertion) -> None:
    assert written(document(blocked(), gaps=1, notes=("a note",)), width=width) == snapshot


def test_what_is_left_is_told_where_a_step_takes_some_away() -> None:
    lines = [line.strip() for line in written(document(blocked())).splitlines()]
    assert [line for line in lines if line.startswith("left of it")] == [
        "left of it: tcp/443",
        "left of it: nothing for sure, at most tcp/443",
        "left of it: nothing",
    ]


def test_the_reason_of_the_verdict_is_not_told_twice() -> None:
    assert " ".join(written(document(blocked()), width=200).split()).count(REASON) == 1


def test_both_bounds_are_told_where_they_matter() -> None:
    partly = blocked(verdict="partly", lower="tcp/443", upper="tcp/443, tcp/5432")
    assert "certainly passes: tcp/443; at most: tcp/443, tcp/5432" in written(document(partly))
    assert "certainly passes" not in written(document(blocked(verdict="allowed", blocked_by=(), would_block=(OUT,))))


def test_ranges_outside_are_told_in_a_few_words() -> None:
    internet = EndPoint(id="", text=str(GLOBAL_UNICAST), address="1.0.0.1")
    assert "  from  internet, of which 1.0.0.1\n" in written(document(blocked(source=internet)), width=200)


def test_a_rule_that_lists_hundreds_is_cut_and_counted() -> None:
    step = msgspec.structs.replace(blocked().steps[0], rules=(OUT,) * 50)
    text = written(document(blocked(steps=(step,))), width=200)
    assert text.count("egress tcp/443 to 0.0.0.0/0") == 20
    assert "… and 30 more rules" in text


def test_colour_marks_verdicts_and_nothing_else() -> None:
    import re

    colored = written(document(blocked()), color=True)
    assert "\x1b[31mblocks \x1b[0m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == written(document(blocked()))


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("name", ["text", "json"])
def test_hostile_texts_do_nothing(name: str, width: int) -> None:
    for hostile in HOSTILE:
        end = EndPoint(id="x", text=hostile, address=hostile)
        rule = RuleRef(rule_set=hostile, rule=hostile, label=hostile, verdict="deny", text=hostile)
        step = Step(
            kind="route",
            text=hostile,
            verdict="blocks",
            rules=(rule,),
            left_lower="none",
            left_upper="none",
            reason=hostile,
        )
        told = blocked(
            source=end,
            target=end,
            reason=hostile,
            steps=(step,),
            blocked_by=(rule,),
            also_blocking=(step,),
            notes=(hostile,),
        )
        text = written(document(told, notes=(hostile,)), name, width=width)
        assert {c for c in text if not c.isprintable()} <= {"\n"}


def test_the_document_fits_its_schema_and_reads_back() -> None:
    schema = explanation_schema()
    given = document(blocked(), gaps=1)
    text = written(given, "json")
    assert_fits(json.loads(text), schema)
    assert msgspec.json.decode(text, type=ExplanationDocument) == given
    assert set(json.loads(text)["explanations"][0]) == {"from", "to", "explanation"}
    for definition in schema["$defs"].values():
        assert all(member.get("description") for member in definition.get("properties", {}).values())


def cut(direction: Literal["ingress", "egress"], *rules: RuleRef) -> Cut:
    return Cut(direction=direction, place="x", text=f"lists of the {direction} end", rules=rules)


def test_every_step_whose_rules_admit_a_packet_is_told() -> None:
    allowed = blocked(
        verdict="allowed", blocked_by=(), also_blocking=(), cuts=(cut("egress", OUT), cut("ingress", OUT, OUT))
    )
    _, _, told = written(document(allowed), width=200).partition("Nothing would pass without all the rules of any one")
    lines = [line.strip() for line in told.splitlines()[1:6]]
    assert [line for line in lines if line.endswith("end")] == [
        "egress at lists of the egress end",
        "ingress at lists of the ingress end",
    ]
    assert lines[1] == lines[3] == lines[4]


def test_what_would_have_to_change_as_well_stands_below_what_blocks() -> None:
    text = written(document(blocked(blocked_by=(), reason="no route leads there")), width=200)
    assert "Blocked by\n  no route leads there\n\nThese would have to change as well\n" in text


def test_an_end_at_which_nothing_arrives_does_not_block() -> None:
    steps = (
        *blocked().steps,
        Step(kind="delivered", text="eni-db (10.0.2.5)", verdict="blocks", left_lower="none", left_upper="none",
             reason="nothing arrives here"),
    )  # fmt: skip
    lines = written(document(blocked(steps=steps)), width=200).splitlines()
    (end,) = [number for number, line in enumerate(lines) if line.endswith("eni-db (10.0.2.5)") and "  5  " in line]
    assert "blocks" not in lines[end]
    assert lines[end + 1].strip() == "nothing arrives here"
