"""Flow logs out of an Azure storage account: the real SDK against a blob server on 127.0.0.1.

https://learn.microsoft.com/rest/api/storageservices/list-blobs
https://learn.microsoft.com/rest/api/storageservices/get-blob
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest
from azure.identity import CredentialUnavailableError

from cloudseg.errors import CloudsegError, CollectError, ConfigError, CredentialsError, InputError
from cloudseg.flows.files import Batch, grouped
from cloudseg.providers.azure.flow_access import is_blob_place
from cloudseg.providers.azure.flow_files import AzureBlobs
from tests.flows.test_azure_vnet import BEGUN, blob, record
from tests.loopback import Handler, Reply, listening

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

SECRET = "sv=2024-11-04&sp=rl&sr=c&sig=c2VjcmV0"
CONTAINER = "insights-logs-flowlogflowevent"
LOG = blob(record(("acl", "rule", [BEGUN]))).encode()


class Asked(NamedTuple):
    path: str
    query: dict[str, str]
    range: str
    condition: str

    @property
    def lists(self) -> bool:
        return self.query.get("comp") == "list"


Trouble = Callable[[Asked, int], Reply | None]
"""Told the request and how many came before; returns what to send in place of the answer."""


def name_of(hour: int, mac: str = "00224871C205") -> str:
    return f"flowLogResourceID=/SUB_RG/WATCHER_VNET/y=2026/m=01/d=09/h={hour:02}/m=00/macAddress={mac}/PT1H.json"


def refused(status: int, code: str) -> Reply:
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>No.</Message></Error>'.encode()
    return Reply(status, body, {"Content-Type": "application/xml", "x-ms-error-code": code})


class Storage:
    """What the account holds, what goes wrong on purpose, and what was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.blobs: dict[str, bytes] = {}
        self.page = 5_000
        self.trouble: Trouble = lambda _asked, _before: None
        self.asked: list[Asked] = []

    def reply(self, asked: Asked) -> Reply:
        before = len(self.asked)
        self.asked.append(asked)
        if (trouble := self.trouble(asked, before)) is not None:
            return trouble
        return self._list(asked) if asked.lists else self._blob(asked)

    def _list(self, asked: Asked) -> Reply:
        names = sorted(name for name in self.blobs if name.startswith(asked.query.get("prefix", "")))
        begin = int(asked.query.get("marker") or 0)
        end = begin + self.page
        items = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{len(self.blobs[name])}</Content-Length>"
            "<BlobType>BlockBlob</BlobType></Properties></Blob>"
            for name in names[begin:end]
        )
        following = str(end) if end < len(names) else ""
        body = (
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{CONTAINER}">'
            f"<Blobs>{items}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"
        )
        return Reply(200, body.encode(), {"Content-Type": "application/xml"})

    def _blob(self, asked: Asked) -> Reply:
        content = self.blobs.get(asked.path.partition(f"{CONTAINER}/")[2])
        if content is None:
            return refused(404, "BlobNotFound")
        told = {"Content-Type": "application/octet-stream", "ETag": '"0x8D"', "x-ms-blob-type": "BlockBlob"}
        if not asked.range:
            return Reply(200, content, told)
        first, last = (int(number) for number in re.findall(r"\d+", asked.range)[:2])
        if first >= len(content):
            return refused(416, "InvalidRange")
        part = content[first : last + 1]
        return Reply(206, part, {**told, "Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(content)}"})


@contextlib.contextmanager
def served() -> Generator[Storage]:
    storage = Storage()

    class Asking(Handler):
        def reply(self, content: bytes) -> Reply:  # noqa: ARG002 -- a question has no content
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            ranged = self.headers.get("x-ms-range") or self.headers.get("Range") or ""
            return storage.reply(Asked(unquote(parts.path), query, ranged, self.headers.get("If-Match") or ""))

    with listening(Asking) as url:
        storage.url = url
        yield storage


@pytest.fixture
def storage() -> Iterator[Storage]:
    with served() as found:
        yield found


def source(storage: Storage, below: str = "", **options: object) -> AzureBlobs:
    place = f"{storage.url}/account/{CONTAINER}{below}?{SECRET}"
    return AzureBlobs(place, patience=0, **options)  # pyright: ignore[reportArgumentType] -- some of the options


def names(batch: Batch) -> list[str]:
    return [file.name.partition(f"{CONTAINER}/")[2] for file in batch.files]


def test_every_page_of_the_list_is_fetched_and_every_blob_copied(storage: Storage) -> None:
    storage.blobs = {name_of(hour): LOG + b" " * hour for hour in range(5)}
    storage.page = 2
    (batch,) = list_of(source(storage))
    assert names(batch) == [name_of(hour) for hour in range(5)]
    assert [file.size for file in batch.files] == [len(LOG) + hour for hour in range(5)]
    assert [asked.query.get("marker") for asked in storage.asked if asked.lists] == [None, "2", "4"]
    assert all(asked.query["sig"] == "c2VjcmV0" for asked in storage.asked)


def list_of(blobs: AzureBlobs) -> list[Batch]:
    """All batches, and that each one's copies are there while it is looked at, and gone afterwards."""
    found: list[Batch] = []
    for batch in blobs.batches():
        assert all(file.path.stat().st_size == file.size for file in batch.files)
        assert all(not file.path.exists() for each in found for file in each.files)
        found.append(batch)
    assert all(not file.path.exists() for each in found for file in each.files)
    return found


def test_the_copies_are_flow_logs_as_they_were(storage: Storage) -> None:
    storage.blobs = {name_of(1): LOG, name_of(2): LOG}
    for batch in source(storage).batches():
        assert all(file.path.read_bytes() == LOG for file in batch.files)
        (group,) = grouped(batch.files).groups
        assert (group.format.name, len(group.files)) == ("azure-vnet", 2)


def test_who_stops_early_leaves_no_copies(storage: Storage) -> None:
    storage.blobs = {name_of(1): LOG}
    batches = source(storage).batches()
    batch = next(batches)
    batches.close()
    assert not batch.files[0].path.exists()


def test_a_batch_holds_no_more_than_its_bytes_and_a_large_blob_stands_alone(storage: Storage) -> None:
    sizes = [40, 40, 40, 200, 40]
    storage.blobs = {name_of(hour): b"x" * size for hour, size in enumerate(sizes)}
    assert [[file.size for file in batch.files] for batch in list_of(source(storage, batch=100))] == [
        [40, 40],
        [40],
        [200],
        [40],
    ]


def test_only_blobs_below_the_prefix_are_asked_for(storage: Storage) -> None:
    storage.blobs = {"a b/y=2026/PT1H.json": LOG, "c/PT1H.json": LOG}
    (batch,) = list_of(source(storage, "/a%20b/"))
    assert names(batch) == ["a b/y=2026/PT1H.json"]
    assert storage.asked[0].query["prefix"] == "a b/"


def test_the_size_is_known_before_anything_is_fetched(storage: Storage) -> None:
    storage.blobs = {name_of(1): b"x" * 10, name_of(2): b"x" * 20}
    blobs = source(storage)
    assert blobs.size == 30
    assert all(asked.lists for asked in storage.asked)
    list_of(blobs)
    assert sum(asked.lists for asked in storage.asked) == 1


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("10:00", None, [10, 11, 12, 13]),
        ("10:30", "11:30", [10, 11]),
        (None, "10:59", [8, 9, 10, 11]),
        (None, "10:50", [8, 9, 10]),
        ("11:00", "11:00", [11]),
    ],
)
def test_only_hours_that_touch_the_window_are_fetched(
    storage: Storage, since: str | None, until: str | None, hours: list[int]
) -> None:
    storage.blobs = {name_of(hour): LOG for hour in range(8, 14)}
    begin, end = (
        None if time is None else datetime.fromisoformat(f"2026-01-09T{time}").replace(tzinfo=UTC)
        for time in (since, until)
    )
    (batch,) = list_of(source(storage, since=begin, until=end))
    assert names(batch) == [name_of(hour) for hour in hours]
    assert [note for note in batch.notes if "outside of the window" in note]


def test_what_is_passed_over_is_told_once(storage: Storage) -> None:
    storage.blobs = {"readme.md": b"x", name_of(1): LOG, name_of(2): LOG}
    first, second = list_of(source(storage, batch=10))
    assert [note.split(" of ")[0] for note in first.notes] == ["1 blob"]
    assert second.notes == ()


def test_a_container_without_flow_logs_is_an_error(storage: Storage) -> None:
    storage.blobs = {"readme.md": b"x"}
    with pytest.raises(InputError, match=r"there is no blob of flow logs$"):
        list_of(source(storage))
    storage.blobs = {name_of(1): LOG}
    with pytest.raises(InputError, match="outside of the window: 1 blob"):
        list_of(source(storage, since=datetime(2026, 2, 1, tzinfo=UTC)))


def test_a_large_blob_comes_in_ranges(storage: Storage) -> None:
    content = bytes(range(256)) * (33 << 12)
    storage.blobs = {name_of(1): content}
    for batch in source(storage).batches():
        assert batch.files[0].path.read_bytes() == content
    ranges = [asked for asked in storage.asked if not asked.lists]
    assert len(ranges) > 1
    assert [asked.condition for asked in ranges] == ["", *['"0x8D"'] * (len(ranges) - 1)]


def test_a_blob_that_is_written_to_while_it_is_read_is_begun_anew(storage: Storage) -> None:
    storage.blobs = {name_of(1): b"x" * (33 << 20)}
    changed: list[int] = []

    def once(asked: Asked, before: int) -> Reply | None:
        if asked.condition and not changed:
            changed.append(before)
            return refused(412, "ConditionNotMet")
        return None

    storage.trouble = once
    (batch,) = list_of(source(storage))
    assert [file.size for file in batch.files] == [33 << 20]
    storage.trouble = lambda asked, _before: refused(412, "ConditionNotMet") if asked.condition else None
    (batch,) = list_of(source(storage))
    assert batch.files == ()
    assert "Azure was writing to it" in batch.losses[0].reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (refused(404, "BlobNotFound"), "it is not there any more"),
        (refused(403, "AuthorizationPermissionMismatch"), "the storage answered 403 (AuthorizationPermissionMismatch)"),
        (refused(409, "BlobArchived"), "it is archived: bring it back to an online tier first"),
        (refused(503, "ServerBusy"), "the storage answered 503 (ServerBusy)"),
        (Reply(206, LOG, {"Content-Range": f"bytes 0-{len(LOG) - 1}/{len(LOG)}"}, cut=True), "the connection failed"),
    ],
    ids=["gone", "denied", "archived", "busy", "cut"],
)
def test_a_blob_that_cannot_be_had_is_a_loss_and_costs_no_other(storage: Storage, reply: Reply, reason: str) -> None:
    storage.blobs = {name_of(1): LOG, name_of(2): LOG}
    storage.trouble = lambda asked, _before: reply if name_of(1) in asked.path else None
    (batch,) = list_of(source(storage))
    assert names(batch) == [name_of(2)]
    (loss,) = batch.losses
    assert loss.name.endswith(name_of(1))
    assert loss.reason.startswith(reason)


def test_what_fails_once_is_asked_again(storage: Storage) -> None:
    storage.blobs = {name_of(1): LOG}
    storage.trouble = lambda _asked, before: refused(503, "ServerBusy") if before in (0, 2) else None
    (batch,) = list_of(source(storage))
    assert names(batch) == [name_of(1)]


def test_an_empty_blob_is_an_empty_file(storage: Storage) -> None:
    storage.blobs = {name_of(1): b""}
    (batch,) = list_of(source(storage))
    assert [file.size for file in batch.files] == [0]


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (refused(404, "ContainerNotFound"), CollectError, "the account has no such container"),
        (refused(403, "AuthorizationPermissionMismatch"), CredentialsError, "Storage Blob Data Reader"),
        (refused(403, "AuthorizationFailure"), CredentialsError, "network rules"),
        (refused(403, "AuthenticationFailed"), CredentialsError, "not valid, or expired"),
        (refused(403, "SomethingNew"), CredentialsError, "denied (SomethingNew)"),
        (refused(409, "PublicAccessNotPermitted"), CredentialsError, "without a login"),
        (refused(500, "InternalError"), CollectError, "the storage answered 500 (InternalError)"),
        (Reply(200, b"<html>", {"Content-Type": "application/xml"}), CollectError, "cannot be read"),
    ],
)
def test_a_container_that_cannot_be_listed_is_an_error_that_says_what_to_do(
    storage: Storage, reply: Reply, kind: type[CloudsegError], text: str
) -> None:
    storage.trouble = lambda _asked, _before: reply
    with pytest.raises(kind, match=re.escape(text)) as caught:
        list_of(source(storage))
    assert f"account/{CONTAINER}" in str(caught.value)
    assert "sig=" not in str(caught.value)


def test_an_account_that_cannot_be_reached_is_said_so_without_the_signature() -> None:
    with served() as gone:
        pass
    with pytest.raises(CollectError, match="there is no account of that name, or no way to it") as caught:
        list_of(source(gone))
    assert "sig=" not in str(caught.value)


class Without:
    """A credential that finds nothing to log in with."""

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        raise CredentialUnavailableError(message=f"nothing for {scopes}")


def test_without_credentials_the_error_says_how_to_log_in() -> None:
    blobs = AzureBlobs(f"https://shop.blob.core.windows.net/{CONTAINER}", credential=Without(), patience=0)
    with pytest.raises(CredentialsError, match="az login"):
        list_of(blobs)


def test_the_name_of_a_blob_cannot_lead_out_of_the_folder(storage: Storage) -> None:
    storage.blobs = {"../../../etc/./PT1H.json": LOG, "//x:y/PT1H.json": LOG}
    for batch in source(storage).batches():
        for file in batch.files:
            assert ".." not in file.path.parts
            assert file.path.read_bytes() == LOG


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("https://shop.blob.core.windows.net/", "name the container too"),
        ("https://shop.blob.core.windows.net.evil.example/logs", "no address of Azure's blob storage"),
        ("https://files.example.com/logs", "sent no token"),
        ("http://shop.blob.core.windows.net/logs", "no address of Azure's blob storage"),
        ("https://user:word@shop.blob.core.windows.net/logs", "without a user"),
    ],
)
def test_no_other_host_is_sent_a_token(place: str, text: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(text)) as caught:
        AzureBlobs(place)
    assert "word" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("https://shop.blob.core.windows.net/logs/x", True),
        ("https://shop.z13.blob.storage.azure.net/logs", True),
        ("https://shop.blob.core.usgovcloudapi.net/logs", True),
        ("https://shop.blob.core.chinacloudapi.cn/logs", True),
        ("http://127.0.0.1:10000/devstoreaccount1/logs", True),
        ("https://example.com/logs", False),
        ("s3://bucket/logs", False),
        ("folder/logs", False),
    ],
)
def test_what_is_an_address_of_the_blob_storage(place: str, expected: object) -> None:
    assert is_blob_place(place) is expected


def test_the_name_that_people_see_holds_no_signature(storage: Storage) -> None:
    assert source(storage, "/x/").name == f"{storage.url}/account/{CONTAINER}/x"
    assert json.dumps(SECRET) not in source(storage).name
