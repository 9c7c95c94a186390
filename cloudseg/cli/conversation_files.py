"""The file of conversations that a command line names, or what the bundled flow logs tell: the word ``demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cloudseg.flows.conversations import Conversations

__all__ = ["DEMO", "open_conversations"]

DEMO: Final = "demo"
"""Stands for the bundled flow logs, where no file has this name."""


def open_conversations(path: Path) -> Conversations:
    """Open a file of conversations; for ``demo``, where there is no such file, those of the bundled flow logs.

    Raises:
        InputError: there is no such file, or it is none of conversations.
    """
    from cloudseg.flows.conversations import read_conversations

    return _bundled() if str(path) == DEMO and not path.exists() else read_conversations(path)


def _bundled() -> Conversations:
    import tempfile

    from cloudseg.demo import demo_flows_path
    from cloudseg.flows.columns import CONVERSATIONS
    from cloudseg.flows.conversations import read_conversations
    from cloudseg.flows.files import LocalFiles
    from cloudseg.flows.summarise import SummaryOptions, summarise

    with tempfile.TemporaryDirectory(prefix="cloudseg-demo-") as folder:
        file = Path(folder) / "conversations.parquet"
        summarise([LocalFiles([str(demo_flows_path())])], file, SummaryOptions())
        found = read_conversations(file)
        # Columns are kept once they are read, and the file goes.
        for column in CONVERSATIONS:
            found.column(column.name)
    return found
