"""The intent file: what it says is read as it is written, and every mistake is named with its place and the way out."""

from pathlib import Path

import pytest

from cloudseg.errors import ConfigError
from cloudseg.intent import Allowance, Intent
from cloudseg.intent_file import read_intent
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic

HEAD = "schema: cloudseg/intent/v1\n"
WEB = f"{HEAD}segments:\n  web: {{groups: web}}\n"
ENTRY = f"{WEB}allow:\n- from: web\n  to: web\n  traffic: tcp/443\n"


def read(path: Path, text: str) -> Intent:
    path.write_text(text, encoding="utf-8")
    return read_intent(path)


def refusal(path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(path, text)
    return str(caught.value).replace(f"{path.parent}/", "").split("\n")


def test_every_key_is_read(written: Path) -> None:
    text = """\
schema: cloudseg/intent/v1
default: deny
segments:
  web:
    comment: the shop
    owner: shop team
    tags: {application: shop, tier: [web, edge], shared: yes}
    labels: {app: web}
    names: web-*
    groups: [sg-1, web]
    addresses: [10.0.0.0/8, 192.0.2.1-192.0.2.9]
    networks: vpc-1
    scopes: 012345678901
    ids: eni-1
    any:
      - names: a
      - tags: {env: ""}
    except: {names: b}
  office:
    addresses: 198.51.100.0/24, 2001:db8::/32
    except:
      - addresses: 198.51.100.7
      - ids: c
tiers: [web, [app, batch]]
shared: web
allow:
  - id: ssh
    from: [office, internet]
    to: web
    traffic: [tcp/22, "icmp/8, udp/53"]
    comment: 2026-01-01
    owner: ops
    expires: 2027-01-31
  - {from: web, to: web, traffic: all except tcp/25}
"""
    web = Segment(
        name="web",
        comment="the shop",
        owner="shop team",
        choice=Choice(
            tags={"application": ("shop",), "tier": ("web", "edge"), "shared": ("yes",)},
            labels={"app": ("web",)},
            names=("web-*",),
            groups=("sg-1", "web"),
            addresses=AddressSet.parse("10.0.0.0/8, 192.0.2.1-192.0.2.9"),
            networks=("vpc-1",),
            scopes=("012345678901",),
            ids=("eni-1",),
        ),
        any_of=(Choice(names=("a",)), Choice(tags={"env": ("",)})),
        except_for=(Choice(names=("b",)),),
        place="intent.yaml:4",
    )
    office = Segment(
        name="office",
        choice=Choice(addresses=AddressSet.parse("198.51.100.0/24, 2001:db8::/32")),
        except_for=(Choice(addresses=AddressSet.parse("198.51.100.7")), Choice(ids=("c",))),
        place="intent.yaml:19",
    )
    ssh = Allowance(
        id="ssh",
        sources=("office", "internet"),
        targets=("web",),
        traffic=Traffic.parse("tcp/22, icmp/8, udp/53"),
        comment="2026-01-01",
        owner="ops",
        expires="2027-01-31",
        place="intent.yaml:27",
    )
    within = Allowance(
        sources=("web",), targets=("web",), traffic=Traffic.parse("all except tcp/25"), place="intent.yaml:34"
    )
    assert read(written, text) == Intent(
        segments=(web, office), allow=(ssh, within), shared=("web",), tiers=(("web",), ("app", "batch"))
    )


@pytest.mark.parametrize("text", [f"{HEAD}segments: {{}}\n", f"{HEAD}segments: {{}}\nallow: []\n"])
def test_a_file_may_deny_everything(written: Path, text: str) -> None:
    assert read(written, text) == Intent()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "intent.yaml:1: the file is empty; it begins with `schema: cloudseg/intent/v1`"),
        ("- a\n", "intent.yaml:1: must be keys with values, not a list"),
        ("segments: {}\n", "intent.yaml:1: schema: is missing; write `schema: cloudseg/intent/v1`"),
        (
            "schema: v2\nsegments: {}\n",
            "intent.yaml:1: schema: is 'v2'; cloudseg/intent/v1 is the only value that there is",
        ),
        (HEAD, "intent.yaml:1: segments: is missing; write the segments, each a name with what it chooses by"),
        (f"{WEB}default: allow\n", "intent.yaml:4: default: is 'allow'; deny is the only value that there is"),
        (f"{WEB}alow: []\n", "intent.yaml:4: unknown key 'alow'; did you mean allow?"),
        (f"{WEB}zzz: []\n", "unknown key 'zzz'; known here: schema, default, segments, allow, shared, tiers"),
        (f"{WEB}allow: {{}}\n", "intent.yaml:4: allow: must be a list, not keys with values"),
        (f"{HEAD}segments: [web]\n", "intent.yaml:2: segments: must be keys with values, not a list"),
        (f"{WEB}  web: {{ids: a}}\n", "intent.yaml:4: segments: the key 'web' stands there twice; keep one"),
        (f"{WEB}  ? [a]\n  : b\n", "intent.yaml:4: segments: a key must be a text"),
        (f"{WEB}  app:\n", "intent.yaml:4: segments.app: must be keys with values, not nothing"),
        (f"{WEB}  app: {{}}\n", "segments.app: is empty; give one of tags, labels, names, groups, addresses"),
        (f"{WEB}  app: {{owner: me}}\n", "segments.app: chooses nothing; give one of tags, labels, names, groups"),
        (f"{WEB}  app: {{except: {{ids: a}}}}\n", "segments.app: chooses nothing; give one of tags"),
        (f"{WEB}  app: {{tag: {{a: b}}}}\n", "segments.app: unknown key 'tag'; did you mean tags?"),
        (f"{WEB}  app: {{accounts: 1}}\n", "segments.app: unknown key 'accounts'; write scopes"),
        (f"{WEB}  app: {{vpc: a}}\n", "segments.app: unknown key 'vpc'; write networks"),
        (f"{WEB}  app: {{tags: shop}}\n", "segments.app.tags: must be keys with values, not the text 'shop'"),
        (f"{WEB}  app: {{tags: {{}}}}\n", "segments.app.tags: is empty; write a key and its value, `tier: web`"),
        (
            f"{WEB}  app: {{tags: {{a: }}}}\n",
            'segments.app.tags.a: has no value; write one: "*" for any, "" for an empty one',
        ),
        (f"{WEB}  app: {{tags: {{a: {{b: c}}}}}}\n", "segments.app.tags.a: must be one text, not keys with values"),
        (f"{WEB}  app: {{tags: {{a: 1, a: 2}}}}\n", "segments.app.tags: the key 'a' stands there twice"),
        (f"{WEB}  app: {{names: []}}\n", "segments.app.names: is an empty list; write what it stands for, or leave"),
        (f"{WEB}  app: {{names: ''}}\n", "segments.app.names: is an empty text"),
        (f"{WEB}  app: {{names: [[a]]}}\n", "segments.app.names: must be one text, not a list"),
        (f"{WEB}  app: {{ids: null}}\n", "segments.app.ids: has no value; write one, or leave the key out"),
        (
            f"{WEB}  app: {{addresses: 10.0.0.0/33}}\n",
            "segments.app.addresses: '10.0.0.0/33' is no address: write IPv4",
        ),
        (f"{WEB}  app: {{addresses: none}}\n", "segments.app.addresses: 'none' is no address at all"),
        (f"{WEB}  app: {{any: {{ids: a}}}}\n", "segments.app.any: must be a list, not keys with values"),
        (f"{WEB}  app: {{any: []}}\n", "segments.app.any: is an empty list"),
        (f"{WEB}  app: {{any: [{{}}]}}\n", "segments.app.any entry 1: is empty; give one of tags"),
        (f"{WEB}  app: {{any: [{{any: []}}]}}\n", "segments.app.any entry 1: unknown key 'any'"),
        (f"{WEB}  app: {{ids: a, except: [{{owner: b}}]}}\n", "segments.app.except entry 1: unknown key 'owner'"),
        (f"{WEB}  internet: {{ids: a}}\n", "segments.internet: 'internet' has a meaning of its own; choose another"),
        (f"{WEB}  unassigned: {{ids: a}}\n", "'unassigned' has a meaning of its own"),
        (
            f"{WEB}  'a ': {{ids: a}}\n",
            "the name of a segment has 1 to 100 visible characters and no blanks at its ends",
        ),
        (f"{WEB}  '': {{ids: a}}\n", "the name of a segment has 1 to 100 visible characters"),
        (
            f'{WEB}  "a\\u202e": {{ids: a}}\n',
            "segments.a\\u202e: the name of a segment has 1 to 100 visible characters",
        ),
        (f"{WEB}  {'a' * 101}: {{ids: a}}\n", "the name of a segment has 1 to 100 visible characters"),
        (f"{WEB}allow: [web]\n", "intent.yaml:4: allow entry 1: must be keys with values, not the text 'web'"),
        (f"{WEB}allow: [{{}}]\n", "allow entry 1: from and to and traffic missing; an entry has from, to and traffic"),
        (f"{WEB}allow: [{{from: web, to: web}}]\n", "allow entry 1: traffic missing"),
        (f"{ENTRY}  ports: 1\n", "intent.yaml:8: allow entry 1: unknown key 'ports'; write traffic, such as tcp/443"),
        (f"{ENTRY}  coment: a\n", "allow entry 1: unknown key 'coment'; did you mean comment?"),
        (f"{ENTRY}  comment: [a]\n", "intent.yaml:8: allow entry 1.comment: must be one text, not a list"),
        (f"{ENTRY}  expires: soon\n", "intent.yaml:8: allow entry 1.expires: 'soon' is no day; write the last day"),
        (f"{ENTRY}  expires: 2027-02-30\n", "allow entry 1.expires: '2027-02-30' is no day"),
        (
            f"{ENTRY}  id: a\n- {{id: a, from: web, to: web, traffic: udp}}\n",
            "allow entry 2.id: 'a' is the id of another",
        ),
        (
            ENTRY.replace("from: web", "from: wbe"),
            "intent.yaml:5: allow entry 1.from: there is no segment 'wbe'; did you mean web?",
        ),
        (
            ENTRY.replace("to: web", "to: [web, zzz]"),
            "allow entry 1.to: there is no segment 'zzz'; there are web, internet",
        ),
        (ENTRY.replace("from: web", "from: 10.0.0.0/8"), "there is no segment '10.0.0.0/8'"),
        (
            ENTRY.replace("web\n", "internet\n"),
            "allow entry 1: what the internet may open to itself is nobody's to allow",
        ),
        (ENTRY.replace("tcp/443", "443"), "intent.yaml:7: allow entry 1.traffic: '443' is no traffic: write ip/443"),
        (ENTRY.replace("tcp/443", "[tcp/443, https]"), "allow entry 1.traffic: 'https' is no traffic"),
        (
            ENTRY.replace("tcp/443", "none"),
            "allow entry 1.traffic: 'none' allows nothing, as everything is denied anyway",
        ),
        (f"{WEB}shared: [wbe]\n", "intent.yaml:4: shared: there is no segment 'wbe'; did you mean web?"),
        (f"{WEB}shared: internet\n", "shared: there is no segment 'internet'"),
        (f"{WEB}tiers: web\n", "intent.yaml:4: tiers: must be a list, not the text 'web'"),
        (f"{WEB}tiers: [web, [app, web]]\n", "intent.yaml:4: tiers entry 2: 'web' stands in two tiers; keep one"),
        (f"{WEB}tiers: [web, []]\n", "intent.yaml:4: tiers entry 2: is an empty list"),
        ("a: [b\n", "intent.yaml:2: this is no YAML: did not find expected ',' or ']'"),
        (f"{HEAD}---\n{HEAD}", "intent.yaml:2: this is no YAML: but found another document"),
        (f"{HEAD}segments: {{web: {{names: *}}}}\n", "; a text that begins with * needs quotes"),
        (
            f"{HEAD}segments: {{web: {{names: *-web}}}}\n",
            "intent.yaml:2: aliases (*name) are not taken; write out what it",
        ),
        (f"{HEAD}segments: &a {{web: {{groups: web}}}}\nallow: *a\n", "intent.yaml:3: aliases (*name) are not taken"),
        (
            f"{HEAD}segments: {{web: {{names: !prod web}}}}\n",
            "intent.yaml:2: the tag !prod is not taken; write the value",
        ),
        ("[" * 100_000, "intent.yaml:1: this nests too deeply for the intent file"),
        ("a: \x07\n", "intent.yaml: this is no YAML: "),
    ],
)
def test_what_is_wrong_is_named_with_its_line_its_key_and_the_way_out(written: Path, text: str, message: str) -> None:
    (line,) = refusal(written, text)
    assert line.startswith("intent.yaml:")
    assert message in line


def test_segments_that_there_are_instead_are_named_once(written: Path) -> None:
    text = ENTRY.replace("to: web", "to: zzz").replace("web:", "internet: {groups: b}\n  web:", 1)
    assert refusal(written, text)[-1].endswith(
        "there is no segment 'zzz'; there are internet, web; define it under segments"
    )


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(written: Path) -> None:
    text = ENTRY.replace("tcp/443", "https").replace("from: web", "from: wbe").replace("groups", "group")
    lines = refusal(written, text)
    assert [line.split(": ")[0] for line in lines] == ["intent.yaml:3", "intent.yaml:5", "intent.yaml:7"]


def test_a_file_of_many_mistakes_is_not_listed_without_end(written: Path) -> None:
    lines = refusal(written, WEB + "allow:\n" + "- web\n" * 1000)
    assert len(lines) == 51
    assert lines[-1] == "intent.yaml: and 950 more mistakes"


def test_a_segment_with_a_mistake_of_its_own_is_still_known_to_the_allowances(written: Path) -> None:
    (line,) = refusal(written, ENTRY.replace("groups: web", "groups: []"))
    assert "segments.web.groups" in line


@pytest.mark.parametrize("hostile", ["a\\nb: c", "\\e[31mred", "\\u202eevil", "\\0", "x" * 900])
def test_a_hostile_text_stays_on_its_line_and_shows_what_it_hides(written: Path, hostile: str) -> None:
    lines = refusal(written, f'{HEAD}segments:\n  web: {{groups: web, "{hostile}": 1}}\n  "{hostile}": {{}}\n')
    assert [line.split(": ")[0] for line in lines] == ["intent.yaml:3", "intent.yaml:4", "intent.yaml:4"]
    assert all(line.isprintable() and len(line) < 700 for line in lines)


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*none\.yaml.*--intent"):
        read_intent(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"binary\.yaml: this is no YAML"):
        read_intent(tmp_path / "binary.yaml")
