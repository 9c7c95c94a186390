"""The page about the intent file: its example can be read, and its tables name what there is."""

import re
from pathlib import Path
from typing import get_args

from cloudseg.intent import WarningKind
from cloudseg.intent.generate import NOT_CARRIED
from cloudseg.intent.noise import NOISE
from cloudseg.intent_file import CHOICE_KEYS, read_intent
from cloudseg.traffic import Traffic

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "intent.md").read_text(encoding="utf-8")


def rows(heading: str) -> set[str]:
    """Return the words in code that begin the rows of the tables under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {
        word for row in re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE) for word in re.findall(r"`([^`]+)`", row)
    }


def test_the_example_is_read(written: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    written.write_text(example, encoding="utf-8")
    intent = read_intent(written)
    assert [segment.name for segment in intent.segments] == ["edge", "web", "app", "db", "office"]
    assert intent.tiers == (("edge",), ("web",), ("app", "worker"), ("data",))
    assert intent.allow[3].traffic == Traffic.parse("tcp/5432, tcp/6379")
    assert intent.allow[5].expires == "2027-01-31"


def test_every_key_and_every_warning_is_explained() -> None:
    assert rows("The file") == {"schema", "segments", "allow", "default", "shared", "tiers"}
    assert rows("Segments") == {*CHOICE_KEYS, "any", "except", "comment", "owner"}
    assert rows("Allowances") == {"from", "to", "traffic", "comment", "owner", "expires", "id"}
    assert rows("Mistakes and warnings") == set(get_args(WarningKind))


def test_every_reason_and_option_of_generation_is_explained() -> None:
    told = rows("From what was observed")
    assert {*NOISE, NOT_CARRIED} <= told
    assert {"--granularity", "--minimum-window", "--probes"} <= told
