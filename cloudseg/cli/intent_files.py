"""The files of `cloudseg intent`: the intent, read before and written whole, and the probes."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.errors import InputError

if TYPE_CHECKING:
    from cloudseg.intent import Intent
    from cloudseg.intent.probes import Probe
    from cloudseg.model import Estate

__all__ = ["check_outputs", "read_existing", "write_intent_file", "write_probes"]

_SCRIPT: Final = ".sh"
_COLUMNS: Final = (
    "expected", "from_segment", "from", "from_address", "to_segment", "to", "to_address", "protocol", "port", "why",
)  # fmt: skip


def check_outputs(intent: Path | None, probes: Path | None) -> None:
    """Refuse files that cannot be written, before an account is read for an hour.

    Raises:
        InputError: a folder is not there or cannot be written, a name is a folder's, or the probes are no script.
    """
    from cloudseg.cli.output import check_files

    if probes is not None and probes.suffix != _SCRIPT:
        raise InputError(
            f"--probes {probes}: name a script, such as probes.sh; the list stands beside it as probes.csv"
        )
    paths = [] if intent is None else [intent]
    check_files([*paths, *((probes, probes.with_suffix(".csv")) if probes is not None else ())])


def read_existing(path: Path | None) -> tuple[str | None, Intent]:
    """Return the text of an intent that is there, and what it says; None and an empty one where there is none.

    Raises:
        ConfigError: it is there, and is no intent. Nothing is written over it.
        InputError: it cannot be read.
    """
    from cloudseg.intent import Intent
    from cloudseg.intent_file import read_intent

    if path is None or not path.exists():
        return None, Intent()
    intent = read_intent(path)
    try:
        # The ends of lines stay as they are.
        with path.open(encoding="utf-8", newline="") as stream:
            return stream.read(), intent
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error


def write_intent_file(path: Path | None, before: str | None, text: str, intent: Intent) -> bool:
    """Write the text of an intent, whole or not at all; to standard output without a path.

    Returns whether it differs from what was there before.

    Raises:
        InputError: it cannot be written, or the text would not say what it is to say, which is a file written in a way
            that cannot be brought up to date.
    """
    from cloudseg.cli.terminal import as_data

    # What a link leads to is written, and the link stays.
    path = None if path is None else Path(os.path.realpath(path))
    folder = Path(tempfile.gettempdir()) if path is None else path.parent
    try:
        handle, name = tempfile.mkstemp(prefix=".intent.", suffix=".yaml", dir=folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            _confirm(temporary, intent, path)
            if path is not None and text != before:
                temporary.chmod(_mode_of(path))
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {path or 'the intent'}: {error.strerror}; choose another --output") from error
    if path is None:
        as_data(sys.stdout)
        sys.stdout.write(text)
        sys.stdout.flush()
    return text != before


def _confirm(written: Path, intent: Intent, path: Path | None) -> None:
    """Make sure that a text says what was there before and what was added, and nothing else.

    Raises:
        InputError: it does not.
    """
    from cloudseg.errors import ConfigError
    from cloudseg.intent_file import read_intent

    try:
        same = _placeless(read_intent(written)) == _placeless(intent)
    except ConfigError:
        same = False
    if not same:
        raise InputError(
            f"{path or 'the intent'}: cannot be brought up to date without changing what it says; nothing was written. "
            "Write the segments and the entries of `allow` on lines of their own, or name another --output"
        )


def _placeless(intent: Intent) -> Intent:
    return msgspec.structs.replace(
        intent,
        segments=tuple(msgspec.structs.replace(each, place="") for each in intent.segments),
        allow=tuple(msgspec.structs.replace(each, place="") for each in intent.allow),
    )


def _mode_of(path: Path) -> int:
    """Return the permissions of a file; those that a new one gets where there is none."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_probes(path: Path, estate: Estate, intent: Intent) -> int:
    """Write the script of probes for pods, and the list of all of them beside it; returns how many there are.

    Raises:
        InputError: they cannot be written.
    """
    from cloudseg.intent.probe_script import probe_script
    from cloudseg.intent.probes import probes_of
    from cloudseg.segments import resolve_segments

    matrix = intent.allowed(resolve_segments(intent.segments, estate), estate.taken_at)
    probes = probes_of(estate, matrix).probes
    try:
        path.write_text(probe_script(probes, estate.taken_at), encoding="utf-8", newline="")
        path.chmod(0o755 & _mode_of(path) | 0o100)
        with path.with_suffix(".csv").open("w", encoding="utf-8", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(_COLUMNS)
            rows.writerows(map(_row, probes))
    except OSError as error:
        raise InputError(f"cannot write the probes to {path}: {error.strerror}; choose another --probes") from error
    return len(probes)


def _row(probe: Probe) -> list[str]:
    from cloudseg.reporters.csv_cells import csv_cell

    source = "internet" if probe.source is None else probe.source.label
    cells = (
        probe.expected, probe.source_segment, source, probe.source_address, probe.target_segment, probe.target.label,
        probe.target_address, probe.protocol, str(probe.port), probe.why,
    )  # fmt: skip
    return [csv_cell(cell) for cell in cells]
