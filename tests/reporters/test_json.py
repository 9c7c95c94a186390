import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from cloudseg.engine import FindingsDocument
from cloudseg.findings import Finding
from cloudseg.reporters.schema import findings_schema

Render = Callable[..., str]
Check = Callable[[object], None]


@pytest.fixture(scope="module")
def assert_valid() -> Check:
    schema = findings_schema()
    Draft202012Validator.check_schema(schema)
    validator: Any = Draft202012Validator(schema)
    check: Check = validator.validate
    return check


def test_report_reads_back_as_the_same_document(corpus: FindingsDocument, render: Render) -> None:
    assert msgspec.json.decode(render(corpus, "json"), type=FindingsDocument) == corpus


def test_report_is_indented_as_json_dumps_indents_it(corpus: FindingsDocument, render: Render) -> None:
    text = render(corpus, "json")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_lone_surrogates_become_the_replacement_character(hostile: FindingsDocument, render: Render) -> None:
    names = [finding["resource"]["name"] for finding in json.loads(render(hostile, "json"))["findings"]]
    assert "lone\ufffdsurrogate" in names
    assert "two\nlines\r\n\ttab" in names
    assert "\x1b[31mred\x1b[0m" in names
    assert "abc\u202etxt.exe\u2066x\u2069" in names


def test_empty_lists_are_written_as_such(corpus: FindingsDocument, render: Render) -> None:
    text = render(msgspec.structs.replace(corpus, findings=(), notes=()), "json")
    assert '"findings": [],' in text
    assert json.loads(text)["notes"] == []


@pytest.mark.parametrize("name", ["corpus", "hostile"])
def test_report_fits_the_schema(name: str, request: pytest.FixtureRequest, render: Render, assert_valid: Check) -> None:
    assert_valid(json.loads(render(request.getfixturevalue(name), "json")))


def test_answers_about_the_examples_fit_the_schema(
    example: FindingsDocument, render: Render, assert_valid: Check
) -> None:
    assert_valid(json.loads(render(example, "json")))


def spoil(document: dict[str, Any], *path: str | int) -> dict[str, Any]:
    place: Any = document
    for step in path:
        place = place[step]
    place["surprise"] = 1
    return document


@pytest.mark.parametrize(
    "path",
    [(), ("summary",), ("sources", 0), ("sources", 0, "gaps", 0), ("checks", 0), ("findings", 0),
     ("findings", 0, "rule"), ("findings", 0, "resource"), ("findings", 0, "remedy"), ("findings", 0, "also", 0),
     ("findings", 6, "waiver")],
)  # fmt: skip
def test_unknown_members_do_not_fit_the_schema(
    path: tuple[str | int, ...], corpus: FindingsDocument, render: Render, assert_valid: Check
) -> None:
    with pytest.raises(ValidationError, match="surprise"):
        assert_valid(spoil(json.loads(render(corpus, "json")), *path))


def test_missing_members_do_not_fit_the_schema(corpus: FindingsDocument, render: Render, assert_valid: Check) -> None:
    document = json.loads(render(corpus, "json"))
    del document["findings"][0]["severity"]
    with pytest.raises(ValidationError, match="severity"):
        assert_valid(document)


def test_schema_says_what_the_members_of_a_finding_mean() -> None:
    finding = findings_schema()["$defs"]["Finding"]
    assert set(finding["properties"]) == {field.name for field in msgspec.structs.fields(Finding)}
    assert all(member.get("description") for member in finding["properties"].values())
    assert "null, undecided" in finding["properties"]["reachable"]["description"]
    assert "Attributes" not in finding["description"]
