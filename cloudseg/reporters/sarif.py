"""SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.

- Code scanning shows no result without a physical location. What stands in no file gets the path
  ``cloudseg/<provider>/<scope>/<region>/<kind>/<id>``, line 1, which stays the same from run to run, and its qualified
  id as the logical location. See https://docs.github.com/code-security/reference/code-scanning/sarif-support.
- ``executionSuccessful`` is false when something could not be read: a run without results must not look like an
  all-clear. Gaps, and checks that could not be evaluated in full, are notifications of level ``warning``.
- The severity of a result is its level; ``security-severity`` stands at the rule and follows the check's own severity.
- ``helpUri`` has to be absolute (section 3.49.12), so a rule carries its whole page in ``help`` instead.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from cloudseg import __version__
from cloudseg.checks import CHECKS
from cloudseg.findings import Severity
from cloudseg.reporters.check_page import docstring_of, summary_of
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.json_stream import write_json
from cloudseg.reporters.text import valid, visible
from cloudseg.reporters.wording import unsettled_checks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from cloudseg.checks.interface import Check
    from cloudseg.engine import FindingsDocument
    from cloudseg.findings import Finding

__all__ = ["REPORTER"]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SECURITY_SEVERITY = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}
_RULE_INDEX = {check.id: index for index, check in enumerate(CHECKS)}
_LONGEST_CATEGORY = 100


def _write(document: FindingsDocument, stream: TextIO, _options: RenderOptions) -> None:
    run: dict[str, object] = {
        "tool": {"driver": {"name": "cloudseg", "version": __version__, "rules": map(_rule, CHECKS)}},
        "automationDetails": {"id": f"cloudseg/{_category(document)}/{document.generated_at}"},
        "invocations": iter(
            (
                {
                    "executionSuccessful": document.complete,
                    "toolExecutionNotifications": _notifications(document),
                },
            )
        ),
        "properties": {
            "generated_at": document.generated_at,
            "summary": document.summary,
            "checks": document.checks,
            "notes": document.notes,
        },
        "results": (_result(finding) for finding in document.findings),
    }
    write_json(stream, {"$schema": SCHEMA, "version": "2.1.0", "runs": iter((run,))})


def _category(document: FindingsDocument) -> str:
    """Return what tells the run from runs over other scopes: code scanning closes what a later run does not repeat."""
    name = "+".join(f"{quote(source.provider, safe='')}-{_segment(source.scope)}" for source in document.sources)
    return name if 0 < len(name) <= _LONGEST_CATEGORY else hashlib.sha256(name.encode()).hexdigest()[:16]


def _rule(check: Check) -> dict[str, object]:
    page = docstring_of(check)
    summary = summary_of(check) or check.id
    security = {"security-severity": _SECURITY_SEVERITY[check.severity]} if check.severity in _SECURITY_SEVERITY else {}
    return {
        "id": check.id,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": _sections(page).get("What it finds", summary)},
        "help": {"text": page or summary, "markdown": _markdown(page) or summary},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {
            "tags": ["security", "network", "segmentation"],
            **security,
            "compliance": check.compliance,
        },
    }


def _sections(page: str) -> dict[str, str]:
    """Return the sections of a check's docstring by heading, each as one paragraph."""
    parts = re.split(r"^(\S[^\n:]*):\n", page, flags=re.MULTILINE)
    return {heading: " ".join(body.split()) for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def _markdown(page: str) -> str:
    blocks = [page.partition("\n")[0]] if page else []
    for heading, body in _sections(page).items():
        blocks += [f"## {heading}", body.replace("``", "`")]
    return "\n\n".join(blocks)


def _notifications(document: FindingsDocument) -> Iterator[dict[str, object]]:
    for source in document.sources:
        for gap in source.gaps:
            what = " ".join(part for part in (gap.region, gap.what, gap.resource) if part)
            text = f"not read: {source.provider} {source.scope} {what}: {gap.reason}"
            yield {
                "level": "warning",
                "message": {"text": _plain(f"{text}: {gap.detail}" if gap.detail else text)},
                "properties": {"provider": source.provider, "scope": source.scope, **msgspec.structs.asdict(gap)},
            }
    for check in unsettled_checks(document):
        index = {"index": _RULE_INDEX[check.id]} if check.id in _RULE_INDEX else {}
        yield {
            "level": "warning",
            "message": {"text": _plain(f"{check.id}: {check.status}: {check.reason}")},
            "associatedRule": {"id": check.id, **index},
        }


def _result(finding: Finding) -> dict[str, object]:
    index = {"ruleIndex": _RULE_INDEX[finding.check]} if finding.check in _RULE_INDEX else {}
    return {
        "ruleId": finding.check,
        **index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(finding.message)},
        "locations": [_location(finding)],
        **_related(finding),
        "partialFingerprints": {"cloudseg/v1": finding.id},
        "suppressions": _suppressions(finding),
        "properties": {
            "severity": finding.severity,
            "confidence": finding.confidence,
            "reachable": finding.reachable,
            "resource": finding.resource,
            "rule": finding.rule,
            "evidence": finding.evidence,
            "affected": finding.affected,
            "also": finding.also,
            "remedy": finding.remedy,
            "compliance": finding.compliance,
        },
    }


def _plain(text: str) -> str:
    """Return a plain-text message: brackets would make an embedded link (section 3.11.6)."""
    return visible(text).replace("[", "\\[").replace("]", "\\]")


def _location(finding: Finding) -> dict[str, object]:
    place = (finding.provider, finding.scope, finding.region, finding.resource.kind, finding.resource.id)
    uri, line = "/".join(("cloudseg", *map(_segment, place))), 1
    if finding.location is not None:
        uri, line = _place(finding.location)
    qualified = ":".join(
        part for part in (finding.provider, finding.scope, finding.region, finding.resource.id) if part
    )
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}},
        "logicalLocations": [
            {
                "name": finding.resource.name or finding.resource.id,
                "fullyQualifiedName": qualified,
                "kind": "resource",
            }
        ],
    }


def _related(finding: Finding) -> dict[str, object]:
    """Return where else what a result speaks of is written (section 3.27.22)."""
    if not finding.related:
        return {}
    places = enumerate(map(_place, finding.related), start=1)
    return {
        "relatedLocations": [
            {
                "id": number,
                "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}},
                "message": {"text": "this is meant as well"},
            }
            for number, (uri, line) in places
        ]
    }


def _place(written: dict[str, str | int]) -> tuple[str, int]:
    """Return a place in a file as a reference to the file, and a line from 1."""
    line = written.get("line")
    return _file_uri(str(written["file"])), line if isinstance(line, int) and line > 0 else 1


def _segment(text: str) -> str:
    """Return a text as one segment of a path; what a reader of URIs would take for "here" or "up" gets a tilde."""
    name = quote(valid(text), safe="")
    return name if name.strip(".") else f"~{name}"


def _file_uri(path: str) -> str:
    """Return the reference to a file (RFC 3986): relative for a relative path, a ``file`` URI for an absolute one."""
    parts = quote(valid(path.replace("\\", "/")), safe="/")
    if re.match(r"[A-Za-z]%3A/", parts):
        return f"file:///{parts.replace('%3A', ':', 1)}"
    return f"file://{parts}" if parts.startswith("/") else parts


def _suppressions(finding: Finding) -> list[dict[str, object]]:
    """Return the waiver. A result without one carries the empty list, or nothing would be known (section 3.27.23)."""
    if finding.waiver is None:
        return []
    waiver = finding.waiver
    return [
        {
            "kind": "external",
            "status": "accepted",
            "justification": waiver.reason,
            "properties": {"owner": waiver.owner, "expires": waiver.expires},
        }
    ]


REPORTER = Reporter(name="sarif", suffixes=(".sarif", ".sarif.json"), write=_write)
