"""A bundled estate to try things on: a bookshop on four platforms, half right and half wrong.

The JSON files under ``snapshot/`` are the source of truth; edit them by hand. ``intent.yaml`` says what may talk to
what in it. ``flows/`` holds flow logs of five weeks, ``names/`` what machines asked their resolver for;
``docs/demo_logs.py`` writes both from ``docs/demo_traffic.py``.
"""

from importlib.resources import files
from pathlib import Path

__all__ = ["demo_flows_path", "demo_intent_path", "demo_names_path", "demo_snapshot_path"]


def demo_snapshot_path() -> Path:
    """Return the folder of the bundled snapshot, in the layout that ``cloudseg.snapshot`` reads."""
    return Path(str(files(__name__) / "snapshot"))


def demo_intent_path() -> Path:
    """Return the intent of the bundled estate: three tiers, what surrounds them, and what one may open to another."""
    return Path(str(files(__name__) / "intent.yaml"))


def demo_flows_path() -> Path:
    """Return the folder of the bundled flow logs: of two AWS accounts, a VNet, a Google project and the cluster."""
    return Path(str(files(__name__) / "flows"))


def demo_names_path() -> Path:
    """Return the folder of the bundled logs of names: what machines of the shop asked their resolver for."""
    return Path(str(files(__name__) / "names"))
