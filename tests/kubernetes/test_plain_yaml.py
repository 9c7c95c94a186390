"""What is read line by line is what a whole parser reads, to the line; everything else is left to that parser."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudseg.providers.kubernetes.documents import Broken, Document, read_documents
from cloudseg.providers.kubernetes.plain_yaml import read_plain
from cloudseg.providers.kubernetes.yaml_values import YamlValueError, read_yaml

KEYS = ["a", "b", "items", "y", "null", "8080", "x.y/z", "true", "<<", "?", '"q"', "-", "a:", "0x10"]
WORDS = [
    "", "x", "1", "0.5", "010", "yes", "~", "a b", "a: b", "a:b", "a:", "12:30", "1_0", "2027-01-31", "0 3 * * *",
    '"q"', '"a # b"', "'s'", '""', '"\\n"', "'it''s'", '"x" y', "{}", "[]", "[a]", "{a: b}", "|", ">", "&x", "*x",
    "!!str x", "# c", "x # c", "x#c", "-", "- x", "-1", "...", "@", "%", "é", "a\tb", "?", ":", "a :b", "x - y",
]  # fmt: skip
ODD = ["", "# c", "   # c", "---", "...", "\t", "%YAML 1.1", "--- x", "  "]

entries = st.tuples(
    st.sampled_from([0, 0, 0, 2, 2, 2, 4, 4, 6, 1, 3]).map(lambda indent: " " * indent),
    st.sampled_from(["", "", "", "- ", "- ", "-  ", "-", "- - "]),
    st.sampled_from(["", *(f"{key}:" for key in KEYS), *(f"{key}: " for key in KEYS)]),
    st.sampled_from(WORDS),
).map("".join)
texts = st.lists(st.one_of(entries, entries, entries, st.sampled_from(ODD)), min_size=1, max_size=8).map("\n".join)


def plain_entries(depth: int) -> st.SearchStrategy[str]:
    """Entries as tools write them, so that many texts are read line by line."""
    return st.tuples(
        st.integers(0, depth).map(lambda step: "  " * step),
        st.sampled_from(["", "", "- "]),
        st.sampled_from(["a: x", "b: 1", "c:", "d: {}", "items:", "e: 'two words'", "f: yes", "g", "h:", "i: a:b"]),
    ).map("".join)


def assert_read_alike(text: str) -> None:
    """Nothing is said of a text line by line, or just what the whole parser says."""
    plain = read_plain(text)
    if plain is not None:
        whole = read_yaml(text)
        assert (plain.value, plain.line, plain.item_lines) == (whole.value, whole.line, whole.item_lines)
        # Numbers, truths and texts that are equal are the same kind of value.
        assert repr(plain.value) == repr(whole.value)
        assert whole.repeated == ()


@given(texts)
@example("a:\n- x\n- y: 1\n  z: 2\nb: c\n")
@example("items:\n- a: x\n  b:\n  - c\n- d: y\n")
def test_any_text_is_read_alike_or_not_at_all(text: str) -> None:
    try:
        assert_read_alike(text)
    except YamlValueError as error:
        pytest.fail(f"the whole parser refuses it: {error}")


@given(st.lists(plain_entries(3), min_size=1, max_size=10).map("\n".join))
def test_texts_of_plain_lines_are_read_alike_or_not_at_all(text: str) -> None:
    try:
        assert_read_alike(text)
    except YamlValueError as error:
        pytest.fail(f"the whole parser refuses it: {error}")


DEPLOYMENT = """\
---
# As a tool writes it.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app.kubernetes.io/name: web
    tier: ""
spec:
  replicas: 2
  template:
    spec:
      hostNetwork: no
      nodeSelector: {}
      containers:
      - name: main
        image: registry.example/web:1.0.0
        args:
        - --port=80
        - 'two words'
        ports:
        - containerPort: 8080
          name: main
        - containerPort: 0x1f
      volumes:
"""


def test_what_a_tool_writes_is_read_line_by_line() -> None:
    text = DEPLOYMENT.replace("        - --port=80\n", "")
    found = read_plain(text)
    assert found is not None
    assert found.line == 3
    spec: Any = found.value["spec"]
    assert spec["template"]["spec"] == {
        "hostNetwork": False,
        "nodeSelector": {},
        "containers": [
            {
                "name": "main",
                "image": "registry.example/web:1.0.0",
                "args": ["two words"],
                "ports": [{"containerPort": 8080, "name": "main"}, {"containerPort": 31}],
            }
        ],
        "volumes": None,
    }


@pytest.mark.parametrize(
    "line",
    [
        "      - --port=80",
        "  name: &anchor web",
        "  name: *anchor",
        "  name: !!str 1",
        '  name: "a\\tb"',
        "  note: |",
        "  note: two words: no",
        "  list: [a, b]",
        "  ? name",
        "  naïve: yes",
        "\tname: web",
    ],
)
def test_what_is_not_plain_is_left_to_the_whole_parser(line: str) -> None:
    assert read_plain(f"kind: Pod\nmetadata:\n  namespace: shop\n{line}\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "a: x\n  more of it\n",
        "a: x\n  b: y\n",
        "- a\n- b\n",
        "a:\n    b: x\n  c: y\n",
        "a: x\na: y\n",
        "a:\n- x\n - y\n",
        "a: x\n...\n",
        "",
        "# nothing\n",
    ],
)
def test_what_plain_lines_do_not_tell_by_themselves_is_left_to_the_whole_parser(text: str) -> None:
    assert read_plain(text) is None


def test_lines_are_counted_over_documents_of_both_kinds() -> None:
    text = "# first\na: x\n---\nb: [y]\n---\n\nitems:\n- c: z\n- d: z\n"
    found = list(read_documents(text))
    assert not any(isinstance(each, Broken) for each in found)
    assert [(each.line, each.item_lines) for each in found if isinstance(each, Document)] == [
        (2, ()),
        (4, ()),
        (7, (8, 9)),
    ]


def test_two_documents_share_nothing() -> None:
    first, second = (each for each in read_documents("a: {}\nb: []\n---\na: {}\nb: []\n") if isinstance(each, Document))
    assert first.value == second.value
    values: list[Any] = [first.value, second.value]
    values[0]["a"]["x"] = 1
    values[0]["b"].append(1)
    assert values[1] == {"a": {}, "b": []}
