"""The published schema of the intent file takes what is right, and knows the keys that the reader knows."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from cloudseg.demo import demo_intent_path
from cloudseg.errors import ConfigError
from cloudseg.intent_file import CHOICE_KEYS, SCHEMA, read_intent
from cloudseg.intent_schema import intent_schema


def valid(document: dict[str, Any]) -> bool:
    validator: Any = Draft202012Validator(intent_schema())
    try:
        validator.validate(document)
    except ValidationError:
        return False
    return True


def test_the_schema_is_one_and_takes_the_intent_of_the_demo() -> None:
    Draft202012Validator.check_schema(intent_schema())
    assert valid(yaml.load(demo_intent_path().read_text(encoding="utf-8"), Loader=yaml.CBaseLoader))


def test_the_published_file_is_the_schema() -> None:
    published = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "intent.schema.json"
    assert yaml.safe_load(published.read_text(encoding="utf-8")) == intent_schema()


SEGMENTS: dict[str, Any] = {"web": {"groups": "web", "scopes": 111122223333}}
ENTRY: dict[str, Any] = {"from": "web", "to": ["web", "internet"], "traffic": ["tcp/443"]}


WRONG: tuple[dict[str, Any], ...] = (
    {"segments": SEGMENTS},
    {"schema": "cloudseg/intent/v2", "segments": SEGMENTS},
    {"schema": SCHEMA},
    {"schema": SCHEMA, "segments": SEGMENTS, "default": "allow"},
    {"schema": SCHEMA, "segments": SEGMENTS, "allows": []},
    {"schema": SCHEMA, "segments": {"web": {"accounts": "1"}}},
    {"schema": SCHEMA, "segments": {"web": {"names": []}}},
    {"schema": SCHEMA, "segments": {"web": {"any": [{"any": []}]}}},
    {"schema": SCHEMA, "segments": SEGMENTS, "allow": [{"from": "web", "to": "web"}]},
    {"schema": SCHEMA, "segments": SEGMENTS, "allow": [ENTRY | {"port": 1}]},
)


@pytest.mark.parametrize("document", WRONG)
def test_what_the_schema_refuses_the_reader_refuses_too(tmp_path: Path, document: dict[str, Any]) -> None:
    assert not valid(document)
    path = tmp_path / "intent.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(ConfigError):
        read_intent(path)


@pytest.mark.parametrize("key", CHOICE_KEYS)
def test_every_key_that_chooses_is_in_the_schema(tmp_path: Path, key: str) -> None:
    value: Any = {"a": "b"} if key in {"tags", "labels"} else "10.0.0.1"
    document = {"schema": SCHEMA, "segments": {"web": {key: value}}, "allow": [ENTRY]}
    assert valid(document)
    path = tmp_path / "intent.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert [segment.name for segment in read_intent(path).segments] == ["web"]
