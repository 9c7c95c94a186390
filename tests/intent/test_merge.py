"""An intent that is there is brought up to date: what people wrote stays, what the run wrote is written anew."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudseg.errors import InputError
from cloudseg.intent.observations import REFUSED
from cloudseg.intent.places import read_places
from cloudseg.intent.report import Window
from cloudseg.intent_file import read_intent
from tests.intent.observed import DAY, MONDAY, Log, above, in_order, marked, own_lines, run

WEB, APP = "shop/web/prod", "shop/app/prod"


def shop_log(*more: int) -> Log:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, times=12)
    log.saw("eni-app", "eni-db", 5432, times=30)
    log.saw("198.51.100.4", "eni-web1", 22, times=2)
    for port in more:
        log.saw("eni-web1", "eni-app", port, times=3)
    return log


PEOPLE = """\
# Reviewed in spring.   Trailing blanks stay:  \n\
schema: cloudseg/intent/v1   # the version

segments:

  # Who customers meet.
  front:
    comment: the shop's web machines
    owner: shop team
    tags: {application: shop, tier: web}

  back:
      tags:
        application: shop
        tier:
          - app

tiers: [web, app]

allow:
  # Orders.
  - from: front
    to: back
    traffic: tcp/8080   # agreed
    comment: |
      a text over lines
      #: that looks like a mark
    id: orders

  - {from: back, to: front, traffic: tcp/9999,
     owner: nobody, expires: 2027-01-31}
  # The end.
"""


class TestFirstRun:
    def test_the_file_is_one_that_is_read_and_says_what_was_seen(self, written: Path) -> None:
        text = run(written, shop_log())
        intent = read_intent(written)
        assert [str(each) for each in intent.allow] == [
            f"outside 198.51.100.4 to {WEB}: tcp/22",
            f"{APP} to orders: tcp/5432",
            f"{WEB} to {APP}: tcp/8080",
        ]
        assert above(text, f"- from: {WEB}") == [
            "tcp/8080: 12 connections from 1 of 2 to 1 of 1, 2026-10-12 to 2026-10-24, confidence high"
        ]

    def test_nothing_is_marked_new_where_everything_is(self, written: Path) -> None:
        assert "new on" not in run(written, shop_log())

    def test_segments_without_tags_or_owners_are_told(self, written: Path) -> None:
        text = run(written, shop_log())
        assert above(text, "  orders:") == ["no tag tells the application: chosen by name"]
        assert above(text, "  outside 198.51.100.4:") == [
            "outside of the estate: fill in who answers for it, as `owner`"
        ]
        assert above(text, f"  {WEB}:") == []

    def test_the_second_run_on_the_same_data_changes_no_byte(self, written: Path) -> None:
        log = shop_log(*range(8082, 8092))
        log.saw("eni-web1", "eni-app", 8095, verdict=REFUSED)
        log.saw("eni-web1", "eni-app", 8096, confidence=3)
        log.saw("eni-web1", "eni-db", 5432)
        for number in range(0, 80, 2):
            log.saw("eni-app", f"203.0.113.{100 + number}", 443, times=2)
        first = run(written, log)
        assert run(written, log) == first
        assert "for a person to decide" in first

    def test_a_log_of_nothing_makes_an_intent_that_denies_all(self, written: Path) -> None:
        text = run(written, Log())
        assert read_intent(written).allow == ()
        assert run(written, Log()) == text


class TestPeople:
    @pytest.fixture(autouse=True)
    def there(self, written: Path) -> None:
        written.write_text(PEOPLE, encoding="utf-8")

    def test_all_their_lines_stay_in_their_order(self, written: Path) -> None:
        text = run(written, shop_log())
        assert in_order([line for line in PEOPLE.split("\n") if line.strip()], text.split("\n"))

    def test_a_text_over_lines_that_looks_like_a_mark_stays_theirs(self, written: Path) -> None:
        run(written, shop_log())
        run(written, shop_log())
        assert read_intent(written).allow[0].comment == "a text over lines\n#: that looks like a mark\n"

    def test_evidence_stands_above_their_entries(self, written: Path) -> None:
        text = run(written, shop_log())
        assert above(text, "  - from: front") == [
            "tcp/8080: 12 connections from 1 of 2 to 1 of 1, 2026-10-12 to 2026-10-24, confidence high"
        ]
        assert above(text, "  - {from: back, to: front, traffic: tcp/9999,") == ["tcp/9999: not seen in these logs"]

    def test_new_entries_and_segments_come_last_and_are_marked(self, written: Path) -> None:
        text = run(written, shop_log())
        intent = read_intent(written)
        assert [segment.name for segment in intent.segments] == ["front", "back", "orders", "outside 198.51.100.4"]
        assert [str(each) for each in intent.allow[2:]] == [
            "back to orders: tcp/5432",
            "outside 198.51.100.4 to front: tcp/22",
        ]
        assert above(text, "  - from: back")[0] == "new on 2026-11-16; take this line away once it is reviewed"
        assert above(text, "  orders:")[0].startswith("new on 2026-11-16")

    def test_the_second_run_changes_no_byte(self, written: Path) -> None:
        first = run(written, shop_log())
        assert run(written, shop_log()) == first

    def test_the_new_mark_stays_until_a_person_takes_it_away(self, written: Path) -> None:
        run(written, shop_log())
        later = Window(MONDAY, MONDAY + 40 * DAY)
        text = run(written, shop_log(), window=later)
        assert text.count("#: new on 2026-11-16") == 4
        kept = [line for line in text.split("\n") if "#: new on" not in line]
        written.write_text("\n".join(kept), encoding="utf-8")
        assert "#: new on" not in run(written, shop_log(), window=later)

    def test_what_is_no_longer_seen_stays_and_says_since_when(self, written: Path) -> None:
        run(written, shop_log(8085))
        log = Log()
        log.saw("eni-web1", "eni-app", 8080, times=3, first=MONDAY + 40 * DAY)
        text = run(written, log)
        assert above(text, "  - from: back")[1:] == ["tcp/5432: not seen since 2026-11-11"]
        assert "#: tcp/8085: not seen since 2026-10-15" in text
        assert "#: tcp/8080: 3 connections from 1 of 2 to 1 of 1, 2026-11-21 to 2026-11-24, confidence high" in text
        assert run(written, log) == text
        # Seen again, it is told as seen.
        assert "not seen since" not in run(written, shop_log(8085))

    def test_an_owner_who_is_filled_in_takes_the_question_away(self, written: Path) -> None:
        text = run(written, shop_log())
        assert text.count("#: outside of the estate") == 1
        mine = text.replace("    addresses: 198.51.100.4", "    owner: office team\n    addresses: 198.51.100.4")
        written.write_text(mine, encoding="utf-8")
        assert "#: outside of the estate" not in run(written, shop_log())

    def test_what_people_wrote_into_our_lines_is_gone_and_does_no_harm(self, written: Path) -> None:
        text = run(written, shop_log())
        broken = text.replace("tcp/9999: not seen in these logs", "tcp/x/y: seen to 2026-99-99 by me")
        written.write_text(broken, encoding="utf-8")
        assert run(written, shop_log()) == text

    def test_an_entry_that_people_widened_covers_what_was_found(self, written: Path) -> None:
        written.write_text(PEOPLE.replace("tcp/8080   # agreed", "tcp   # agreed"), encoding="utf-8")
        run(written, shop_log(8090))
        assert str(read_intent(written).allow[0].traffic) == "tcp"
        assert len(read_intent(written).allow) == 4


class TestShapes:
    HEAD = "schema: cloudseg/intent/v1\n"
    SEGMENT = "segments:\n  front:\n    tags: {tier: web}\n"

    @pytest.mark.parametrize(
        "text",
        [
            HEAD + SEGMENT,
            HEAD + SEGMENT + "allow: []\n",
            HEAD + SEGMENT + "allow: []  # nothing yet\n",
            HEAD + "segments: {}\nallow: []\n",
            HEAD + SEGMENT + "allow:\n- from: front\n  to: front\n  traffic: tcp/1",
            HEAD + "allow:\n  -\n    from: front\n    to: front\n    traffic: tcp/1\n" + SEGMENT,
            "---\n" + HEAD + SEGMENT + "...\n",
            "%YAML 1.1\n---\n" + HEAD + SEGMENT,
            HEAD + SEGMENT + "    comment: >-\n      one\n\n      two\n\n\nallow: []\n\n\n",
            HEAD + 'segments:\n  "front":\n    tags:\n      tier: [web,\n        app]\n    comment: "a\n      b"\n',
            HEAD + SEGMENT + "allow:\n- from:\n  - front\n  to:\n  - front\n  traffic:\n  - tcp/1\n# end",
        ],
    )
    def test_a_file_of_any_shape_is_brought_up_to_date_and_stays_so(self, written: Path, text: str) -> None:
        written.write_text(text, encoding="utf-8")
        before = read_intent(written)
        first = run(written, shop_log())
        after = read_intent(written)
        assert [each.name for each in after.segments][: len(before.segments)] == [s.name for s in before.segments]
        assert [str(each) for each in after.allow][: len(before.allow)] == [str(each) for each in before.allow]
        assert len(after.allow) >= len(before.allow) + 3
        assert run(written, shop_log()) == first
        kept = [line for line in text.split("\n") if line.strip() and "{}" not in line and "[]" not in line]
        assert in_order(kept, own_lines(first))

    def test_ends_of_lines_stay_as_they_are(self, written: Path) -> None:
        written.write_bytes((self.HEAD + self.SEGMENT).replace("\n", "\r\n").encode())
        text = run(written, shop_log())
        assert "\n" not in text.replace("\r\n", "")
        assert run(written, shop_log()) == text

    @pytest.mark.parametrize(
        "text",
        [
            "{schema: cloudseg/intent/v1, segments: {front: {tags: {tier: web}}}}\n",
            HEAD + "segments: {front: {tags: {tier: web}}}\n",
            HEAD + SEGMENT + "allow: [{from: front, to: front, traffic: tcp/1}]\n",
        ],
    )
    def test_a_file_in_braces_is_refused(self, written: Path, text: str) -> None:
        written.write_text(text, encoding="utf-8")
        read_intent(written)
        with pytest.raises(InputError, match="cannot be updated"):
            run(written, shop_log())

    def test_the_places_are_those_of_the_text_without_marks(self) -> None:
        text = (
            self.HEAD + "#: x\n" + self.SEGMENT + "allow:\n#: one\n#: two\n- from: front\n  to: front\n  traffic: all\n"
        )
        places = read_places(text)
        (place,) = places.allow.places
        assert (places.lines[place.line], place.indent, place.before) == ("- from: front", 0, ("one", "two"))
        assert places.lines[place.last] == "  traffic: all"


HOSTILE = st.sampled_from(["a\n- from: x", "\x1b[31m", "#: x", "\u202e", "y: {", "'", '"', "é\u2028z", "*", "x" * 300])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_hostile_names_of_the_log_change_nothing_but_names(tmp_path: Path, names: list[str]) -> None:
    written = tmp_path / "hostile.yaml"
    written.unlink(missing_ok=True)
    log = Log()
    for number, name in enumerate(names):
        log.saw("eni-app", f"198.51.100.{8 * number}={name}", 443 + number, times=2)
        log.saw(f"198.51.100.{8 * number}={name}", "eni-web1", 22, confidence=3)
    text = run(written, log)
    assert all(line.isprintable() for line in text.splitlines())
    assert len(read_intent(written).allow) == len(names)
    assert run(written, log) == text


def test_our_lines_are_all_marked(written: Path) -> None:
    text = run(written, shop_log())
    assert len(marked(text)) > 5
    assert not [line for line in own_lines(text) if line.lstrip().startswith("#")][1:]


INTERFACES = ("eni-web1", "eni-web2", "eni-app", "eni-db")
SEEN = st.tuples(
    st.sampled_from((*INTERFACES, "198.51.100.4", "198.51.100.5", "198.51.100.9", "192.0.2.1=S3", "? gone")),
    st.sampled_from((*INTERFACES, "198.51.100.4", "192.0.2.1=S3")),
    st.sampled_from((22, 443, 5432, 8080, 8081, 8082, 8083, 8084, 8085, 8086, 8087, 8088, 50000)),
    st.sampled_from((0, 0, 0, 1, 3)),
    st.sampled_from((0, 0, 0, REFUSED)),
    st.integers(1, 40),
)


def log_of(rows: list[tuple[str, str, int, int, int, int]]) -> Log:
    log = Log()
    for source, target, port, confidence, verdict, days in rows:
        if source != target:
            log.saw(source, target, port, times=days, confidence=confidence, verdict=verdict)
    return log


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SEEN, max_size=20), st.lists(SEEN, max_size=20), st.sampled_from(("", PEOPLE)))
def test_whatever_the_logs_say_nothing_that_stands_is_changed_and_a_second_run_changes_nothing(
    tmp_path: Path,
    one: list[tuple[str, str, int, int, int, int]],
    other: list[tuple[str, str, int, int, int, int]],
    text: str,
) -> None:
    path = tmp_path / "any.yaml"
    path.unlink(missing_ok=True)
    if text:
        path.write_text(text, encoding="utf-8")
    run(path, log_of(one))
    before = read_intent(path)
    lines = own_lines(path.read_text(encoding="utf-8"))
    last = run(path, log_of(other))
    after = read_intent(path)
    assert [str(each) for each in after.allow][: len(before.allow)] == [str(each) for each in before.allow]
    assert [str(each) for each in after.segments][: len(before.segments)] == [str(each) for each in before.segments]
    kept = [line for line in lines if line.strip() and "{}" not in line and "[]" not in line]
    assert in_order(kept, own_lines(last))
    assert run(path, log_of(other)) == last
