"""What a run over Azure is asked to read."""

from typing import Final, Literal

import msgspec

__all__ = ["CLOUDS", "AzureOptions", "CloudName"]

CloudName = Literal["public", "china", "usgovernment"]
"""The clouds of Azure, each with a login and a Resource Manager of its own."""

CLOUDS: Final[tuple[CloudName, ...]] = ("public", "china", "usgovernment")


class AzureOptions(msgspec.Struct, frozen=True):
    """What to read of Azure, and how fast. The credentials are those that azure-identity finds.

    Without ``subscriptions`` and ``management_groups`` every visible subscription is read. A subscription is named by
    its id or its display name, a management group by its id; all subscriptions below it are meant. Without ``cloud``
    the environment says which one it is. ``calls_per_second`` counts for each subscription, ``queries_per_second`` for
    Resource Graph; ``attempts`` includes the first; a longer wait than ``longest_wait`` that Azure asks for ends a
    call. Timeouts and waits are in seconds.
    """

    subscriptions: tuple[str, ...] = ()
    management_groups: tuple[str, ...] = ()
    cloud: CloudName | None = None
    max_workers: int = 16
    calls_per_second: float = 25.0
    queries_per_second: float = 3.0
    attempts: int = 5
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    longest_wait: float = 120.0
