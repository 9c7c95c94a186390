import re

import pytest
from syrupy.assertion import SnapshotAssertion

from cloudseg.reporters.reach_answer import ReachAnswer
from tests.reporters.conftest import HOSTILE
from tests.reporters.reach_answers import answer, estate_of, flow, shop, written

DOT_LINE = re.compile(
    r'digraph reach \{|\}|  (rankdir|labelloc)=\w+;|  label="(\\.|[^"\\])*";|  (node|edge) \[[^\]]*\];'
    r'|  n\d+ \[label="(\\.|[^"\\])*"\];|  n\d+ -> n\d+ \[label="(\\.|[^"\\])*"(, style=dashed)?\];'
)
SAFE = r'[^"<>`\[\]{}|\\()]*'
MERMAID_LINE = re.compile(rf'flowchart LR|  (note|n)\d+\["{SAFE}(<br/>{SAFE})*"\]|  n\d+ (-->|-\.->)\|"{SAFE}"\| n\d+')


def crowd(count: int) -> ReachAnswer:
    """Each reaches the next one, so that nobody is like another."""
    names = {f"eni-{number}": f"host-{number}" for number in range(count)}
    flows = [flow(f"k{number}", f"k{number + 1}", "tcp/1") for number in range(count - 1)]
    return answer(estate_of(names), {f"k{number}": (f"eni-{number}",) for number in range(count)}, flows)


@pytest.mark.parametrize("name", ["dot", "mermaid"])
def test_layout(name: str, snapshot: SnapshotAssertion) -> None:
    assert written(shop(gaps=1), name) == snapshot


def test_interfaces_of_equal_reach_are_one_node() -> None:
    names = {"eni-a": "a", "eni-b": "b", "eni-c": "c", "eni-db": "db"}
    classes = {"ka": ("eni-a",), "kb": ("eni-b",), "kc": ("eni-c",), "kd": ("eni-db",)}
    flows = [flow("ka", "kd", "tcp/5432"), flow("kb", "kd", "tcp/5432"), flow("kc", "kd", "tcp/22")]
    text = written(answer(estate_of(names), classes, flows), "dot")
    assert re.findall(r'label="(.*?)"\];', text) == ["a\\nb", "db", "c", "tcp/5432", "tcp/22"]


def test_interfaces_that_reach_each_other_alone_are_not_one_node() -> None:
    flows = [flow("ka", "kb", "tcp/1")]
    text = written(answer(estate_of({"eni-a": "a", "eni-b": "b"}), {"ka": ("eni-a",), "kb": ("eni-b",)}, flows), "dot")
    assert "n0 -> n1" in text


def test_a_node_of_many_interfaces_names_the_first_and_counts_the_rest() -> None:
    names = {f"eni-{number}": f"host-{number}" for number in range(10)}
    text = written(answer(estate_of(names), {"all": list(names)}, [flow("all", "all", "tcp/1")]), "dot")
    assert 'n0 [label="host-0\\nhost-1\\nhost-2\\nand 7 more"];' in text
    assert "n0 -> n0" in text


def test_what_may_pass_is_dashed() -> None:
    assert re.search(r'label="icmp/8", style=dashed', written(shop(), "dot"))
    assert re.search(r'-\.->\|"icmp/8"\|', written(shop(), "mermaid"))


@pytest.mark.parametrize(("name", "most"), [("dot", 2000), ("mermaid", 250)])
def test_a_picture_of_too_many_edges_says_what_it_leaves_out(name: str, most: int) -> None:
    text = written(crowd(most + 11), name)
    assert len(re.findall(r"->", text)) == most
    assert f"{most:,} of {most + 10:,} edges are shown".replace(",", "") in text.replace("#44;", "").replace(",", "")


def test_mermaid_stays_under_what_it_draws() -> None:
    names = {f"eni-{number}": "x" * 200 + str(number) for number in range(400)}
    flows = [flow("k0", f"k{number}", f"tcp/{number}") for number in range(1, 400)]
    text = written(answer(estate_of(names), {f"k{n}": (f"eni-{n}",) for n in range(400)}, flows), "mermaid")
    assert len(text) < 50_000


@pytest.mark.parametrize("name", ["dot", "mermaid"])
def test_nothing_passing_and_gaps_are_said_in_the_picture(name: str) -> None:
    text = written(answer(estate_of({"eni-a": "a"}), {"a": ("eni-a",)}, [], gaps=1), name)
    assert "nothing passes between these ends" in text
    assert "the answer is incomplete" in text


@pytest.mark.parametrize(("name", "line"), [("dot", DOT_LINE), ("mermaid", MERMAID_LINE)])
def test_hostile_names_stay_within_their_quotes(name: str, line: re.Pattern[str]) -> None:
    names = {f"eni-{number}": text for number, text in enumerate(HOSTILE)}
    classes = {f"k{number}": (f"eni-{number}",) for number in range(len(HOSTILE))}
    flows = [flow(f"k{number}", "k0", f"tcp/{number}") for number in range(1, len(HOSTILE))]
    text = written(answer(estate_of(names), classes, flows), name)
    assert [each for each in text.splitlines() if not line.fullmatch(each)] == []
