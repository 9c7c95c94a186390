"""Where flow logs are: the words of a command line become sources of log files, and days become seconds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.cli.packages import package
from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.flows.files import LogSource
    from cloudseg.providers.aws.options import AwsOptions

__all__ = ["Window", "log_sources", "moment"]

_S3: Final = "s3://"
_LOG_GROUP: Final = "cloudwatch:"


class Window(NamedTuple):
    """The time that is asked for, in seconds since 1970; None: no bound."""

    since: int | None = None
    until: int | None = None


def moment(text: str | None, option: str) -> int | None:
    """Return a day (its begin in UTC) or a time as seconds since 1970; None where it was left out.

    Raises:
        InputError: the text is neither.
    """
    if text is None:
        return None
    try:
        if len(text) == len("2026-01-31"):
            return int(datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC).timestamp())
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text!r} is no time; write 2026-01-31, or 2026-01-31T06:00:00Z") from None
    # Logs are in UTC, and so is a time without a zone.
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def log_sources(logs: Sequence[str], window: Window, fields: tuple[str, ...], aws: AwsOptions) -> tuple[LogSource, ...]:
    """Return the sources of what was named; nothing is read or asked yet.

    Args:
        logs: paths, ``s3://bucket/prefix``, ``cloudwatch:GROUP``, addresses of Azure's blob storage, or ``demo``.
        window: the time that is asked for.
        fields: the fields of AWS records without a header; () where the files have one.
        aws: as whom to ask AWS.

    Raises:
        InputError: something is not there, or no address.
        CollectError: a package that is needed is not installed.
    """
    local: list[str] = []
    found: list[LogSource] = []
    for log in logs:
        if log.startswith((_S3, _LOG_GROUP)):
            found.append(_of_aws(log, window, fields, aws))
        elif log.startswith(("https://", "http://")):
            found.append(_of_azure(log, window))
        else:
            local.append(log)
    if local:
        from cloudseg.demo import demo_flows_path
        from cloudseg.flows.files import LocalFiles

        places = [str(demo_flows_path()) if each == "demo" else each for each in local]
        found.insert(0, LocalFiles(places, fields=fields))
    return tuple(found)


def _of_aws(log: str, window: Window, fields: tuple[str, ...], aws: AwsOptions) -> LogSource:
    with package("flow logs in AWS", "aws"):
        if log.startswith(_S3):
            from cloudseg.providers.aws.flow_files import S3Logs

            return S3Logs(log, aws, since=window.since, until=window.until, fields=fields)
        from cloudseg.providers.aws.flow_groups import CloudWatchLogs

    return CloudWatchLogs(log, aws, since=window.since, until=window.until, fields=fields)


def _of_azure(log: str, window: Window) -> LogSource:
    with package("flow logs in Azure", "flows-azure"):
        from cloudseg.providers.azure.flow_files import AzureBlobs

    since, until = (None if each is None else datetime.fromtimestamp(each, UTC) for each in window)
    return AzureBlobs(log, since=since, until=until)
