import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from cloudseg.reach.names import Named
from cloudseg.reporters.reach_json import EndpointInfo, FlowInfo, ReachabilityDocument
from cloudseg.reporters.schema import reachability_schema
from cloudseg.traffic import Traffic
from tests.reporters.conftest import HOSTILE
from tests.reporters.reach_answers import answer, estate_of, flow, qualified, shop, written


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = reachability_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_classes_are_ends_and_their_members_endpoints() -> None:
    document = json.loads(written(shop(), "json"))
    assert document["schema"] == "cloudseg/reachability/v1"
    assert [(e["id"], e["name"], e["addresses"], e["class"]) for e in document["endpoints"]] == [
        (qualified("eni-a"), "web-1", ["10.0.0.1"], "web"),
        (qualified("eni-b"), "web-2", ["10.0.0.2"], "web"),
        (qualified("eni-db"), "orders", ["10.0.0.3"], "db"),
    ]
    inside = [f for f in document["flows"] if "external" not in f["from"]]
    assert inside == [
        {"from": "web", "to": "web", "traffic": ["tcp/22"], "bound": "at-most"},
        {"from": "web", "to": "db", "traffic": ["tcp/5432"], "bound": "exact"},
        {"from": "web", "to": "db", "traffic": ["icmp/8"], "bound": "at-most"},
        {"from": "db", "to": "external:198.51.100.0/24", "traffic": ["udp/53"], "bound": "exact"},
    ]


def test_what_only_the_upper_bound_adds_is_an_entry_of_its_own() -> None:
    asked = answer(
        estate_of({"eni-a": "a", "eni-b": "b"}),
        {"a": ("eni-a",), "b": ("eni-b",)},
        [flow("a", "b", "tcp/1", "tcp/1-2")],
    )
    flows = json.loads(written(asked, "json"))["flows"]
    assert [(f["traffic"], f["bound"]) for f in flows] == [(["tcp/1"], "exact"), (["tcp/2"], "at-most")]


def test_every_run_of_addresses_outside_is_an_end_of_its_own() -> None:
    asked = answer(
        estate_of({"eni-a": "a"}), {"a": ("eni-a",)}, [flow("external:10.0.0.1-10.0.0.6, 10.1.0.0/16", "a", "tcp/1")]
    )
    ends = [f["from"] for f in json.loads(written(asked, "json"))["flows"]]
    assert ends == ["external:10.0.0.1-10.0.0.6", "external:10.1.0.0/16"]


def test_what_was_asked_and_what_was_not_read_is_in_the_document() -> None:
    asked = shop(sources=Named("web", (qualified("eni-a"),)), traffic=Traffic.parse("tcp/5432"), gaps=1)
    document = json.loads(written(asked, "json"))
    assert document["question"] == {"from": "web", "to": None, "traffic": "tcp/5432"}
    assert [source["complete"] for source in document["sources"]] == [False]
    assert [(f["from"], f["to"], f["traffic"]) for f in document["flows"]] == [("web", "db", ["tcp/5432"])]


@pytest.mark.parametrize("gaps", [0, 2])
def test_document_fits_the_schema_and_reads_back(validator: Any, gaps: int) -> None:
    text = written(shop(gaps=gaps), "json")
    validator.validate(json.loads(text))
    document = msgspec.json.decode(text, type=ReachabilityDocument)
    assert document.endpoints[0] == EndpointInfo(
        qualified("eni-a"), "aws", "111122223333", "network-interface", "web-1", "", ("10.0.0.1",), "web"
    )
    assert FlowInfo("web", "db", ("tcp/5432",), "exact") in document.flows


@pytest.mark.parametrize("place", [(), ("question",), ("endpoints", 0), ("flows", 0), ("sources", 0)])
def test_unknown_members_do_not_fit_the_schema(validator: Any, place: tuple[str | int, ...]) -> None:
    document = json.loads(written(shop(), "json"))
    inner: Any = document
    for step in place:
        inner = inner[step]
    inner["surprise"] = 1
    with pytest.raises(ValidationError, match="surprise"):
        validator.validate(document)


def test_every_member_is_described_by_the_name_it_has_in_the_document() -> None:
    definitions = reachability_schema()["$defs"]
    assert set(definitions["FlowInfo"]["properties"]) == {"from", "to", "traffic", "bound"}
    for definition in definitions.values():
        assert all(member.get("description") for member in definition.get("properties", {}).values())


def test_hostile_names_are_kept_and_escaped(validator: Any) -> None:
    names = {f"eni-{number}": name for number, name in enumerate(HOSTILE)}
    text = written(answer(estate_of(names), {"all": list(names)}, []), "json")
    assert not {c for c in text if not c.isprintable()} - {"\n"}
    document = json.loads(text)
    validator.validate(document)
    kept = [name for name in HOSTILE if "\ud800" not in name]
    assert {endpoint["name"] for endpoint in document["endpoints"]} >= set(kept)
    assert document["flows"] == []
