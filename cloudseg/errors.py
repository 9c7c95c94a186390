"""Every error that cloudseg raises on purpose, under one root.

    CloudsegError                 anything the command line reports in one line, without a traceback
    ├── InputError                what the user handed over cannot be used           (exit code 2)
    │   ├── ParseError            a text is no address, port, traffic or selector
    │   ├── ConfigError           cloudseg.toml, waivers or an option is wrong
    │   └── SnapshotError         a snapshot is broken, truncated or not one
    ├── CollectError              a cloud cannot be read at all                      (exit code 2)
    │   └── CredentialsError      no credentials, or expired, or not accepted
    └── EditError                 an edit does not fit the estate it is applied to   (exit code 4)

What can only be read in part is no error: it is a ``Gap`` in the result (exit code 3).
"""

__all__ = [
    "CloudsegError",
    "CollectError",
    "ConfigError",
    "CredentialsError",
    "EditError",
    "InputError",
    "ParseError",
    "SnapshotError",
]


class CloudsegError(Exception):
    """The root: its text names the place and says what to do next."""

    exit_code = 2


class InputError(CloudsegError):
    """What the user handed over cannot be used."""


class ParseError(InputError, ValueError):
    """A text is no address, port, traffic or selector."""


class ConfigError(InputError):
    """A configuration file, a waiver file or an option is wrong."""


class SnapshotError(InputError):
    """A snapshot, or one file in it, is broken, truncated or not a snapshot."""


class CollectError(CloudsegError):
    """A cloud cannot be read at all, so that there is nothing to judge."""


class CredentialsError(CollectError):
    """No credentials were found, or the cloud does not accept them."""


class EditError(CloudsegError):
    """An edit does not fit the estate it is applied to."""

    exit_code = 4
