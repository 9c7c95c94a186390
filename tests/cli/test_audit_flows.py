"""`cloudseg audit --flows`: observed conversations beside the estate, in every report that people or programs read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from cloudseg.reporters.schema import findings_schema

if TYPE_CHECKING:
    from subprocess import CompletedProcess

Run = Callable[..., "CompletedProcess[str]"]


def document(result: "CompletedProcess[str]") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_observed_conversations_stand_in_the_document(run: Run, conversations: str) -> None:
    found = document(run("audit", "demo", "-f", "json", "--flows", conversations))
    jsonschema.validate(found, findings_schema())
    observed = found["observed"]
    assert observed["accepted"] > observed["refused"] > 0
    assert [cell["cell"] for cell in observed["intent"]] == ["permitted", "escaped", "refused", "refused but intended"]
    assert all(refusal["reason"] for refusal in observed["refusals"])
    assert {status["id"]: status["status"] for status in found["checks"]}["unused-rule"] in {"evaluated", "partly"}
    assert "unused-rule" in {finding["check"] for finding in found["findings"]} | {
        also["check"] for finding in found["findings"] for also in finding["also"]
    }


def test_without_conversations_the_document_is_as_it_was(run: Run) -> None:
    found = document(run("audit", "demo", "-f", "json", "--check", "unused-rule"))
    jsonschema.validate(found, findings_schema())
    assert "observed" not in found
    (status,) = found["checks"]
    assert (status["status"], "--flows" in status["reason"]) == ("not evaluated", True)


def test_the_table_and_markdown_tell_what_was_observed(run: Run, conversations: str) -> None:
    table = run("audit", "demo", "--flows", conversations, "--check", "unused-rule").stdout
    markdown = run("audit", "demo", "--flows", conversations, "--check", "unused-rule", "-f", "markdown").stdout
    for text in ("observed: ", "observed and intended: ", "refused, "):
        assert text in table
        assert text in markdown


def test_the_file_can_stand_in_the_configuration(run: Run, conversations: str, tmp_path: Path) -> None:
    (tmp_path / "cloudseg.toml").write_text(f'flows = "{conversations}"\n')
    assert "observed" in document(run("audit", "demo", "-f", "json", "--check", "unused-rule"))


def test_demo_stands_for_the_bundled_logs(run: Run, conversations: str, tmp_path: Path) -> None:
    told = document(run("audit", "demo", "-f", "json", "--flows", "demo"))
    assert told["observed"] == document(run("audit", "demo", "-f", "json", "--flows", conversations))["observed"]
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "cloudseg.toml").write_text('flows = "demo"\n')
    words = ("audit", "demo", "-f", "json", "--check", "unused-rule", "--config", "settings/cloudseg.toml")
    assert "observed" in document(run(*words))


def test_a_file_called_demo_goes_before_the_bundled_logs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "demo").write_bytes(b"nothing")
    result = run("audit", "./demo-of-mine", "--flows", "demo")
    assert result.returncode == 2
    assert "demo: no file of conversations" in result.stderr


@pytest.mark.parametrize(
    ("content", "words"), [(None, "there is no such file"), (b"src,dst\n", "no file of conversations")]
)
def test_what_is_no_file_of_conversations_is_refused(
    run: Run, tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "wrong.parquet").write_bytes(content)
    result = run("audit", "demo", "--flows", "wrong.parquet")
    assert result.returncode == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1


def test_conversations_beside_another_estate_are_counted_and_do_no_harm(
    run: Run, conversations: str, tmp_path: Path
) -> None:
    (tmp_path / "web.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n")
    found = document(run("audit", "web.yaml", "-f", "json", "--flows", conversations, "--fail-on", "none"))
    assert found["observed"]["ends"].get("interface", 0) == 0
