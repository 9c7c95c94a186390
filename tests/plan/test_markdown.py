"""plan.md: what reviewers see of a plan, how long it may be, and what hostile names do to it."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import msgspec
import pytest
from markdown_it import MarkdownIt

from cloudseg.checks.example_estates import allow
from cloudseg.findings import Severity
from cloudseg.model.edits import RemoveRule
from cloudseg.plan.values import LeftAlone, PlanDocument, PlanEdit, ProposalInfo, RefusedInfo
from cloudseg.remediations.interface import Choice
from cloudseg.reporters.interface import RenderOptions
from cloudseg.reporters.plan_markdown import REPORTER
from cloudseg.reporters.plan_table import REPORTER as TABLE
from cloudseg.sources import GapInfo, SourceInfo
from tests.plan.plans import DB, advice, change, made, narrowed, new_group, proposal, remedy, shop

HOSTILE = "<script>alert(1)</script> | @everyone #1 [x](http://evil.example) ![i](y) `code` \n## head \u202e$&"


def text_of(document: PlanDocument) -> str:
    stream = io.StringIO()
    REPORTER.write(document, stream, RenderOptions())
    return stream.getvalue()


def table_of(document: PlanDocument, width: int = 120) -> str:
    stream = io.StringIO()
    TABLE.write(document, stream, RenderOptions(width=width, limit=20))
    return stream.getvalue()


@cache
def small() -> PlanDocument:
    answers = (
        proposal(*narrowed(), summary="name the web servers"),
        advice("a controller owns it"),
    )
    return made(shop(web="dev", db="prod").build(), remedy("mend", lambda _c, _f: answers)).document


def edit(number: int, **more: Any) -> PlanEdit:
    (one, *_) = small().edits
    fields: dict[str, Any] = {"id": f"{number:012}", "proposals": (f"p{number}",), **more}
    return msgspec.structs.replace(one, **fields)


def proposed(number: int, **more: Any) -> ProposalInfo:
    (one,) = small().proposals
    fields: dict[str, Any] = {"id": f"p{number}", "edits": (f"{number:012}",), **more}
    return msgspec.structs.replace(one, **fields)


def refused(number: int, **more: Any) -> RefusedInfo:
    (one,) = small().refused
    return msgspec.structs.replace(one, finding=str(number), **more)


def test_what_is_taken_away_is_told_first() -> None:
    text = text_of(small())

    warning = text.index("**Warning: 1 edit takes something away")
    assert text.startswith("## cloudseg plan: 2 edits for 1 of 1 finding")
    assert warning < text.index("### Taken away") < text.index("### What changes") < text.index("### Exposure")


def test_a_plan_that_takes_nothing_away_warns_of_nothing() -> None:
    document = made(shop().build(), remedy("mend", lambda _c, _f: (proposal(new_group()[0]),))).document

    assert "Warning" not in text_of(document)
    assert "### Taken away" not in text_of(document)


def test_the_rule_that_a_new_group_is_born_with_is_not_told_as_taken_away() -> None:
    document = made(shop().build(), remedy("mend", lambda _c, _f: (proposal(*new_group()),))).document

    assert document.summary.removals == 0
    assert "Warning" not in text_of(document)


def test_every_edit_stands_in_the_table_with_what_it_says_and_its_environment() -> None:
    text = text_of(small())

    assert (
        "| 1 | add rule | <code>sg-db (db)</code><br>aws 111122223333 | ingress tcp/5432 from sg-web | prod |" in text
    )
    assert "| 2 | remove rule |" in text


def test_evidence_choices_and_undo_are_folded() -> None:
    one = proposed(
        1, considered=(Choice(name="sg-all", chosen=False, adds=("eni-9",), reason="it is too wide"),), drops=("ssh",)
    )
    document = msgspec.structs.replace(small(), edits=(edit(1, evidence=("seen 5 times",)),), proposals=(one,))
    text = text_of(document)

    folded = text[text.index("<details>") : text.index("</details>")]
    for words in ("seen 5 times", "sg-all: not taken, it is too wide; would add eni-9", "ssh", "undo it"):
        assert words in folded
    assert "1 proposal stop what nobody is known to need" in text


def test_what_is_refused_is_told_with_who_refuses_its_witness_and_the_steps() -> None:
    one = refused(1, by="proof", reason="it would open", witness="web → db tcp/22 (ssh)", steps=("ask",))
    text = text_of(msgspec.structs.replace(small(), refused=(one,)))

    assert "it would open<br>witness: <code>web → db tcp/22 (ssh)</code><br>ask | not proved |" in text


def test_exposure_stands_before_and_after() -> None:
    assert "| interfaces that the internet reaches | 1 | 1 |" in text_of(small())


def test_assumptions_and_what_is_not_known_are_told() -> None:
    document = small()
    proof = msgspec.structs.replace(document.proof, assumptions=("members stay",), unknowns=("pl-1 was not read",))
    text = text_of(msgspec.structs.replace(document, proof=proof))

    assert "### Assumptions\n\n- members stay\n" in text
    assert "### Not known, before or after\n\n- pl-1 was not read\n" in text


def test_gaps_of_the_scopes_that_it_touches_are_told_at_the_top() -> None:
    document = small()
    gap = GapInfo("eu-west-1", "ec2.describe_vpcs", "", "denied", "no", ())
    sources = tuple(
        SourceInfo("aws", scope, "", (), complete=False, gaps=(gap,)) for scope in ("111122223333", "444455556666")
    )
    text = text_of(
        msgspec.structs.replace(document, snapshot=msgspec.structs.replace(document.snapshot, sources=sources))
    )

    assert "**Not all was read** of what this plan is about: aws 111122223333: 1 gap." in text
    assert "444455556666" not in text


def test_a_plan_without_edits_says_that_there_is_nothing_to_change() -> None:
    document = made(shop().build(), remedy("mend", lambda _c, _f: (advice(),))).document

    assert text_of(document).startswith("## cloudseg plan: nothing to change: 1 finding, and none that a change")
    assert "nothing is changed, so nothing had to be proved" in text_of(document)


def hostile() -> PlanDocument:
    choice = Choice(name=HOSTILE, chosen=True, adds=(HOSTILE,), misses=(HOSTILE,), reason=HOSTILE)
    one = edit(
        1, name=HOSTILE, before=HOSTILE, after=HOSTILE, reason=HOSTILE, evidence=(HOSTILE,), undo=HOSTILE,
        environment=HOSTILE, scope=HOSTILE, removes=True,
    )  # fmt: skip
    two = proposed(
        1, summary=HOSTILE, name=HOSTILE, considered=(choice,), drops=(HOSTILE,), risks=(HOSTILE,),
        assumptions=(HOSTILE,), checks=(HOSTILE,),
    )  # fmt: skip
    three = refused(1, reason=HOSTILE, witness=HOSTILE, steps=(HOSTILE,), name=HOSTILE, check=HOSTILE)
    document = small()
    proof = msgspec.structs.replace(document.proof, assumptions=(HOSTILE,), unknowns=(HOSTILE,))
    left = LeftAlone(1, (HOSTILE,))
    return msgspec.structs.replace(
        document, edits=(one,), proposals=(two,), refused=(three,), proof=proof, notes=(HOSTILE,),
        observed_not_carried=left, intended_not_carried=left,
    )  # fmt: skip


def test_hostile_names_stay_text() -> None:
    text = text_of(hostile())
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)

    assert "<script>" not in html
    assert "<h2>head" not in html
    assert "evil.example" in html
    assert "<a " not in html
    assert "<img" not in html
    assert "@everyone" not in text
    assert "\u202e" not in text
    assert {line.count("|") for line in text.splitlines() if line.startswith("| 1 | ")} == {7, 4}


def test_hostile_names_move_no_cursor_of_a_terminal() -> None:
    document = hostile()
    text = table_of(msgspec.structs.replace(document, edits=(edit(1, name="\x1b[2J\u202e", after="\r\n"),)))

    assert text.isascii() or "\u202e" not in text
    assert "\x1b" not in text
    assert "\\x1b[2J" in text.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize("times", [1, 400])
def test_however_much_a_plan_holds_plan_md_stays_short_and_counts_what_is_left_out(times: int) -> None:
    long = "x" * 3_000
    numbers = range(1, 400)
    document = msgspec.structs.replace(
        small(),
        edits=tuple(edit(n, after=long[: times * 8], evidence=(long,) * times, removes=True) for n in numbers),
        proposals=tuple(proposed(n, drops=(long,) * times, risks=(f"{n} {long}",)) for n in numbers),
        refused=tuple(refused(n, reason=long, steps=(long,) * times) for n in numbers),
        notes=(long,) * times,
        observed_not_carried=LeftAlone(10**6, (long,) * 10),
    )
    text = text_of(document)

    assert len(text) < 65_000
    assert "more; plan.json has all." in text
    for heading in ("### Taken away", "### What changes", "### Why", "### What could break", "### Not in this plan"):
        assert heading in text
    assert "| 1 | add rule |" in text
    assert text.count("<details>") == text.count("</details>")


def test_a_row_that_is_too_long_hides_no_other() -> None:
    wide = edit(1, name="&" * 4_000, after="&" * 4_000, environment="&" * 4_000)
    document = msgspec.structs.replace(small(), edits=(wide, *(edit(n) for n in range(2, 100))), proposals=())

    assert "| 2 | add rule |" in text_of(document)


@pytest.mark.parametrize("width", [40, 120])
def test_the_terminal_shows_edits_refusals_and_what_is_proved(width: int) -> None:
    text = " ".join(table_of(small(), width).split())

    assert "add rule" in text
    assert f"{Severity.HIGH}" not in text
    assert "internet-exposed-port: 1 people decide" in text
    assert "proved: nothing new passes" in text
    assert text.endswith("2 edits for 1 of 1 finding; 2 to be reviewed")


def test_the_terminal_cuts_a_long_plan_and_counts_the_rest() -> None:
    document = msgspec.structs.replace(small(), edits=tuple(edit(n) for n in range(1, 51)))

    assert "… and 30 more edits" in table_of(document)


def test_a_hostile_rule_id_stays_text_in_a_real_plan() -> None:
    builder = shop()
    builder.group("sg-db", allow("ingress", "tcp/22", "0.0.0.0/0", rule_id=HOSTILE), name=HOSTILE)
    answers = (proposal(change("remove", RemoveRule(DB, HOSTILE))),)
    document = made(builder.build(), remedy("mend", lambda _c, _f: answers)).document

    assert document.edits
    assert "<script>" not in text_of(document)
