"""A waiver names what it accepts, who answers for it and until when; everything else is refused."""

from pathlib import Path

import msgspec
import pytest

from cloudseg.errors import ConfigError
from cloudseg.waivers import Waiver
from cloudseg.waivers_file import load_waivers

REST = "  owner: shop team\n  reason: migration\n  expires: 2027-01-31\n"
CHECK = "- check: internet-exposed-port\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_waivers(written(tmp_path, text))
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_entries_choose_by_finding_or_by_check_with_resource_rule_or_tags(tmp_path: Path) -> None:
    text = (
        "- finding: 0123456789abcdef0123\n"
        + REST
        + f"{CHECK}  resource: sg-*\n  rule: tcp/22 from 10.0.0.0/8\n{REST}"
        + f"{CHECK}  tags: {{environment: dev, shared: yes}}\n{REST}"
    )

    def waiver(entry: int, **choice: str) -> Waiver:
        place = f"waivers.yaml, entry {entry}"
        return Waiver(place=place, owner="shop team", reason="migration", expires="2027-01-31", **choice)  # pyright: ignore[reportArgumentType]

    by_tags = waiver(3, check="internet-exposed-port")
    assert load_waivers(written(tmp_path, text)) == (
        waiver(1, finding="0123456789abcdef0123"),
        waiver(2, check="internet-exposed-port", resource="sg-*", rule="tcp/22 from 10.0.0.0/8"),
        msgspec.structs.replace(by_tags, tags={"environment": "dev", "shared": "yes"}),
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]\n", "null\n"])
def test_an_empty_file_holds_no_waiver(tmp_path: Path, text: str) -> None:
    assert load_waivers(written(tmp_path, text)) == ()


@pytest.mark.parametrize("finding", ["01234567890123456789", "12345678901234567e10", "00000000000000000000"])
def test_a_finding_id_that_looks_like_a_number_is_taken_as_it_is_written(tmp_path: Path, finding: str) -> None:
    (waiver,) = load_waivers(written(tmp_path, f"- finding: {finding}\n{REST}"))
    assert waiver.finding == finding


@pytest.mark.parametrize(("written_as", "day"), [("2027-01-31", "2027-01-31"), ("'2027-01-31'", "2027-01-31")])
def test_an_expiry_may_be_a_date_or_a_text(tmp_path: Path, written_as: str, day: str) -> None:
    (waiver,) = load_waivers(written(tmp_path, f"{CHECK}  resource: a\n{REST.replace('2027-01-31', written_as)}"))
    assert waiver.expires == day


@pytest.mark.parametrize("key", ["owner", "reason", "expires"])
@pytest.mark.parametrize("how", ["left out", "empty", "null"])
def test_a_waiver_without_owner_reason_or_expiry_is_refused_with_a_sample(tmp_path: Path, key: str, how: str) -> None:
    lines = [line for line in REST.splitlines(keepends=True) if not line.strip().startswith(key)]
    lines += {"left out": [], "empty": [f"  {key}: ''\n"], "null": [f"  {key}:\n"]}[how]
    message = refusal(tmp_path, f"{CHECK}  resource: a\n{REST}{CHECK}  resource: b\n{''.join(lines)}")
    assert message.startswith(f"waivers.yaml, entry 2, line 6: {key} missing; an entry looks like this:")
    assert "expires: 2027-01-31" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{CHECK}{REST}", "entry 1, line 1: a whole check cannot be waived; name a resource, a rule or tags"),
        (f"{CHECK}  tags: {{}}\n{REST}", "a whole check cannot be waived"),
        (f"- resource: sg-1\n{REST}", "nothing is chosen"),
        (f"{CHECK}  resource: a\n  resorce: b\n{REST}", "line 3: unknown key 'resorce'; did you mean resource?"),
        (f"{CHECK}  resource: a\n  resource: b\n{REST}", "line 3: 'resource' stands there twice"),
        (f"{CHECK}  tags: {{a: 1, a: 2}}\n{REST}", "line 2: 'a' stands there twice"),
        (f"{CHECK}  tags: {{a: [1]}}\n{REST}", "the tag 'a' must have one text as its value"),
        (f"{CHECK}  tags: dev\n{REST}", "tags must be keys with values"),
        (f"{CHECK}  resource: [a, b]\n{REST}", "line 2: resource must be one text"),
        (f"- check: internet-exposed\n  resource: a\n{REST}", "did you mean internet-exposed-port?"),
        (f"- finding: sg-1\n{REST}", "'sg-1' is no id of a finding"),
        (f"- finding: 0123456789abcdef0123\n  resource: a\n{REST}", "leave out resource"),
        (f"{CHECK}  resource: a\n{REST.replace('2027-01-31', 'soon')}", "line 5: expires is 'soon', which is no day"),
        (f"{CHECK}  resource: a\n{REST.replace('2027-01-31', '2027-02-30')}", "'2027-02-30', which is no day"),
        ("waivers: []\n", "line 1: the file is no list of waivers"),
        ("- sg-1\n", "entry 1, line 1: the entry must be keys with values"),
        ("- [a: b\n", "waivers.yaml is no YAML file"),
        ("- a\n---\n- b\n", "waivers.yaml is no YAML file"),
        ("[" * 100_000, "waivers.yaml nests too deeply"),
    ],
)
def test_what_is_wrong_is_named_with_its_entry_and_line(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(tmp_path, text)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.yaml.*--waivers"):
        load_waivers(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.yaml is no YAML file"):
        load_waivers(tmp_path / "binary.yaml")


@pytest.mark.parametrize("pattern", ["*", "**", "?*", "??"])
def test_a_pattern_that_any_resource_fits_waives_no_whole_check(tmp_path: Path, pattern: str) -> None:
    message = refusal(tmp_path, f"{CHECK}  resource: '{pattern}'\n{REST}")
    assert f"a whole check cannot be waived, and '{pattern}' stands for every resource" in message
    narrowed = written(tmp_path, f"{CHECK}  resource: '{pattern}'\n  tags: {{environment: dev}}\n{REST}")
    assert load_waivers(narrowed)[0].resource == pattern


def test_the_mistakes_of_every_entry_are_told_at_once(tmp_path: Path) -> None:
    text = (
        f"{CHECK}  resource: sg-1\n  owener: shop team\n{REST}"
        f"{CHECK}{REST}"
        f"{CHECK}  resource: sg-2\n{REST}"
        f"{CHECK}  resource: sg-3\n{REST.replace('2027-01-31', 'soon')}"
    )
    lines = [line for line in refusal(tmp_path, text).split("\n") if line.startswith("waivers.yaml")]
    assert [line.partition(": ")[2].partition(";")[0] for line in lines] == [
        "unknown key 'owener'",
        "a whole check cannot be waived",
        "expires is 'soon', which is no day",
    ]
    assert [line.split(", ")[1] for line in lines] == ["entry 1", "entry 2", "entry 4"]


def test_a_tag_of_yaml_is_refused_for_nobody_would_read_it(tmp_path: Path) -> None:
    assert "line 2: the tag '!prod' is not taken" in refusal(tmp_path, f"{CHECK}  resource: !prod sg-1\n{REST}")
    (waiver,) = load_waivers(written(tmp_path, f"{CHECK}  resource: !!str sg-1\n{REST}"))
    assert waiver.resource == "sg-1"
