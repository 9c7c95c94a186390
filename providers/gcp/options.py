"""What a run over Google Cloud is asked to read."""

import msgspec

__all__ = ["GcpOptions"]


class GcpOptions(msgspec.Struct, frozen=True):
    """What to read of Google Cloud, and how fast. The credentials are the application default ones.

    Without ``projects``, ``folders`` and ``organizations`` the default project of the credentials is read. A project is
    named by its id, a folder or an organisation by its number; all active projects below it are meant.
    ``calls_per_second`` counts for each project, ``asset_calls_per_second`` for the asset inventory; ``attempts``
    includes the first; a longer wait than ``longest_wait`` that a service asks for ends a call. Timeouts and waits are
    in seconds.
    """

    projects: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    max_workers: int = 16
    calls_per_second: float = 20.0
    asset_calls_per_second: float = 1.5
    attempts: int = 5
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    longest_wait: float = 120.0
