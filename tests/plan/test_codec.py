"""Edits as JSON and back: what a plan holds is what was proved."""

import json
import subprocess
import sys
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from cloudseg.model import Labelled
from cloudseg.model.edits import AddRule, Attach, Edit, RemoveRule, SetPublicAccess
from cloudseg.plan.codec import decoded, plain
from cloudseg.plan.values import PlanEdit
from cloudseg.reporters.schema import plan_schema
from cloudseg.traffic import AddressSet, IntervalSet, Traffic
from tests.plan.drawn import EDITS, KINDS

SCHEMA = plan_schema()
PLAN_EDIT = PlanEdit(
    id="1", kind="k", phase="add", provider="aws", scope="1", region="r", resource="x", name="x", environment="",
    before="", after="", change=(), reason="", evidence=(), risk=(), safety="safe", undo="", removes=False,
    proposals=(), findings=(),
)  # fmt: skip
VALIDATOR: Any = Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": "#/$defs/PlanEdit"})


@given(EDITS)
def test_every_edit_comes_back_from_json_as_it_was(edit: Edit) -> None:
    read: object = json.loads(json.dumps(plain(edit)))

    assert decoded(read, Edit) == edit  # type: ignore[arg-type] # a union is as good as a type here


@given(EDITS)
def test_every_edit_fits_the_schema_of_plans(edit: Edit) -> None:
    members: Any = json.loads(json.dumps(plain(msgspec.structs.replace(PLAN_EDIT, change=(edit,)))))

    VALIDATOR.validate(members)


def test_every_kind_of_edit_is_drawn() -> None:
    assert set(KINDS) == set(get_args(Edit))


def test_addresses_traffic_and_ports_are_told_as_people_write_them() -> None:
    assert plain(AddressSet.parse("10.0.0.0/8, 2001:db8::1")) == "10.0.0.0/8, 2001:db8::1"
    assert plain(Traffic.parse("all except tcp/22")) == "all except tcp/22"
    assert plain(IntervalSet.of(5, (8, 9))) == [[5, 5], [8, 9]]


def test_members_of_a_set_are_sorted_whatever_python_does() -> None:
    program = (
        "from cloudseg.model import Labelled; from cloudseg.plan.codec import plain;"
        "print(plain(Labelled('a', 'In', frozenset(f'value-{n}' for n in range(40)))))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(texts) == 1
    assert plain(Labelled("a", "In", frozenset("zxy")))["values"] == ["x", "y", "z"]


def test_half_a_character_becomes_the_replacement_character() -> None:
    assert plain(Attach("eni-\ud800", "sg")) == {"type": "attach", "interface": "eni-\ufffd", "identity": "sg"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "no-such-edit"},
        {"type": "remove-rule", "rule_set": "sg"},
        {"type": "set-public-access", "service": "s", "public": True, "sources": 5},
        {"type": "set-public-access", "service": "s", "public": True, "sources": "nowhere"},
    ],
)
def test_what_is_no_edit_is_refused(wrong: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(wrong, Edit)  # type: ignore[arg-type] # a union is as good as a type here


def test_edits_of_different_kinds_do_not_become_each_other() -> None:
    edits: tuple[Edit, ...] = (
        RemoveRule("sg", "r"),
        Attach("sg", "r"),
        SetPublicAccess("s", public=False, sources=AddressSet()),
    )

    assert decoded(plain(edits), tuple[Edit, ...]) == edits


def test_what_a_document_cannot_hold_is_an_error() -> None:
    with pytest.raises(NotImplementedError):
        plain(AddRule("sg", object()))  # type: ignore[arg-type] # the point of the test
