"""Cloud Custodian as a peer: installed into an environment of its own, with policies that read what cloudseg reads."""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
from pathlib import Path

import msgspec

__all__ = ["Custodian", "install", "write_policies"]

# Where cloudseg reads a kind of resource, Custodian is asked for it too; filters only where it reads more by them.
_RESOURCES = (
    "vpc", "subnet", "route-table", "network-acl", "internet-gateway", "nat-gateway", "peering-connection",
    "transit-gateway", "transit-attachment", "security-group", "prefix-list", "eni", "network-addr", "ec2",
    "launch-template-version", "vpc-endpoint", "vpc-endpoint-service-configuration", "flow-log", "firewall",
    "globalaccelerator", "elb", "rds", "rds-cluster", "redshift", "elasticsearch", "cache-cluster", "memorydb", "eks",
    "lambda", "rest-api", "apigwv2", "kafka", "dms-instance", "efs", "efs-mount-target", "launch-config",
    "batch-compute", "codebuild", "ecs", "ecs-service", "event-bus", "event-rule", "event-rule-target",
    "vpc-lattice-service-network-association",
)  # fmt: skip
_FILTERED: dict[str, list[object]] = {
    "app-elb": [{"type": "listener", "key": "Protocol", "op": "ne", "value": "none"}],
    "s3": [{"type": "check-public-block"}],
}


class Custodian(msgspec.Struct, frozen=True):
    """The installed program; ``program`` is None where it does not install, and ``problem`` says why."""

    program: Path | None
    version: str = ""
    problem: str = ""


def install(folder: Path) -> Custodian:
    """Install ``c7n`` into a new virtual environment."""
    venv.create(folder, with_pip=True)
    pip = subprocess.run(
        [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "c7n"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if pip.returncode:
        reason = pip.stderr.strip().splitlines()[-1:] or ["pip failed"]
        shutil.rmtree(folder)
        return Custodian(None, problem=reason[0])
    program = folder / "bin" / "custodian"
    version = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout.strip()
    return Custodian(program, version)


def write_policies(file: Path) -> int:
    """Write one policy for each kind of resource and return how many there are."""
    policies: list[dict[str, object]] = [{"name": name, "resource": f"aws.{name}"} for name in _RESOURCES]
    for name, filters in _FILTERED.items():
        policies.append({"name": name, "resource": f"aws.{name}", "filters": filters})
    file.write_text(json.dumps({"policies": policies}), encoding="utf-8")
    return len(policies)
