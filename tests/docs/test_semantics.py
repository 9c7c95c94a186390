"""Every statement that the verdicts rest on has a test, and every number that a test names is a statement."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.conformance.aws import CASES

ROOT = Path(__file__).resolve().parents[2]
STATEMENT = re.compile(r"^- \*\*(\d+)\*\* \*(judged|partly|not yet)\* (.+)$", re.MULTILINE)
DOC = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")


def statements() -> dict[int, str]:
    return {int(number): status for number, status, _ in STATEMENT.findall(DOC)}


def _numbers(tree: ast.AST) -> set[int]:
    """The numbers of every ``semantics(...)`` marker in a file: decorators, ``pytestmark`` and parametrize marks."""
    return {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "semantics"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
    }


@cache
def numbers_in_tests() -> frozenset[int]:
    found = {case.number for case in CASES}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        found |= _numbers(ast.parse(text, str(path))) if "semantics(" in text else set()
    return frozenset(found)


def test_every_judged_statement_has_a_test() -> None:
    judged = {number for number, status in statements().items() if status != "not yet"}
    assert not sorted(judged - numbers_in_tests())


def test_every_number_that_a_test_names_is_a_statement() -> None:
    assert not sorted(numbers_in_tests() - statements().keys())


def test_no_number_stands_twice() -> None:
    numbers = [number for number, *_ in STATEMENT.findall(DOC)]
    assert len(numbers) == len(set(numbers))


def test_the_statements_about_aws_are_all_there() -> None:
    assert {*range(1, 49), *range(122, 130), *range(201, 217)} <= statements().keys()


def test_the_statements_about_clusters_are_all_there() -> None:
    assert {*range(88, 115), *range(138, 141), *range(260, 266)} <= statements().keys()


def test_the_footnotes_speak_of_statements() -> None:
    notes = DOC.partition("## Where the vendor's pages")[2]
    named = {int(n) for line in re.findall(r"^- \*\*([\d, ]+)\*\*", notes, re.MULTILINE) for n in line.split(",")}
    assert named
    assert named <= statements().keys()
