"""Which kinds of objects an audit judges: those that a reader of the translation declares."""

from __future__ import annotations

from typing import Final

from cloudseg.providers.kubernetes.translate import exposure, workloads
from cloudseg.providers.kubernetes.translate.policies import READ_KINDS

__all__ = ["JUDGED"]

# What a mesh takes its settings from, beside its policies.
_SETTINGS: Final = frozenset((("networking.istio.io", "DestinationRule"),))

JUDGED: Final = workloads.READS | exposure.READS | READ_KINDS | _SETTINGS
"""API group and kind of what an audit reads; other kinds are kept in the snapshot and counted."""
