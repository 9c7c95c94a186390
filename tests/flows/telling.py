"""From log files to rows: what the tests of whole runs share."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

from tests.flows.simulated.running import read_rows, summarised

if TYPE_CHECKING:
    from pathlib import Path

    from cloudseg.flows.conversations import Conversation

__all__ = ["found", "said", "the_one", "write"]


def write(folder: Path, **files: str) -> list[Path]:
    """Write files: ``__`` in a name stands for a dot, ``gz`` at its end has it compressed."""
    paths: list[Path] = []
    for name, text in files.items():
        path = folder / name.replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
        paths.append(path)
    return paths


def found(folder: Path, **files: str) -> list[Conversation]:
    """Write log files and return the conversations of them."""
    paths = write(folder / "logs", **files)
    output = folder / "conversations.parquet"
    summarised(paths, output)
    return read_rows(output)


def the_one(folder: Path, **files: str) -> Conversation:
    """Likewise, where there has to be one conversation alone."""
    rows = found(folder, **files)
    assert len(rows) == 1, said(rows)
    return rows[0]


def said(rows: list[Conversation]) -> list[str]:
    """Write rows shortly: who to whom, protocol and port, verdict, evidence."""
    return sorted(
        f"{row.initiator} -> {row.responder} {row.protocol}/{row.port} {row.verdict} {row.evidence}" for row in rows
    )
