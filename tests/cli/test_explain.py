"""`cloudseg explain`: one verdict, with the way of the packets, whatever the ends are called."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from syrupy.assertion import SnapshotAssertion

from cloudseg.reporters.schema import explanation_schema
from cloudseg.snapshot import save
from tests.conformance.account import Account, permission
from tests.documents import assert_fits

if TYPE_CHECKING:
    import subprocess

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Part = Callable[[str, object], None]


@pytest.fixture
def tiers(tmp_path: Path) -> Account:
    """Two web interfaces that nothing tells apart, and a database behind them, as the snapshot `tiers`."""
    account = Account()
    everything = permission("-1", None, None, "0.0.0.0/0")
    account.group("sg-web", permission("tcp", 443, 443, "0.0.0.0/0"), egress=[everything], name="web")
    account.group("sg-db", permission("tcp", 5432, 5432, "sg-web"), name="db")
    account.interface("eni-web-1", "sg-web", address="10.0.1.5")
    account.interface("eni-web-2", "sg-web", address="10.0.1.6")
    account.interface("eni-db", "sg-db", subnet="subnet-private", address="10.0.2.5")
    save(account.snapshot(), tmp_path / "tiers")
    return account


def asked(source: str, target: str, traffic: str) -> list[str]:
    return ["explain", "tiers", "--from", source, "--to", target, "--traffic", traffic]


def test_what_is_allowed_and_what_is_blocked_both_succeed(run: Run, tiers: Account) -> None:
    allowed, blocked = run(*asked("web", "10.0.2.5", "tcp/5432")), run(*asked("eni-web-1", "eni-db", "tcp/22"))
    assert (allowed.returncode, blocked.returncode) == (0, 0), allowed.stderr + blocked.stderr
    assert allowed.stdout.startswith("allowed: tcp/5432\n")
    assert "sg-db" in allowed.stdout.partition("Nothing would pass without all the rules of any one of these steps")[2]
    assert blocked.stdout.startswith("blocked: tcp/22\n")
    assert "sg-db" in blocked.stdout.partition("Blocked by")[2]


def test_interfaces_that_nothing_tells_apart_are_explained_once(run: Run, tiers: Account) -> None:
    result = run(*asked("web", "db", "tcp/5432"))
    assert result.stdout.count("allowed: ") == 1
    assert "the same from eni-web-2" in result.stdout


def test_the_demo_in_words(run: Run, snapshot: SnapshotAssertion) -> None:
    result = run(
        "explain", "demo", "--from", "bookshop-prod-jump", "--to", "bookshop-prod-web-1", "--traffic", "tcp/22"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == snapshot


def test_the_document_fits_its_schema(run: Run, tiers: Account) -> None:
    result = run(*asked("web", "db", "tcp/5432"), "--format", "json")
    document = json.loads(result.stdout)
    assert_fits(document, explanation_schema())
    (explained,) = document["explanations"]
    assert [identifier.rsplit(":", 1)[-1] for identifier in explained["from"]] == ["eni-web-1", "eni-web-2"]
    assert explained["explanation"]["verdict"] == "allowed"


def test_a_few_kinds_of_ends_are_explained_one_after_the_other(run: Run, tiers: Account) -> None:
    result = run(*asked("vpc-1", "eni-db", "tcp/5432"))
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("allowed: ") == 1
    result = run(*asked("internet", "vpc-1", "tcp/443"))
    assert result.stdout.count("blocked: ") == 2


def test_too_many_kinds_of_ends_are_listed(run: Run) -> None:
    result = run("explain", "demo", "--from", "tier=web", "--to", "tier=app", "--traffic", "tcp/22")
    assert result.returncode == 2
    assert "--from tier=web stands for 11 kinds of ends that differ; name one of each:" in result.stderr
    assert result.stderr.count("  --from eni-") == 4
    assert result.stdout == ""


def test_ends_on_azure_are_listed_by_their_names(run: Run) -> None:
    result = run("explain", "demo", "--from", "portal-vnet", "--to", "db-1", "--traffic", "tcp/5432")
    assert "  --from web-1   web-1-nic (portal-prod), and 1 more like it" in result.stderr
    assert "/subscriptions/" not in result.stderr


@pytest.mark.parametrize(
    ("source", "target", "traffic"),
    [("internet", "jump", "tcp/3389"), ("dev-2", "db-1", "tcp/5432"), ("web-1", "internet", "tcp/443")],
)
def test_no_explanation_shows_an_arm_id(run: Run, source: str, target: str, traffic: str) -> None:
    result = run("explain", "demo", "--from", source, "--to", target, "--traffic", traffic)
    assert result.returncode == 0, result.stderr
    assert "/subscriptions/" not in result.stdout


def test_gaps_leave_with_3(run: Run, tiers: Account, tmp_path: Path) -> None:
    del tiers.answers["ec2", "describe_route_tables", None]
    save(tiers.snapshot(), tmp_path / "tiers.zip")
    result = run("explain", "tiers.zip", "--from", "web", "--to", "db", "--traffic", "tcp/5432")
    assert result.returncode == 3
    assert "the answer is incomplete" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (asked("wep", "db", "tcp/22"), "--from 'wep' names nothing here: did you mean web"),
        (asked("web", "10.0.9.9", "tcp/port"), "--traffic: 'tcp/port' is no traffic"),
        (asked("eni-db", "eni-db", "tcp/22"), "name two different ends"),
        (asked("internet", "198.51.100.1", "tcp/22"), "name two different ends"),
        (["explain", "tiers", "--from", "web", "--to", "db"], "--traffic"),
        (["explain", "tiers", "--to", "db", "--traffic", "tcp/22"], "--from"),
    ],
)
def test_wrong_input_is_named_and_leaves_with_2(run: Run, tiers: Account, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_without_interfaces_there_is_nothing_to_explain(run: Run, open_ssh: Part) -> None:
    result = run("explain", "estate", "--from", "internet", "--to", "sg-1", "--traffic", "tcp/22")
    assert result.returncode == 2
    assert "there are no interfaces in what was read" in result.stderr


def test_a_managed_service_is_handed_to_the_check_that_judges_it(run: Run) -> None:
    result = run("explain", "demo", "--from", "internet", "--to", "bookshop-dev-webhook", "--traffic", "tcp/443")
    assert result.returncode == 2
    assert "nothing reaches it" not in result.stderr
    assert "`public-endpoint`" in result.stderr
    assert "has a public endpoint, open to the whole internet" in result.stderr
