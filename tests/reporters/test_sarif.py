"""The shape of SARIF 2.1.0, as far as the report uses it, from the text of the standard.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html: the members that an
object may have (section in the comment), what they hold, and which are required (``!``). No other members are allowed.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from cloudseg.checks import CHECKS
from cloudseg.engine import FindingsDocument
from cloudseg.findings import Severity

Render = Callable[..., str]
Check = Callable[[object], None]

LEVEL = {"enum": ["none", "note", "warning", "error"]}
TEXT = {"type": "string"}
INDEX = {"type": "integer", "minimum": -1}
LINE = {"type": "integer", "minimum": 1}
BAG = {"type": "object", "properties": {"tags": {"type": "array", "uniqueItems": True, "items": TEXT}}}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def a(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def many(schema: dict[str, Any], *, unique: bool = False) -> dict[str, Any]:
    return {"type": "array", "items": schema, "uniqueItems": unique}


MEMBERS: dict[str, dict[str, dict[str, Any]]] = {
    # 3.13
    "log": {"$schema": {"type": "string", "format": "uri"}, "version!": {"const": "2.1.0"}, "runs!": many(a("run"))},
    # 3.14
    "run": {
        "tool!": a("tool"), "invocations": many(a("invocation")), "results": many(a("result")),
        "automationDetails": a("automation"), "properties": BAG,
    },
    # 3.17
    "automation": {"id": TEXT, "guid": TEXT, "correlationGuid": TEXT, "description": a("message"), "properties": BAG},
    # 3.18, 3.19
    "tool": {"driver!": a("component"), "extensions": many(a("component"), unique=True), "properties": BAG},
    "component": {
        "name!": TEXT, "version": TEXT, "semanticVersion": TEXT, "informationUri": {"type": "string", "format": "uri"},
        "organization": TEXT, "fullName": TEXT, "rules": many(a("descriptor"), unique=True),
        "notifications": many(a("descriptor"), unique=True), "properties": BAG,
    },
    # 3.49, 3.50
    "descriptor": {
        "id!": TEXT, "name": TEXT, "shortDescription": a("multiformat"), "fullDescription": a("multiformat"),
        "help": a("multiformat"), "helpUri": {"type": "string", "format": "uri"},
        "defaultConfiguration": a("configuration"), "properties": BAG,
    },
    "configuration": {
        "enabled": {"type": "boolean"}, "level": LEVEL, "rank": {"type": "number", "minimum": -1, "maximum": 100},
        "parameters": BAG, "properties": BAG,
    },
    # 3.12, 3.11
    "multiformat": {"text!": TEXT, "markdown": TEXT, "properties": BAG},
    "message": {"text!": TEXT, "markdown": TEXT, "id": TEXT, "arguments": many(TEXT), "properties": BAG},
    # 3.20, 3.58, 3.52
    "invocation": {
        "executionSuccessful!": {"type": "boolean"}, "toolExecutionNotifications": many(a("notification")),
        "toolConfigurationNotifications": many(a("notification")), "exitCode": {"type": "integer"}, "properties": BAG,
    },
    "notification": {
        "message!": a("message"), "level": LEVEL, "locations": many(a("location"), unique=True),
        "descriptor": a("reference"), "associatedRule": a("reference"), "properties": BAG,
    },
    "reference": {"id": TEXT, "index": INDEX, "guid": TEXT, "properties": BAG},
    # 3.27
    "result": {
        "ruleId": TEXT, "ruleIndex": INDEX, "rule": a("reference"), "level": LEVEL, "message!": a("message"),
        "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
        "locations": many(a("location")), "relatedLocations": many(a("location"), unique=True),
        "partialFingerprints": TEXTS, "fingerprints": TEXTS, "suppressions": many(a("suppression"), unique=True),
        "properties": BAG,
    },
    # 3.35
    "suppression": {
        "kind!": {"enum": ["inSource", "external"]}, "status": {"enum": ["accepted", "underReview", "rejected"]},
        "justification": TEXT, "location": a("location"), "guid": TEXT, "properties": BAG,
    },
    # 3.28, 3.29, 3.4, 3.30, 3.33
    "location": {
        "id": INDEX, "physicalLocation": a("physical"), "logicalLocations": many(a("logical"), unique=True),
        "message": a("message"), "properties": BAG,
    },
    "physical": {"artifactLocation!": a("artifact"), "region": a("region"), "properties": BAG},
    "artifact": {
        "uri": {"type": "string", "format": "uri-reference"}, "uriBaseId": TEXT, "index": INDEX, "properties": BAG,
    },
    "region": {"startLine!": LINE, "startColumn": LINE, "endLine": LINE, "endColumn": LINE, "properties": BAG},
    "logical": {
        "name": TEXT, "fullyQualifiedName": TEXT, "decoratedName": TEXT, "kind": TEXT, "index": INDEX,
        "parentIndex": INDEX, "properties": BAG,
    },
}  # fmt: skip


def described(members: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name.rstrip("!"): schema for name, schema in members.items()},
        "required": [name.rstrip("!") for name in members if name.endswith("!")],
        "additionalProperties": False,
    }


@pytest.fixture(scope="module")
def assert_valid() -> Check:
    """Hold a report to the shape; the rules of the program stand in every one, and are looked at once."""
    schema = {"$defs": {name: described(members) for name, members in MEMBERS.items()}, **a("log")}
    Draft202012Validator.check_schema(schema)
    validator: Any = Draft202012Validator(schema, format_checker=FormatChecker(["uri", "uri-reference"]))
    fitting: list[object] = []

    def check(report: Any) -> None:
        drivers = [each["tool"]["driver"] for each in report["runs"]]
        known = all(each["rules"] in fitting for each in drivers)
        rules = [each["rules"] for each in drivers]
        for each in drivers if known else ():
            each["rules"] = []
        validator.validate(report)
        fitting.extend(() if known else rules)

    return check


@pytest.fixture
def run(corpus: FindingsDocument, render: Render) -> dict[str, Any]:
    (only,) = json.loads(render(corpus, "sarif"))["runs"]
    return dict(only)


@pytest.mark.parametrize("name", ["corpus", "hostile"])
def test_report_has_the_shape_of_the_standard(
    name: str, request: pytest.FixtureRequest, render: Render, assert_valid: Check
) -> None:
    assert_valid(json.loads(render(request.getfixturevalue(name), "sarif")))


def test_answers_about_the_examples_have_the_shape(
    example: FindingsDocument, render: Render, assert_valid: Check
) -> None:
    assert_valid(json.loads(render(example, "sarif")))


def test_shape_refuses_what_is_not_in_the_standard(run: dict[str, Any], assert_valid: Check) -> None:
    run["results"][0]["severity"] = "high"
    with pytest.raises(ValidationError, match="severity"):
        assert_valid({"version": "2.1.0", "runs": [run]})


def test_every_check_is_a_rule_that_explains_itself(run: dict[str, Any]) -> None:
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [check.id for check in CHECKS]
    for rule, check in zip(rules, CHECKS, strict=True):
        assert rule["shortDescription"]["text"].endswith(".")
        assert "## Why it matters" in rule["help"]["markdown"]
        score = rule["properties"].get("security-severity")
        bands = {Severity.CRITICAL: (9, 10), Severity.HIGH: (7, 9), Severity.MEDIUM: (4, 7), Severity.LOW: (0.1, 4)}
        if check.severity is Severity.INFO:
            assert score is None
        else:
            low, high = bands[check.severity]
            assert low <= float(score) < high


def test_results_point_to_their_rule_and_carry_the_fingerprint(run: dict[str, Any], corpus: FindingsDocument) -> None:
    rules = run["tool"]["driver"]["rules"]
    for result, finding in zip(run["results"], corpus.findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.check
        assert result["partialFingerprints"] == {"cloudseg/v1": finding.id}


def test_levels_follow_the_severity_of_the_finding(run: dict[str, Any]) -> None:
    levels = [result["level"] for result in run["results"]]
    assert levels == ["error", "error", "error", "note", "note", "warning", "error"]


def test_a_waiver_is_an_accepted_suppression_and_the_others_have_none(run: dict[str, Any]) -> None:
    *others, waived = [result["suppressions"] for result in run["results"]]
    assert others == [[]] * 6
    assert waived == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "bastion, reviewed",
            "properties": {"owner": "net-team", "expires": "2026-12-31"},
        }
    ]


def test_gaps_and_open_checks_are_warnings_and_the_run_is_no_success(run: dict[str, Any]) -> None:
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    notifications = invocation["toolExecutionNotifications"]
    assert len(notifications) == 13
    assert {notification["level"] for notification in notifications} == {"warning"}
    assert notifications[-1]["associatedRule"]["id"] == "internet-exposed-port"


def test_what_became_of_every_check_is_in_the_run(run: dict[str, Any], corpus: FindingsDocument) -> None:
    statuses = [(check["id"], check["status"], check["reason"]) for check in run["properties"]["checks"]]
    assert statuses == [(check.id, check.status, check.reason) for check in corpus.checks]
    assert {status for _, status, _ in statuses} > {"evaluated"}


def test_a_complete_run_is_a_success(long: FindingsDocument, render: Render) -> None:
    (run,) = json.loads(render(long, "sarif"))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is True


def locations(run: dict[str, Any]) -> list[tuple[str, int]]:
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    return [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places]


def test_findings_without_a_file_have_a_path_of_their_own(run: dict[str, Any]) -> None:
    assert locations(run)[0] == ("cloudseg/aws/111122223333/eu-west-1/security-group/sg-0001", 1)


def test_findings_from_files_name_the_file_percent_encoded(run: dict[str, Any]) -> None:
    assert locations(run)[5] == ("modules/net%20work/%C3%BC.tf", 12)


def test_no_name_leaves_its_place_in_the_path(hostile: FindingsDocument, render: Render) -> None:
    (run,) = json.loads(render(hostile, "sarif"))["runs"]
    for (uri, line), finding in zip(locations(run), hostile.findings, strict=True):
        assert line == 1
        if finding.location is None:
            parts = urlsplit(uri).path.split("/")
            assert len(parts) == 6
            assert parts[0] == "cloudseg"
            assert not {unquote(part) for part in parts} & {"", ".", ".."}


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("C:\\net\\main.tf", "file:///C:/net/main.tf"),
        ("/srv/net/main.tf", "file:///srv/net/main.tf"),
        ("net\\main.tf", "net/main.tf"),
        ("a:b#c?d.tf", "a%3Ab%23c%3Fd.tf"),
    ],
)
def test_file_names_become_uri_references(file: str, uri: str, corpus: FindingsDocument, render: Render) -> None:
    finding = msgspec.structs.replace(corpus.findings[0], location={"file": file, "line": 3})
    (run,) = json.loads(render(msgspec.structs.replace(corpus, findings=(finding,)), "sarif"))["runs"]
    assert locations(run) == [(uri, 3)]


def test_brackets_of_a_name_make_no_link(hostile: FindingsDocument, render: Render) -> None:
    (run,) = json.loads(render(hostile, "sarif"))["runs"]
    texts = [result["message"]["text"] for result in run["results"]]
    assert any("\\[click\\](https://evil.example)" in text for text in texts)
