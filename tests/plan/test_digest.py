"""The digest of a document, and the fingerprint of what it was made from."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudseg.plan.digest import canonical, digest_of, short_hash, verified
from cloudseg.plan.fingerprint import fingerprint
from cloudseg.snapshot import Part, Snapshot, load, save

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def test_the_digest_is_that_of_sorted_utf8_without_spaces() -> None:
    document = {"schema": "s", "b": [1, {"z": "ü", "a": None}], "digest": "old"}

    expected = hashlib.sha256('{"b":[1,{"a":null,"z":"ü"}],"schema":"s"}'.encode()).hexdigest()
    assert digest_of(document) == expected


def test_the_digest_itself_is_left_out() -> None:
    assert digest_of({"a": 1}) == digest_of({"a": 1, "digest": "whatever"})


@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",)), max_size=4), _JSON, max_size=3))
def test_what_json_does_to_a_document_leaves_its_digest(document: dict[str, object]) -> None:
    again: dict[str, object] = json.loads(json.dumps(document, indent=2))

    assert digest_of(again) == digest_of(document)


def test_a_changed_document_does_not_bear_its_digest() -> None:
    document: dict[str, object] = {"edits": [1]}
    document["digest"] = digest_of(document)

    assert verified(document)
    assert not verified({**document, "edits": [2]})
    assert not verified({"edits": [1]})


def test_a_number_that_json_does_not_know_has_no_digest() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(float("nan"))


def test_ids_are_the_head_of_the_digest_of_what_they_say() -> None:
    assert short_hash(["a"]) == hashlib.sha256(b'["a"]').hexdigest()[:12]


PARTS: dict[Part, object] = {
    Part("aws", "1", "eu-west-1", "ec2", "describe_vpcs"): {"Vpcs": [{"VpcId": "vpc-1", "Tags": []}]},
    Part("aws", "1", "eu-west-1", "ec2", "describe_subnets"): {"Subnets": []},
}


def test_the_order_of_files_and_keys_does_not_change_the_fingerprint() -> None:
    other = {part: PARTS[part] for part in reversed(list(PARTS))}
    first = next(iter(PARTS))
    other[first] = {"Vpcs": [{"Tags": [], "VpcId": "vpc-1"}]}

    assert fingerprint(Snapshot.of(PARTS)) == fingerprint(Snapshot.of(other))


@pytest.mark.parametrize("place", ["folder", "file.zip"])
def test_a_snapshot_that_was_saved_has_the_fingerprint_of_the_answers(tmp_path: Path, place: str) -> None:
    save(Snapshot.of(PARTS), tmp_path / place)

    assert fingerprint(load(tmp_path / place)) == fingerprint(Snapshot.of(PARTS))


OTHERS: tuple[tuple[str, object], ...] = (("1", {"Subnets": ["one"]}), ("2", {"Subnets": []}))


@pytest.mark.parametrize(("scope", "answer"), OTHERS)
def test_another_answer_or_another_place_is_another_fingerprint(scope: str, answer: object) -> None:
    changed = {Part("aws", scope, "eu-west-1", "ec2", "describe_subnets"): answer}

    assert fingerprint(Snapshot.of({**PARTS, **changed})) != fingerprint(Snapshot.of(PARTS))


def test_what_stands_at_the_border_of_two_answers_counts_to_one_of_them() -> None:
    one = {Part("aws", "1", "r", "s", "a"): "x", Part("aws", "1", "r", "s", "b"): "y"}
    other = {Part("aws", "1", "r", "s", "a"): "y", Part("aws", "1", "r", "s", "b"): "x"}

    assert fingerprint(Snapshot.of(one)) != fingerprint(Snapshot.of(other))
