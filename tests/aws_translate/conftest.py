"""Snapshots of one account from plain lists, translated."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import pytest

from cloudseg.model import Estate
from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.providers.aws.translate import translate
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot, SnapshotGap

ACCOUNT = "111122223333"
REGION = "eu-west-1"
KEYS = {f"{each.service}.{each.name}": each.key for each in OPERATIONS} | {
    "ec2.describe_prefix_lists": "PrefixLists",
    "elbv2.describe_target_groups": "TargetGroups",
    "elbv2.describe_target_health": "TargetHealthDescriptions",
    "elbv2.describe_target_group_attributes": "Attributes",
}

Answers = Mapping[str, object]


def _parts(account: str, answers: Answers) -> dict[Part, object]:
    parts: dict[Part, object] = {}
    for name, answer in answers.items():
        what, _, resource = name.partition("#")
        service, operation = what.split(".")
        part = Part("aws", account, REGION, service, operation, resource or None)
        parts[part] = {KEYS[what]: cast("object", answer)} if isinstance(answer, list) else answer
    return parts


@pytest.fixture
def translated() -> Callable[..., Estate]:
    """Translate answers named ``service.operation`` or ``service.operation#resource``; a list gets its key."""

    def build(
        answers: Answers,
        *,
        others: Mapping[str, Answers] | None = None,
        failed: Sequence[tuple[str, str]] = (),
    ) -> Estate:
        parts = _parts(ACCOUNT, answers)
        for account, more in (others or {}).items():
            parts |= _parts(account, more)
        gaps: list[SnapshotGap] = []
        for name, reason in failed:
            what, _, resource = name.partition("#")
            service, operation = what.split(".")
            assert reason in {"denied", "unsupported", "throttled"}
            because = "denied" if reason == "denied" else "unsupported" if reason == "unsupported" else "throttled"
            gaps.append(SnapshotGap("aws", ACCOUNT, REGION, service, operation, resource or None, because, reason))
        accounts = sorted({part.scope for part in parts} | {ACCOUNT})
        scopes = tuple(ScopeRead("aws", account, (REGION,), "") for account in accounts)
        return translate(Snapshot.of(parts, Manifest("2026-11-21T00:00:00Z", "test", scopes, tuple(gaps))))

    return build
