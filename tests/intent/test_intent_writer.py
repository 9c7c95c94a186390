"""A written intent is read again as it was, is the same text every time, and hides nothing from its reviewers."""

import io
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudseg.demo import demo_intent_path
from cloudseg.intent import Allowance, Intent
from cloudseg.intent_file import read_intent, write_intent
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic


def text_of(intent: Intent) -> str:
    stream = io.StringIO()
    write_intent(intent, stream)
    return stream.getvalue()


def read_again(intent: Intent, path: Path) -> Intent:
    path.write_text(text_of(intent), encoding="utf-8")
    return placeless(read_intent(path))


def placeless(intent: Intent) -> Intent:
    return msgspec.structs.replace(
        intent,
        segments=tuple(msgspec.structs.replace(segment, place="") for segment in intent.segments),
        allow=tuple(msgspec.structs.replace(allowance, place="") for allowance in intent.allow),
    )


def test_the_text_is_short_and_of_one_form() -> None:
    intent = Intent(
        segments=(
            Segment(
                name="web", comment="the shop", owner="shop team",
                choice=Choice(tags={"app": ("shop",), "tier": ("web", "edge")}),
                except_for=(Choice(names=("*-old",)),),
            ),
            Segment(name="office", choice=Choice(addresses=AddressSet.parse("198.51.100.0/24, 203.0.113.7"))),
            Segment(name="db", any_of=(Choice(groups=("db",)), Choice(scopes=("012345678901",)))),
        ),
        allow=(
            Allowance(
                sources=("web",), targets=("db",), traffic=Traffic.parse("tcp/5432"), comment="orders",
                owner="shop team",
            ),
            Allowance(
                id="tmp", sources=("office", "internet"), targets=("web",), traffic=Traffic.parse("tcp/22, udp/53"),
                expires="2027-01-31",
            ),
        ),
        shared=("db",),
        tiers=(("web",), ("app", "batch")),
    )  # fmt: skip
    assert (
        text_of(intent)
        == """\
# What may open connections to what. Everything that is not allowed here is denied.
schema: cloudseg/intent/v1

segments:
  web:
    comment: the shop
    owner: shop team
    tags: {app: shop, tier: [web, edge]}
    except:
      names: '*-old'
  office:
    addresses: [198.51.100.0/24, 203.0.113.7]
  db:
    any:
    - groups: db
    - scopes: 012345678901

tiers: [web, [app, batch]]

shared: [db]

allow:
- from: web
  to: db
  traffic: tcp/5432
  comment: orders
  owner: shop team
- id: tmp
  from: [office, internet]
  to: web
  traffic: [tcp/22, udp/53]
  expires: 2027-01-31
"""
    )


def test_the_intent_of_the_demo_is_read_again_as_it_was(tmp_path: Path) -> None:
    intent = placeless(read_intent(demo_intent_path()))
    assert len(intent.allow) > 10
    assert read_again(intent, tmp_path / "again.yaml") == intent


def test_an_intent_that_denies_everything_is_read_again(tmp_path: Path) -> None:
    assert read_again(Intent(), tmp_path / "again.yaml") == Intent()


@pytest.mark.parametrize(
    "traffic", ["all", "all except tcp/25", "icmp/3:4", "tcp/1-1024, udp, esp, ip/97", "icmpv6/128"]
)
def test_any_traffic_is_read_again(tmp_path: Path, traffic: str) -> None:
    allowance = Allowance(sources=("internet",), targets=("a",), traffic=Traffic.parse(traffic))
    intent = Intent(segments=(Segment(name="a", choice=Choice(ids=("a",))),), allow=(allowance,))
    assert read_again(intent, tmp_path / "again.yaml") == intent


HOSTILE = (
    "", "null", "~", "yes", "1e3", "0x1f", "2027-01-31", "- a", "? b", "key: v", "{x}", "[y]", " lead", "trail ",
    "!t", "&a", "*b", "%c", "@d", "`e", "|", ">", '"q" \'s\'', "#no comment", "a # b", "a\nb", "\x1b[31m", "\u202eevil",
    "\ufeff", "\x00", "\x85", "日本 é", "\U0001f600", "---", "...", "x" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_read_again_and_stands_on_one_visible_line(tmp_path: Path, text: str) -> None:
    intent = with_text(text)
    assert read_again(intent, tmp_path / "again.yaml") == intent
    lines = text_of(intent).split("\n")
    assert len(lines) == len(text_of(with_text("a")).split("\n"))
    assert all(line.isprintable() for line in lines)


def test_half_of_a_character_becomes_the_replacement_character(tmp_path: Path) -> None:
    assert read_again(with_text("a\ud800b"), tmp_path / "again.yaml") == with_text("a\ufffdb")


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_any_text_is_read_again(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    intent = with_text(text)
    assert read_again(intent, tmp_path_factory.getbasetemp() / "any.yaml") == intent


def with_text(text: str) -> Intent:
    """Return an intent that holds a text wherever it may stand; a tag may be empty, other texts are then left out."""
    held = Choice(tags={text or "key": (text, "other")}, names=(text or "name", "other"))
    segment = Segment(name="a", choice=held, comment=text or "none", owner=text or "nobody")
    allowance = Allowance(
        sources=("a",), targets=("a",), traffic=Traffic.parse("tcp/1"), comment=text or "none", id=text or "id"
    )
    return Intent(segments=(segment,), allow=(allowance,), tiers=((text or "tier", text + "2"),))
