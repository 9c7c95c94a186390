"""The bundled estate, which no test changes: it is read, translated and audited once for all programs of a process."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Final
from unittest import mock

from cloudseg import engine, snapshot
from cloudseg.cli import sources
from cloudseg.demo import demo_snapshot_path
from cloudseg.engine import AuditRequest, FindingsDocument, Views
from cloudseg.model import Estate
from cloudseg.snapshot import Snapshot

_load, _translate, _run_audit = snapshot.load, sources.translate, engine.run_audit
_AUDITED: Final[list[tuple[AuditRequest, FindingsDocument]]] = []


@contextmanager
def bundled_once() -> Generator[None]:
    """Let programs share what is worked out of the bundled estate: snapshot, estate and findings are frozen values.

    Every program parses its words, makes its request, and writes its report by itself. Audits are shared by those who
    ask for the same, but not with observed conversations, which are read from a file.
    """
    with ExitStack() as stack:
        for where, name, shared in (
            (snapshot, "load", _loaded),
            (sources, "translate", _made),
            (engine, "run_audit", _audited),
        ):
            stack.enter_context(mock.patch.object(where, name, shared))
        yield


def _loaded(path: Path | str) -> Snapshot:
    return _bundled() if Path(path) == demo_snapshot_path() else _load(path)


def _made(read: Snapshot) -> Estate:
    return _estate() if read is _bundled() else _translate(read)


def _audited(estate: Estate, request: AuditRequest, views: Views | None = None) -> FindingsDocument:
    if estate is not _estate() or views is not None or request.flows is not None:
        return _run_audit(estate, request, views)
    for asked, found in _AUDITED:
        if asked == request:
            return found
    _AUDITED.append((request, _run_audit(estate, request)))
    return _AUDITED[-1][1]


@cache
def _bundled() -> Snapshot:
    return _load(demo_snapshot_path())


@cache
def _estate() -> Estate:
    return _translate(_bundled())
