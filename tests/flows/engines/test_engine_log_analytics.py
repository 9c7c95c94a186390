"""Log Analytics by the real SDK against a server on 127.0.0.1. The query is not run: no engine here knows KQL."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from cloudseg.errors import CollectError, CredentialsError, InputError
from cloudseg.flows.columns import SIGHTINGS
from cloudseg.flows.conversations import read_conversations
from cloudseg.flows.engines import Window, explain, run
from cloudseg.flows.engines.kql import kql_query
from cloudseg.flows.summarise import SummaryOptions
from cloudseg.providers.azure.log_analytics import LogAnalytics, LogAnalyticsSettings
from tests.flows.aws_rows import T
from tests.flows.engines.log_analytics_server import LogAnalyticsServer, refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKSPACE = "11111111-2222-3333-4444-555555555555"
DAY = 86_400
WINDOW = Window(T - 2 * DAY, T)
NETWORK = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/virtualnetworks/main"
RULE = "/subscriptions/s/resourcegroups/rg/providers/microsoft.network/networksecuritygroups/web/AllowWeb"


class _Credential:
    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("a-token", 4_102_444_800)


class _NoCredential:
    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        raise ClientAuthenticationError("nobody is logged in")


def row(**told: Any) -> list[Any]:
    usual = {
        "provider": "azure", "scope": "s", "network": NETWORK, "observer": "00224871c205", "status": "ok",
        "place": "server", "client": "10.0.1.4", "server": "10.0.2.4", "near_client": "", "near_server": "",
        "protocol": 6, "port": 443, "client_port": None, "orientation": "state", "verdict": "accepted", "rule": RULE,
        "client_name": "", "server_name": "rg/web-1", "records": 2, "opened": 5, "answered": True, "asked": True,
        "packets": 10, "bytes": 900, "packets_back": 8, "bytes_back": 7_000, "first": T - 900, "last": T - 300,
        "first_back": T - 900, "client_port_low": None, "client_port_high": None,
    }  # fmt: skip
    assert set(told) <= set(usual)
    return list((usual | told).values())


@pytest.fixture
def server() -> Iterator[tuple[LogAnalyticsServer, str]]:
    found = LogAnalyticsServer()
    with found.listening() as address:
        yield found, address


@pytest.fixture
def workspace(server: tuple[LogAnalyticsServer, str]) -> LogAnalyticsServer:
    server[0].rows = lambda _: [row()]
    return server[0]


@pytest.fixture
def engine(server: tuple[LogAnalyticsServer, str]) -> Any:
    def made(window: Window = WINDOW, credential: Any = None) -> LogAnalytics:
        settings = LogAnalyticsSettings(retries=1, patience=0.01)
        return LogAnalytics(WORKSPACE, window, settings, credential=credential or _Credential(), endpoint=server[1])

    return made


def test_sightings_become_conversations(workspace: LogAnalyticsServer, engine: Any, tmp_path: Path) -> None:
    workspace.rows = lambda _: [
        row(),
        row(place="client", observer="00224871c206", client="10.0.2.4", server="203.0.113.9", packets_back=0,
            bytes_back=0, answered=False, first_back=None, verdict="refused", rule="", server_name=""),
        row(status="bad", place="", client="", server="", protocol=None, port=None, orientation="", verdict="", rule="",
            server_name="", answered=False, asked=False, packets=0, bytes=0, packets_back=0, bytes_back=0, opened=0),
    ]  # fmt: skip
    summary = run(engine(), tmp_path / "found.parquet", SummaryOptions())
    accepted, refused_one = sorted(read_conversations(tmp_path / "found.parquet").rows(), key=lambda each: each.verdict)
    assert (accepted.initiator, accepted.responder, accepted.port, accepted.verdict) == (
        "10.0.1.4", "10.0.2.4", 443, "accepted",
    )  # fmt: skip
    assert (accepted.connections, accepted.bytes, accepted.bytes_back, accepted.evidence) == (5, 900, 7_000, "state")
    assert (accepted.responder_interface, accepted.responder_network, accepted.rules) == (
        "00224871c205", NETWORK, (RULE,),
    )  # fmt: skip
    assert accepted.responder_name == "rg/web-1"
    assert (refused_one.responder, refused_one.verdict, refused_one.rules) == ("203.0.113.9", "refused", ())
    assert (summary.coverage.records, summary.coverage.bad) == (4, 2)
    assert summary.coverage.notes[0].startswith("Azure traffic analytics sums flow logs up")
    (of,) = summary.coverage.formats
    assert of.name == "azure-nta"


def test_what_is_sent(workspace: LogAnalyticsServer, engine: Any, tmp_path: Path) -> None:
    run(engine(), tmp_path / "found.parquet", SummaryOptions())
    (asked,) = workspace.asked
    assert asked.path == f"/v1/workspaces/{WORKSPACE}/query"
    assert asked.prefer == "wait=600"
    assert asked.token == "Bearer a-token"
    # A day more on either side, for rows that came in late.
    assert asked.hours == 4 * 24


def test_a_long_window_is_asked_in_spans_that_neither_overlap_nor_leave_gaps(
    workspace: LogAnalyticsServer, engine: Any, tmp_path: Path
) -> None:
    run(engine(Window(T - 30 * DAY, T)), tmp_path / "found.parquet", SummaryOptions())
    bounds = [re.findall(r"TimeGenerated (?:>=|<) datetime\((\S+?)\)", each.query) for each in workspace.asked]
    assert len(bounds) == 5
    assert all(before[1] == after[0] for before, after in pairwise(bounds))
    (found,) = read_conversations(tmp_path / "found.parquet").rows()
    assert found.connections == 25


def test_an_answer_that_is_too_large_is_asked_for_in_halves(
    workspace: LogAnalyticsServer, engine: Any, tmp_path: Path
) -> None:
    workspace.cut = lambda asked: asked.hours > 24
    summary = run(engine(), tmp_path / "found.parquet", SummaryOptions())
    assert [each.hours for each in workspace.asked] == [96, 48, 24, 24, 48, 24, 24]
    (found,) = read_conversations(tmp_path / "found.parquet").rows()
    assert found.connections == 4 * 5
    assert summary.coverage.is_whole


def test_a_query_that_takes_too_long_is_asked_in_halves(
    workspace: LogAnalyticsServer, engine: Any, tmp_path: Path
) -> None:
    workspace.trouble = lambda asked, _: refused(504, "GatewayTimeout") if asked.hours > 48 else None
    run(engine(), tmp_path / "found.parquet", SummaryOptions())
    assert [each.hours for each in workspace.asked][-2:] == [48, 48]


def test_what_stays_too_large_is_a_loss_that_is_told(
    workspace: LogAnalyticsServer, engine: Any, tmp_path: Path
) -> None:
    workspace.cut = lambda _: True
    summary = run(engine(Window(T - 600, T)), tmp_path / "found.parquet", SummaryOptions())
    assert not summary.coverage.is_whole
    assert "the answer is not whole: PartialError: The results exceeded" in summary.coverage.losses[0].reason
    assert summary.coverage.losses[0].partly


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (refused(401, "InvalidTokenError"), CredentialsError, "az login"),
        (refused(403, "InsufficientAccessError", "insufficient access"), CollectError, "Log Analytics Data Reader"),
        (refused(404, "WorkspaceNotFoundError", "The workspace could not be found"), CollectError, "does not exist"),
        (refused(429, "ThrottledError", "Too many"), CollectError, "ask later"),
        (refused(400, "BadArgumentError", "The request had some invalid properties", "A semantic error occurred.",
            "'where' operator: Failed to resolve table or column expression named 'NTANetAnalytics'"),
            InputError, "turn on traffic analytics"),
        (refused(400, "BadArgumentError", "The request had some invalid properties"), CollectError, "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(
    workspace: LogAnalyticsServer, engine: Any, tmp_path: Path, reply: Any, error: type[Exception], said: str
) -> None:
    workspace.trouble = lambda _asked, _before: reply
    with pytest.raises(error, match=said):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())
    assert not (tmp_path / "found.parquet").exists()


def test_a_request_that_is_throttled_is_sent_again_when_azure_says(
    workspace: LogAnalyticsServer, engine: Any, tmp_path: Path
) -> None:
    slow = refused(429, "ThrottledError", "Too many", **{"Retry-After": "0"})
    workspace.trouble = lambda _, before: slow if before == 0 else None
    run(engine(), tmp_path / "found.parquet", SummaryOptions())
    assert len(workspace.asked) == 2


def test_without_a_login_nothing_is_asked(workspace: LogAnalyticsServer, engine: Any, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="az login"):
        run(engine(credential=_NoCredential()), tmp_path / "found.parquet", SummaryOptions())
    assert workspace.asked == []


def test_an_answer_with_other_columns_is_refused(workspace: LogAnalyticsServer, engine: Any, tmp_path: Path) -> None:
    workspace.columns = workspace.columns[::-1]
    with pytest.raises(CollectError, match="other columns"):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())


def test_an_interrupt_leaves_nothing_behind(workspace: LogAnalyticsServer, engine: Any, tmp_path: Path) -> None:
    def interrupted(_read: int, _total: int | None, _rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(engine(), tmp_path / "found.parquet", SummaryOptions(), interrupted)
    assert not (tmp_path / "found.parquet").exists()


def test_no_rows_at_all_are_an_error_and_not_an_empty_file(
    workspace: LogAnalyticsServer, engine: Any, tmp_path: Path
) -> None:
    workspace.rows = lambda _: []
    with pytest.raises(InputError, match="no records of the time asked for"):
        run(engine(), tmp_path / "found.parquet", SummaryOptions())


def test_explain_shows_the_query_and_asks_nothing(workspace: LogAnalyticsServer, engine: Any) -> None:
    shown = explain(engine())
    assert shown.startswith(f"// Azure traffic analytics in workspace {WORKSPACE}\n// Log Analytics does not tell")
    assert "\nNTANetAnalytics\n| where TimeGenerated >= datetime(" in shown
    assert workspace.asked == []


def test_the_query_brings_the_columns_of_sightings_in_order() -> None:
    last = kql_query(WINDOW, *WINDOW).splitlines()[-1]
    assert re.findall(r"\['(\w+)'\] =", last) == [column.name for column in SIGHTINGS]


def test_every_bracket_of_the_query_is_closed_and_every_step_begins_with_a_verb() -> None:
    text = kql_query(WINDOW, *WINDOW)
    assert (text.count("("), text.count("["), text.count('"') % 2) == (text.count(")"), text.count("]"), 0)
    verbs = {step.split()[0] for step in text.split("\n| ")[1:]}
    assert verbs == {"where", "extend", "mv-expand", "summarize", "project"}


@pytest.mark.parametrize("workspace_id", ["", "my-workspace", "11111111-2222-3333-4444-55555555555", f"{WORKSPACE}\n"])
def test_an_id_that_is_none_is_refused(workspace_id: str) -> None:
    with pytest.raises(InputError, match="no id of a workspace"):
        LogAnalytics(workspace_id, WINDOW)
