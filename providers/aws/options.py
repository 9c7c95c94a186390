"""What a run over AWS is asked to read."""

import msgspec

__all__ = ["AwsOptions"]


class AwsOptions(msgspec.Struct, frozen=True):
    """What to read of AWS, as whom, and how fast.

    Without ``profiles`` the default credentials are used; without ``regions`` every enabled region is read. Each ARN of
    ``assume_roles`` is an account of its own, entered from the one profile. With ``organization`` the accounts are
    listed, and the first of ``assume_roles`` (its name, or an ARN whose name is taken) is assumed in each.
    ``calls_per_second`` counts for each account, region and service; ``attempts`` includes the first; timeouts are in
    seconds.
    """

    profiles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    assume_roles: tuple[str, ...] = ()
    external_id: str | None = None
    organization: bool = False
    max_workers: int = 32
    calls_per_second: float = 80.0
    attempts: int = 5
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
