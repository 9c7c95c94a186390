"""The fields of AWS flow logs, and how their files are told and read: text with a header line, or Parquet.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from cloudseg.flows.formats.containers import container_of, file_list, quoted_name, quoted_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cloudseg.flows.formats.interface import Head

__all__ = [
    "TGW_FIELDS",
    "V2",
    "VPC_FIELDS",
    "Fields",
    "fields_of",
    "is_among",
    "relation",
    "told_fields",
    "unknown_field",
]

V2: Final = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
    "start", "end", "action", "log-status",
)  # fmt: skip
"""The default format of VPC flow logs, in its fixed order."""

_V3 = "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr"
_V4 = "region az-id sublocation-type sublocation-id"
_V5 = "pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"
_V7 = (
    "ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id "
    "ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id"
)
_V8_TO_10 = "reject-reason resource-id encryption-status"
_V11 = (
    "instance-tag instance-tag-2 interface-tag interface-tag-2 asg-tag asg-tag-2 interface-type next-hop-interface-id "
    "next-hop-subnet-id next-hop-az-id next-hop-vpc-id next-hop-interface-type"
)
_TGW_ONLY = (
    "resource-type tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id "
    "tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id "
    "tgw-pair-attachment-id packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded "
    "packets-lost-ttl-expired"
)

VPC_FIELDS: Final = frozenset({*V2, *f"{_V3} {_V4} {_V5} {_V7} {_V8_TO_10} {_V11}".split()})
"""The fields of VPC flow logs, versions 2 to 11."""

TGW_FIELDS: Final = frozenset(_TGW_ONLY.split())
"""The fields that only transit gateway flow logs have (version 6)."""

_ACCOUNT: Final = "account-id="
"""Begins the last of the fields where not the records tell the account but the path: ``account-id=111122223333``."""

EXPORT_TIME: Final = "@timestamp"
"""The time that an export of CloudWatch Logs puts before each line."""

_KNOWN = VPC_FIELDS | TGW_FIELDS
_FIELD = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?")
_IN_PATH = re.compile(r"(?:^|/)(?:aws-account-id=(\d{12})|AWSLogs/(?:o-[a-z0-9]+/)?(\d{12})/vpcflowlogs)(?:/|$)")


class Fields:
    """The fields of one shape, as SQL: a field is found by its AWS name, however the file spells it.

    Parquet and Athena write ``_`` for ``-``, some exports capitals. The account may also be a partition.
    """

    def __init__(self, shape: Sequence[str]) -> None:
        self._columns = {_plain(name): name for name in reversed(_read(shape))}
        self._sql = {field: quoted_name(name) for field, name in self._columns.items()}
        if "aws-account-id" in self._sql:
            self._sql.setdefault("account-id", self._sql["aws-account-id"])
        if len(_read(shape)) < len(shape):
            self._sql["account-id"] = quoted_text(shape[-1].removeprefix(_ACCOUNT))

    def __contains__(self, field: str) -> bool:
        return field in self._sql

    def columns(self, **fields: str) -> dict[str, str]:
        """Which of some fields the files have, by the given names: what the files call them."""
        return {name: self._columns[field] for name, field in fields.items() if field in self._columns}

    def text(self, field: str) -> str:
        """The text of a field, NULL where it is ``-`` or the shape lacks it."""
        return f"NULLIF({self.raw(field)}, '-')" if field in self else self.raw(field)

    def raw(self, field: str) -> str:
        """The text of a field as it stands there, be it ``-``; NULL where the shape lacks it."""
        return f"CAST({self._sql[field]} AS VARCHAR)" if field in self else "CAST(NULL AS VARCHAR)"

    def number(self, field: str, kind: str = "BIGINT") -> str:
        """The whole number of a field, NULL where it is none or the shape lacks it."""
        return f"TRY_CAST({self._sql[field]} AS {kind})" if field in self else f"CAST(NULL AS {kind})"

    def first_text(self, *fields: str) -> str:
        """The text of the first of these fields that has one."""
        return self._first(*fields, last=self.text)

    def first_raw(self, *fields: str) -> str:
        """Likewise, but ``-`` where none has one and the last of them says so."""
        return self._first(*fields, last=self.raw)

    def _first(self, *fields: str, last: Callable[[str], str]) -> str:
        *others, end = [field for field in fields if field in self] or fields[:1]
        # A comparison of each is less work than COALESCE of a NULLIF of each.
        cases = " ".join(f"WHEN {self.raw(field)} <> '-' THEN {self.raw(field)}" for field in others)
        return f"CASE {cases} ELSE {last(end)} END" if cases else last(end)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def is_among(shape: Sequence[str], names: frozenset[str]) -> bool:
    """Return whether any of the fields of a shape has one of these names."""
    return any(_plain(name) in names for name in shape)


def told_fields(log_format: str) -> tuple[str, ...]:
    """Return the fields that a format of a flow log names: ``${version} ${srcaddr}``, or the names alone.

    Raises:
        ValueError: it names none, or something that can be no field; the message says which.
    """
    names = tuple(re.sub(r"^\$\{(.*)\}$", r"\1", word) for word in re.split(r"[\s,]+", log_format.strip()) if word)
    wrong = next((name for name in names if not _FIELD.fullmatch(name.lower())), None)
    if wrong is not None or not names:
        raise ValueError(f"{wrong!r} is no field of a flow log" if names else "no field is named")
    return _distinct(names)


def unknown_field(names: Sequence[str]) -> str | None:
    """Return in words which of these names is no field of AWS flow logs, with those that are spelled alike; or None."""
    wrong = next((name for name in names if _plain(name.partition("#")[0]) not in _KNOWN), None)
    if wrong is None:
        return None
    near = get_close_matches(_plain(wrong), sorted(_KNOWN), 3)
    return f"AWS flow logs have no field {wrong!r}" + (f"; is it {' or '.join(near)}?" if near else "")


def fields_of(head: Head) -> tuple[str, ...] | None:
    """Return the fields of a file of AWS flow logs, by name as the file spells them; None: it is none.

    Text tells them in its first line. Where that line holds values already, they are those that the user told, or the
    default format's if there are as many. Where only the path tells the account, it stands last.
    """
    names = _columns(head) if head.columns else _first_line(head)
    if names is None:
        return None
    if any(_plain(name) == "account-id" for name in names):
        return names
    account = _IN_PATH.search(head.path.as_posix())
    return names if account is None else (*names, f"{_ACCOUNT}{account[1] or account[2]}")


def _read(shape: Sequence[str]) -> Sequence[str]:
    """The fields that the files themselves have."""
    return shape[:-1] if shape[-1].startswith(_ACCOUNT) else shape


def _columns(head: Head) -> tuple[str, ...] | None:
    return head.columns if _is_header([_plain(name) for name in head.columns]) else None


def _first_line(head: Head) -> tuple[str, ...] | None:
    line = head.start.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].removesuffix(b"\r")
    try:
        words = line.decode("ascii").split(" ")
    except UnicodeDecodeError:
        return None
    if _is_header(words):
        return _distinct(words)
    told = head.fields or V2
    stamped = len(words) == len(told) + 1 and _TIME.fullmatch(words[0]) is not None
    if len(words) - stamped != len(told) or not (head.fields or _is_default(words[stamped:])):
        return None
    return (EXPORT_TIME, *told) if stamped else told


def _is_header(words: Sequence[str]) -> bool:
    # Later versions have fields that are not known here: half of them may be new.
    known = sum(_plain(word) in _KNOWN for word in words)
    return 2 * known >= len(words) and all(_FIELD.fullmatch(word.lower()) for word in words)


def _is_default(words: Sequence[str]) -> bool:
    return words[0] == "2" and words[-1] in {"OK", "NODATA", "SKIPDATA"} and words[-2] in {"ACCEPT", "REJECT", "-"}


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    # A format may name a field twice: the first one counts.
    return tuple(name if name not in names[:place] else f"{name}#{place}" for place, name in enumerate(names))


def relation(paths: Sequence[Path], shape: tuple[str, ...]) -> str:
    """Return what stands after FROM to read files of one shape, all of them packed alike.

    Text is read as text. A line with too few or too many fields is no row and stands in DuckDB's table of rejects.
    Header lines are left out wherever they stand, since files are also put together with ``cat``.
    """
    container = container_of(paths[0])
    if container == "parquet":
        return f"read_parquet({file_list(paths)}, hive_partitioning=false)"
    names = _read(shape)
    columns = ", ".join(f"{quoted_text(name)}: 'VARCHAR'" for name in names)
    read = (
        f"read_csv({file_list(paths)}, delim=' ', quote='', escape='', header=false, auto_detect=false, "
        f"columns={{{columns}}}, compression='{'gzip' if container == 'gzip' else 'none'}', store_rejects=true, "
        "hive_partitioning=false)"
    )
    mark = next((name for name in names if name != EXPORT_TIME), names[0])
    return f"(SELECT * FROM {read} WHERE {quoted_name(mark)} IS DISTINCT FROM {quoted_text(mark)})"  # noqa: S608 -- quoted
