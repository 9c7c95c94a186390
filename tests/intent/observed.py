"""A shop and what was observed in it, for the tests of generated intents."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.intent import Intent
from cloudseg.intent.confirming import outsiders
from cloudseg.intent.evidence import Evidence
from cloudseg.intent.generate import Generated, Request, generate
from cloudseg.intent.merge import Additions, merged_text
from cloudseg.intent.observations import End, Observations, Row, observations_of
from cloudseg.intent.report import Window, foot_lines, head_lines, window_warnings
from cloudseg.intent_file import read_intent
from cloudseg.model import Estate
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet

ID = EstateBuilder.id
DAY = 86_400
MONDAY = 1_791_763_200
"""2026-10-12, at midnight UTC."""
OPEN = allow("egress", "all", "0.0.0.0/0")


def shop_builder() -> EstateBuilder:
    """A shop in one account.

    ======== ===== ============ ========= ==========================================
    own id   tier  address      public    lets in
    ======== ===== ============ ========= ==========================================
    eni-web1 web   10.0.1.11    203.…7    tcp/443 and tcp/22 from everywhere
    eni-web2 web   10.0.1.12    203.…8    the same
    eni-app  app   10.0.2.20    -         tcp/8080-8099, udp/8125 from the web tier
    eni-db   -     10.0.2.30    -         tcp/5432, icmp from the app tier
    ======== ===== ============ ========= ==========================================
    """
    builder = EstateBuilder()
    builder.group("sg-web", allow("ingress", "tcp/443, tcp/22", "0.0.0.0/0"), OPEN)
    builder.group("sg-app", allow("ingress", "tcp/8080-8099, udp/8125", "sg-web"), OPEN)
    builder.group("sg-db", allow("ingress", "tcp/5432, icmp", "sg-app"), OPEN)
    web = {"application": "shop", "tier": "web", "env": "prod"}
    builder.interface("eni-web1", "subnet-public", ["sg-web"], "10.0.1.11", "203.0.113.7", tags=web)
    builder.interface("eni-web2", "subnet-public", ["sg-web"], "10.0.1.12", "203.0.113.8", tags=web)
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.20", tags={**web, "tier": "app"})
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.30", name="orders")
    return builder


@cache
def shop() -> Estate:
    return shop_builder().build()


@cache
def reach_of(estate: Estate) -> Reachability:
    return Reachability(estate)


class Log:
    """What was observed, conversation by conversation; ends by own id, address, or `? words` for nobody knows."""

    def __init__(self) -> None:
        self._ends: dict[End, int] = {}
        self._rows: list[Row] = []

    def saw(self, source: str, target: str, port: int, *, times: int = 1, protocol: int = 6, **more: int) -> None:
        """Add conversations that began on successive days, `times` of them, to be seen as one."""
        first = more.pop("first", MONDAY)
        row = Row(
            self._end(source), self._end(target), protocol, port, connections=times, first=first,
            last=more.pop("last", first + times * DAY),
        )  # fmt: skip
        self._rows.append(row._replace(**more))

    def named(self, address: str, name: str) -> str:
        """Return the word for an address outside that the log calls something."""
        return f"{address}={name}"

    def _end(self, word: str) -> int:
        address, _, name = word.partition("=")
        if word.startswith("?"):
            end = End(doubt=word[1:].strip(), shown=word)
        elif word.startswith(("eni-", "kubernetes:", "aws:", "azure:", "gcp:")):
            end = End(interface=ID(word), shown=word)
        else:
            end = End(addresses=AddressSet.parse(address), name=name, shown=address)
        return self._ends.setdefault(end, len(self._ends))

    @property
    def observations(self) -> Observations:
        return observations_of(self._ends, self._rows)


WINDOW = Window(MONDAY, MONDAY + 35 * DAY, ("AWS VPC flow logs",))


def generated(log: Log, estate: Estate | None = None, **request: object) -> Generated:
    estate = estate or shop()
    return generate(estate, lambda: reach_of(estate), log.observations, Request(**request))  # type: ignore[arg-type]


def allowed(found: Generated) -> list[str]:
    """Return the allowances that were added, in words."""
    return [str(allowance) for allowance in found.allow]


def run(path: Path, log: Log, estate: Estate | None = None, window: Window = WINDOW, minimum: float = 7) -> str:
    """Do to a file what the command does, and return its text."""
    estate = estate or shop()
    text = path.read_bytes().decode() if path.exists() else None
    existing = read_intent(path) if text is not None else Intent()
    found = generated(log, estate, existing=existing)
    outside = outsiders(found.onto(existing).segments, found.members)
    evidence = Evidence(found.facts, found.rails, found.ends, found.members, estate.taken_at, outside=outside)
    added = Additions(
        found.segments, found.allow, window.day, head_lines(found, window, window_warnings(window, minimum)),
        foot_lines(found), found.untagged, evidence.lines,
    )  # fmt: skip
    new = merged_text(text, existing, added)
    path.write_bytes(new.encode())
    return new


def marked(text: str) -> list[str]:
    """Return the lines that the run wrote, without their mark."""
    return [line.strip().removeprefix("#:").strip() for line in text.splitlines() if line.strip().startswith("#:")]


def above(text: str, line: str) -> list[str]:
    """Return the lines that the run wrote directly above a line."""
    lines = text.splitlines()
    end = lines.index(line)
    start = end
    while start and lines[start - 1].strip().startswith("#:"):
        start -= 1
    return marked("\n".join(lines[start:end]))


def own_lines(text: str) -> list[str]:
    """Return the lines that are people's."""
    return [line for line in text.splitlines() if not line.strip().startswith("#:")]


def in_order(parts: Sequence[str], lines: Iterable[str]) -> bool:
    """Tell whether all parts occur among lines in their order."""
    left = iter(lines)
    return all(any(part in line for line in left) for part in parts)
