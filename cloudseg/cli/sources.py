"""From the SOURCE words of a command line to snapshots and an estate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cloudseg.errors import CollectError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.config import Config
    from cloudseg.model import Estate
    from cloudseg.providers.aws.options import AwsOptions
    from cloudseg.snapshot import Snapshot

__all__ = ["aws_options", "read_snapshot", "translate"]

PLANNED = frozenset({"azure", "gcp", "kubernetes"})


def read_snapshot(sources: Sequence[str], aws: AwsOptions, *, quiet: bool) -> Snapshot:
    """Return one snapshot of all sources: APIs are read now, paths are loaded.

    Raises:
        InputError: no source was named, or one is neither a provider nor a snapshot.
        CollectError: a provider cannot be read at all.
    """
    from cloudseg.snapshot import merge

    if not sources:
        raise InputError(
            "nothing to read: name a source (`aws`, `demo`, the path of a snapshot), or set `sources` in cloudseg.toml"
        )
    snapshots = [_one(source, aws, quiet=quiet) for source in dict.fromkeys(sources)]
    return snapshots[0] if len(snapshots) == 1 else merge(snapshots)


def _one(source: str, aws: AwsOptions, *, quiet: bool) -> Snapshot:
    from cloudseg.snapshot import load

    if source == "aws":
        return _collect_aws(aws, quiet=quiet)
    if source == "demo":
        from cloudseg.demo import demo_snapshot_path

        return load(demo_snapshot_path())
    if source in PLANNED and not Path(source).exists():
        raise InputError(f"{source} cannot be read yet; this version reads `aws`, `demo` and snapshots of AWS")
    if not Path(source).exists():
        raise InputError(
            f"there is no {source!r}: a source is `aws`, `demo`, or the path of a snapshot made by `cloudseg collect`"
        )
    return load(source)


def _collect_aws(options: AwsOptions, *, quiet: bool) -> Snapshot:
    try:
        from cloudseg.providers.aws.collect import collect
    except ModuleNotFoundError as error:
        raise CollectError(
            f"reading AWS needs the package {error.name}; install it with `pip install 'cloudseg[aws]'`"
        ) from error
    if quiet or not sys.stderr.isatty():
        return collect(options)
    from cloudseg.cli.progress import progress_bar

    with progress_bar("Reading AWS") as advance:
        return collect(options, progress=advance)


def translate(snapshot: Snapshot) -> Estate:
    """Return the model of a snapshot, over every provider in it.

    Raises:
        InputError: the snapshot holds no answers that this version reads.
    """
    from cloudseg.model import Estate
    from cloudseg.providers import TRANSLATORS

    providers = sorted({part.provider for part in snapshot.parts()} | {scope.provider for scope in snapshot.scopes})
    known = [name for name in providers if name in TRANSLATORS]
    if not known:
        held = ", ".join(providers) or "no answers at all"
        raise InputError(f"the snapshot holds nothing to audit ({held}); this version reads {', '.join(TRANSLATORS)}")
    return Estate.merged([TRANSLATORS[name]()(snapshot) for name in known])


def aws_options(
    settings: Config,
    profiles: Sequence[str] | None,
    regions: Sequence[str] | None,
    roles: Sequence[str] | None,
    external_id: str | None,
    *,
    organization: bool,
) -> AwsOptions:
    """Return what to read of AWS: the options of the command line, each before its setting in the configuration."""
    from cloudseg.providers.aws.options import AwsOptions

    return AwsOptions(
        profiles=tuple(profiles or settings.aws.profile),
        regions=tuple(regions or settings.aws.region),
        assume_roles=tuple(roles or settings.aws.assume_role),
        external_id=external_id or settings.aws.external_id,
        organization=organization or settings.aws.organization,
    )
