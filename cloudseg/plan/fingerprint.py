"""The fingerprint of what a plan was made from: a plan that is applied later must meet the same estate.

It stands for the answers alone and not for when or by whom they were read, so that reading again what has not changed
gives the same one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cloudseg.snapshot import Snapshot

__all__ = ["fingerprint"]


def fingerprint(snapshot: Snapshot) -> str:
    """Return the SHA-256, in hex, of all answers of a snapshot, whatever the order of their files and keys.

    Raises:
        SnapshotError: a file of the snapshot is broken.
    """
    whole = hashlib.sha256()
    # The parts come sorted by their names.
    for part in snapshot.parts():
        content = msgspec.json.encode(snapshot.read(part), order="sorted")
        whole.update(f"{part.path}\n{len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()
