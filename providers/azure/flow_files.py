"""Flow logs in an Azure storage account: the blobs of a container, copied batch by batch to this machine.

Network Watcher writes them to ``insights-logs-flowlogflowevent`` (virtual networks) and
``insights-logs-networksecuritygroupflowevent`` (network security groups), an hour's blob for each network adapter:
https://learn.microsoft.com/azure/network-watcher/flow-logs-read
"""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from azure.core.exceptions import ResourceModifiedError
from azure.storage.blob import ContainerClient, ExponentialRetry

from cloudseg.errors import InputError
from cloudseg.flows.files import Batch, LogFile, Unreadable
from cloudseg.providers.azure.flow_access import FAILURES, cause_of, logged_in, place_of, refused
from cloudseg.text import amount

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from azure.core.credentials import TokenCredential

__all__ = ["AzureBlobs"]

_BATCH: Final = 256 << 20
"""How many bytes lie on this machine at a time; a blob that is larger lies there alone."""
_BATCH_FILES: Final = 4096
_FETCHERS: Final = 8
_ATTEMPTS: Final = 3
"""How often a blob is begun anew that Azure writes to while it is read: it does so once a minute."""
_HOUR: Final = re.compile(r"/y=(\d{4})/m=(\d{1,2})/d=(\d{1,2})/h=(\d{1,2})/")
_KINDS: Final = (".json", ".json.gz")


class _Blob(NamedTuple):
    name: str
    size: int


class _Listed(NamedTuple):
    blobs: tuple[_Blob, ...]
    notes: tuple[str, ...]


class AzureBlobs:
    """The flow logs below ``https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX]``.

    One logs in as everywhere with azure-identity; a shared access signature in the address is used in its place. Only
    blobs of hours that touch the window are fetched. Copies are removed when the next batch is asked for.
    """

    def __init__(
        self,
        place: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        batch: int = _BATCH,
        credential: TokenCredential | None = None,
        patience: int = 1,
    ) -> None:
        """Take the place apart; nothing is asked of Azure yet.

        Args:
            place: the address of a container, and of what is below it.
            since: the begin of the window, with its time zone.
            until: its end, likewise.
            batch: how many bytes to have on this machine at a time.
            credential: what to log in with; None: what azure-identity finds.
            patience: the seconds before something is asked again, for the first time.

        Raises:
            ConfigError: the place is no address of a container, or of a host that is no storage of Azure's.
        """
        self._place = place_of(place)
        self._window = since, until
        self._batch = batch
        self._credential = credential
        self._patience = patience
        self._listed: _Listed | None = None
        self.name = f"{self._place.account}/{self._place.container}/{self._place.prefix}".rstrip("/")

    @property
    def size(self) -> int | None:
        """How many bytes the blobs have together.

        Raises:
            CloudsegError: as ``batches``.
        """
        if self._listed is None:
            with self._connected() as client:
                self._listed = self._list(client)
        return sum(blob.size for blob in self._listed.blobs)

    def batches(self) -> Generator[Batch]:
        """Hand out the blobs in order of their names, batch by batch, as copies that go when the next is asked for.

        Raises:
            CredentialsError: there are no credentials, or the storage does not accept them.
            CollectError: the container cannot be listed.
            InputError: there is nothing in it, or nothing of the window.
        """
        with self._connected() as client:
            listed = self._listed = self._listed or self._list(client)
            notes = listed.notes
            for blobs in _parted(listed.blobs, self._batch):
                with tempfile.TemporaryDirectory(prefix="cloudseg-flows-", ignore_cleanup_errors=True) as folder:
                    yield _fetched(client, blobs, Path(folder), notes)
                notes = ()

    def _connected(self) -> ContainerClient:
        place = self._place
        if not place.signature:
            self._credential = logged_in(place, self._credential)
        credential = None if place.signature else self._credential
        return ContainerClient(
            f"{place.account}?{place.signature}" if place.signature else place.account,
            place.container,
            credential,
            retry_policy=ExponentialRetry(
                initial_backoff=self._patience,
                increment_base=2 * self._patience,
                retry_total=3,
                random_jitter_range=self._patience,
            ),
            connection_timeout=20,
            read_timeout=60,
        )

    def _list(self, client: ContainerClient) -> _Listed:
        kept: list[_Blob] = []
        outside = others = 0
        try:
            for blob in client.list_blobs(name_starts_with=self._place.prefix or None):
                if not blob.name.lower().endswith(_KINDS):
                    others += 1
                elif not _touches(blob.name, *self._window):
                    outside += 1
                else:
                    kept.append(_Blob(blob.name, blob.size or 0))
        except FAILURES as error:
            raise refused(error, self._place) from error
        if not kept:
            why = f"; outside of the window: {amount(outside, 'blob')}" if outside else ""
            raise InputError(f"{self.name}: there is no blob of flow logs{why}")
        notes = [f"{amount(outside, 'blob')} of {self.name} left out: outside of the window"] if outside else []
        if others:
            notes.append(f"{amount(others, 'blob')} of {self.name} passed over that no flow log is named like")
        return _Listed(tuple(sorted(kept)), tuple(notes))


def _touches(name: str, since: datetime | None, until: datetime | None) -> bool:
    """Return whether the hour that a blob's name tells touches the window; what tells none does."""
    found = _HOUR.search(f"/{name}")
    if found is None:
        return True
    year, month, day, hour = (int(part) for part in found.groups())
    try:
        begin = datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:
        return True
    # An adapter's last tuples of an hour are written a minute later, and may stand in the next hour's blob.
    end = begin + timedelta(hours=1)
    return (since is None or end > since) and (until is None or begin - timedelta(minutes=5) <= until)


def _parted(blobs: Iterable[_Blob], most: int) -> Iterator[tuple[_Blob, ...]]:
    held: list[_Blob] = []
    size = 0
    for blob in blobs:
        if held and (size + blob.size > most or len(held) == _BATCH_FILES):
            yield tuple(held)
            held, size = [], 0
        held.append(blob)
        size += blob.size
    if held:
        yield tuple(held)


def _fetched(client: ContainerClient, blobs: tuple[_Blob, ...], folder: Path, notes: tuple[str, ...]) -> Batch:
    def fetch(numbered: tuple[int, _Blob]) -> LogFile | Unreadable:
        number, blob = numbered
        name = f"{client.url.partition('?')[0]}/{blob.name}"
        path = folder / str(number) / _safe(blob.name)
        path.parent.mkdir(parents=True)
        try:
            _copy(client, blob.name, path)
            return LogFile(path, path.stat().st_size, name)
        except FAILURES as error:
            return Unreadable(name, cause_of(error))

    with ThreadPoolExecutor(_FETCHERS) as fetchers:
        found = list(fetchers.map(fetch, enumerate(blobs)))
    files = tuple(file for file in found if isinstance(file, LogFile))
    return Batch(files, tuple(loss for loss in found if isinstance(loss, Unreadable)), notes)


def _safe(name: str) -> Path:
    """Return a blob's name as a path below a folder: the readers take what the log does not say from it."""
    return Path(*(re.sub(r"[^\w.=,+@ -]", "_", part) for part in name.split("/") if part.strip(".")))


def _copy(client: ContainerClient, name: str, path: Path) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            with path.open("wb") as file:
                client.download_blob(name).readinto(file)
        except ResourceModifiedError:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return
