"""The sources of an estate, one folder each. Nothing here is loaded before it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloudseg.model import Estate
    from cloudseg.snapshot import Snapshot

__all__ = ["TRANSLATORS"]


def _aws() -> Callable[[Snapshot], Estate]:
    from cloudseg.providers.aws.translate import translate

    return translate


def _azure() -> Callable[[Snapshot], Estate]:
    from cloudseg.providers.azure.translate import translate

    return translate


def _gcp() -> Callable[[Snapshot], Estate]:
    from cloudseg.providers.gcp.translate import translate

    return translate


def _kubernetes() -> Callable[[Snapshot], Estate]:
    from cloudseg.providers.kubernetes.translate import translate

    return translate


TRANSLATORS: Mapping[str, Callable[[], Callable[[Snapshot], Estate]]] = {
    "aws": _aws,
    "azure": _azure,
    "gcp": _gcp,
    "kubernetes": _kubernetes,
}
