"""A bundled estate to try things on: a bookshop in two fictional AWS accounts, with mistakes and parts that are right.

The JSON files under ``snapshot/`` are the source of truth; edit them by hand.
"""

from importlib.resources import files
from pathlib import Path

__all__ = ["demo_snapshot_path"]


def demo_snapshot_path() -> Path:
    """Return the folder of the bundled snapshot, in the layout that ``cloudseg.snapshot`` reads."""
    return Path(str(files(__name__) / "snapshot"))
