from collections.abc import Callable
from pathlib import Path

import pytest

from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot, SnapshotGap

ACCOUNT = "111122223333"


@pytest.fixture
def groups_part() -> Part:
    return Part("aws", ACCOUNT, "us-east-1", "ec2", "describe_security_groups")


@pytest.fixture
def snapshot(groups_part: Part) -> Snapshot:
    listeners = Part("aws", ACCOUNT, "us-east-1", "elbv2", "describe_listeners", "arn:aws:elb:x:loadbalancer/app/a/1")
    buckets = Part("aws", ACCOUNT, "global", "s3", "list_buckets")
    answers: dict[Part, object] = {
        groups_part: {"SecurityGroups": [{"GroupId": "sg-1", "Description": "caf\u00e9 \x1b[31m", "Tags": []}]},
        listeners: {"Listeners": [{"Port": 443, "Big": 2**70, "Ratio": 0.1, "None": None, "On": True}]},
        buckets: [{"Name": "bare-array"}],
    }
    gap = SnapshotGap("aws", ACCOUNT, "us-east-1", "rds", "describe_db_instances", None, "denied", "AccessDenied: no")
    scope = ScopeRead("aws", ACCOUNT, ("us-east-1",), f"arn:aws:iam::{ACCOUNT}:user/audit", "prod")
    return Snapshot.of(answers, Manifest("2026-11-21T10:00:00Z", "cloudseg test", (scope,), (gap,)))


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write one file of a snapshot folder; answers the folder."""

    def write(name: str, content: bytes) -> Path:
        file = tmp_path / "estate" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return tmp_path / "estate"

    return write
