"""What logs show of administration and databases from outside is proposed, and a person must confirm it."""

from pathlib import Path

import pytest

from cloudseg.checks.example_estates import allow
from cloudseg.intent import Allowance
from cloudseg.intent.confirming import to_confirm
from cloudseg.traffic import Traffic
from tests.intent.observed import OPEN, Log, marked, run, shop_builder

OUTSIDE = ("internet", "outside 198.51.100.7")


def confirm(traffic: str, source: str = "outside 198.51.100.7", **more: str) -> tuple[str, ...]:
    allowance = Allowance(sources=(source,), targets=("db",), traffic=Traffic.parse(traffic), **more)
    return to_confirm(allowance, OUTSIDE)


@pytest.mark.parametrize(
    ("traffic", "words"),
    [
        ("tcp/22", "tcp/22 (administration)"),
        ("tcp/3389", "tcp/3389 (administration)"),
        ("tcp/443, tcp/5432", "tcp/5432 (a database)"),
        ("udp/2049", "udp/2049 (files or directories)"),
        ("tcp/3300-3400", "tcp/3389 (administration), tcp/3306 (a database)"),
    ],
)
def test_the_line_says_what_is_open(traffic: str, words: str) -> None:
    assert confirm(traffic) == (
        f"review: open to an outside address: {words}; a person must confirm it, and stand for it as `owner`",
    )


def test_the_internet_is_named() -> None:
    assert confirm("tcp/22", "internet")[0].startswith("review: open to the internet: tcp/22")


@pytest.mark.parametrize(
    "lines",
    [confirm("tcp/443"), confirm("tcp/22", "web"), confirm("tcp/22", owner="platform team")],
    ids=["another port", "from inside", "somebody stands for it"],
)
def test_nothing_else_is_to_be_confirmed(lines: tuple[str, ...]) -> None:
    assert lines == ()


def shell_from_outside() -> Log:
    log = Log()
    log.saw("198.51.100.7", "eni-web1", 22, times=12)
    log.saw("eni-web1", "eni-app", 8080, times=12)
    return log


def test_a_proposed_entry_bears_the_line_until_it_has_an_owner(tmp_path: Path) -> None:
    path = tmp_path / "intent.yaml"
    text = run(path, shell_from_outside())
    (line,) = (line for line in marked(text) if line.startswith("review:"))
    assert line.startswith("review: open to an outside address: tcp/22 (administration); a person must confirm it")
    assert run(path, shell_from_outside()) == text
    path.write_text(text.replace("  traffic: tcp/22\n", "  traffic: tcp/22\n  owner: platform team\n"))
    assert not [line for line in marked(run(path, shell_from_outside())) if line.startswith("review:")]


def test_a_segment_of_inner_addresses_is_not_outside(tmp_path: Path) -> None:
    path = tmp_path / "intent.yaml"
    path.write_text(
        "schema: cloudseg/intent/v1\nsegments:\n  inner:\n    addresses: 10.0.2.0/24\n  web:\n    tags: {tier: web}\n"
        "allow:\n- from: inner\n  to: web\n  traffic: tcp/22\n- from: web\n  to: inner\n  traffic: tcp/5432\n"
    )
    builder = shop_builder()
    builder.group("sg-db", allow("ingress", "tcp/5432", "10.0.0.0/16"), OPEN)
    log = Log()
    log.saw("eni-app", "eni-web1", 22, times=12)
    assert not [line for line in marked(run(path, log, builder.build())) if line.startswith("review:")]
