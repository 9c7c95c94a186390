"""The program as a user runs it, in an empty folder, without colours or credentials."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.program import least_environment, started_here

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Part = Callable[[str, object], None]

OPEN_SSH = {
    "GroupId": "sg-1",
    "GroupName": "bastion",
    "OwnerId": "111122223333",
    "VpcId": "vpc-1",
    "Description": "bastion hosts",
    "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "ssh"}]}
    ],
    "IpPermissionsEgress": [],
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `cloudseg` with arguments in an empty folder; returns what it printed and its exit code."""

    def start(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return started_here(arguments, tmp_path, {**least_environment(tmp_path), **(environment or {})})

    return start


@pytest.fixture
def run_apart(tmp_path: Path) -> Run:
    """The same in a process of its own, for what happens at its borders."""

    def start(*arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cloudseg", *arguments],
            cwd=tmp_path,
            env={**least_environment(tmp_path), **(environment or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return start


@pytest.fixture
def part(tmp_path: Path) -> Part:
    """Write one answer of the snapshot `estate` in the folder in which the program runs."""

    def write(path: str, payload: object) -> None:
        file = tmp_path / "estate" / "aws" / "111122223333" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(payload if isinstance(payload, str) else json.dumps(payload), encoding="utf-8")

    return write


@pytest.fixture
def open_ssh(part: Part) -> Part:
    """A snapshot with one group that opens SSH to everyone; its interfaces were not read."""
    part("eu-west-1/ec2/describe_security_groups.json", {"SecurityGroups": [OPEN_SSH]})
    return part


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the bundled logs' conversations, which no test changes."""
    folder = tmp_path_factory.mktemp("bundled")
    result = started_here(("flows", "demo", "-o", "seen.parquet", "--quiet"), folder, least_environment(folder))
    assert result.returncode == 0, result.stderr
    return folder / "seen.parquet"


@pytest.fixture
def conversations(bundled: Path, tmp_path: Path) -> str:
    """A copy of it, in the folder in which the program runs."""
    shutil.copy(bundled, tmp_path)
    return bundled.name
