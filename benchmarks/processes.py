"""Runs programs in fresh processes and says what they cost.

The largest memory of a process is at least that of the one that started it, so what is large (generated accounts, SDKs)
is made in processes of its own too.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

__all__ = [
    "API_GROUPS",
    "API_INSTANCES",
    "API_RULES",
    "PYTHON",
    "ROOT",
    "Cost",
    "aws_environment",
    "fill_api",
    "median_of",
    "request",
    "run",
    "served",
]

API_RULES, API_GROUPS, API_INSTANCES, API_NETWORKS = 4000, 500, 330, 4
"""How large an account an API is filled with."""
ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable


class Cost(msgspec.Struct, frozen=True):
    """What one process cost: wall and CPU time (user and system) in seconds, the largest memory in MiB."""

    wall: float
    cpu: float
    memory: float
    output: bytes = b""
    code: int = 0


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, codes: Sequence[int] = (0,)) -> Cost:
    """Run a program to its end and return what it cost.

    Raises:
        RuntimeError: it ended with another code than those expected.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(command), stdout=output, stderr=errors, stdin=subprocess.DEVNULL, cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = code = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if code not in codes:
            shown = errors.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with {code}: {shown}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.read(), code)


def median_of(costs: Sequence[Cost]) -> Cost:
    """Return the medians of several runs; output and code are those of the last."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.memory for cost in costs),
        costs[-1].output,
        costs[-1].code,
    )


@contextmanager
def served(module: str, *arguments: str) -> Generator[str]:
    """Run a server module, which prints its URL first, for as long as the context lasts."""
    # moto writes a traceback for every operation that it does not know.
    process = subprocess.Popen(
        [PYTHON, "-m", module, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, text=True
    )
    try:
        if process.stdout is None:
            raise RuntimeError(f"{module} has no output")
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"{module} did not start; run it by hand to see why")
        yield url
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def request(url: str, method: str = "GET") -> bytes:
    """Ask a server of :func:`served` and return its answer."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
        return answer.read()


def aws_environment(url: str, home: str) -> dict[str, str]:
    """Return the environment of a client of an API on a loopback port: dummy keys, and no configuration of its own."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_SESSION_TOKEN": "",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(Path(home) / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(Path(home) / "credentials"),
        "NO_PROXY": "127.0.0.1",
        "HOME": home,
    }


def fill_api(environment: Mapping[str, str], region: str) -> None:
    """Fill the API that the environment names with a generated account."""
    size = [str(count) for count in (API_RULES, API_GROUPS, API_INSTANCES, API_NETWORKS)]
    run([PYTHON, "-m", "benchmarks.account_api", region, *size], environment)
