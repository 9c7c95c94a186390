"""`cloudseg audit aws` against bare boto3 making the same calls, and against Cloud Custodian.

An API on a loopback port (moto's server in a process of its own) is filled with a generated account; every client runs
in fresh processes. Run as ``python -m benchmarks.audit_aws [RUNS]``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks.custodian import Custodian, install, write_policies
from benchmarks.processes import (
    API_GROUPS,
    API_INSTANCES,
    API_RULES,
    PYTHON,
    Cost,
    aws_environment,
    fill_api,
    median_of,
    request,
    run,
    served,
)
from benchmarks.recording import Recorded
from benchmarks.results import Budget, Result

__all__ = ["measure"]

REGION = "eu-west-1"
_AUDITED = (0, 1, 3)
"""Exit codes of an audit that ran: nothing, findings, gaps."""


class _Api:
    """The filled API: runs clients against it and counts what they ask."""

    def __init__(self, url: str, home: str) -> None:
        self.url = url
        self.environment = aws_environment(url, home)

    def cost(self, command: list[str], runs: int, codes: tuple[int, ...] = (0,)) -> tuple[Cost, int]:
        """Return the medians of several runs and the requests of the last; a first run, which warms, is not counted."""
        costs: list[Cost] = []
        for _ in range(runs + 1):
            request(f"{self.url}/benchmark/reset", "POST")
            costs.append(run(command, self.environment, codes))
        return median_of(costs[1:]), int(request(f"{self.url}/benchmark/requests"))


def measure(runs: int = 5, custodian: Custodian | None = None) -> Result:
    """Fill an API, run the clients and return what they cost."""
    with tempfile.TemporaryDirectory() as folder, served("benchmarks.api_server") as url:
        place = Path(folder)
        api = _Api(url, folder)
        fill_api(api.environment, REGION)
        recorded = place / "calls.json"
        run([PYTHON, "-m", "benchmarks.recording", str(recorded), REGION], api.environment)
        calls = msgspec.json.decode(recorded.read_bytes(), type=list[Recorded])
        audit = [PYTHON, "-m", "cloudseg", "audit", "aws", "--region", REGION, "--format", "json"]
        collect = [PYTHON, "-m", "cloudseg", "collect", "aws", "--region", REGION, "-o", str(place / "snapshot")]
        clients = {
            "cloudseg audit aws": api.cost(audit, runs, _AUDITED),
            "cloudseg collect aws": api.cost(collect, runs, _AUDITED),
            "bare boto3, the same calls": api.cost([PYTHON, "-m", "benchmarks.bare_boto3", str(recorded)], runs),
        }
        peer = custodian or install(place / "custodian")
        if peer.program is not None:
            policies = place / "policies.json"
            count = write_policies(policies)
            command = [str(peer.program), "run", "-s", str(place / "out"), "-r", REGION, "--cache-period", "0"]
            # It ends with 2 where a policy failed, as some do on what moto does not know.
            clients[f"Cloud Custodian {peer.version}, {count} policies"] = api.cost(
                [*command, str(policies)], runs, (0, 2)
            )
    return _result(clients, calls, peer)


def _result(clients: dict[str, tuple[Cost, int]], calls: list[Recorded], peer: Custodian) -> Result:
    rows = tuple(
        (name, str(requests), f"{cost.cpu:.2f}", f"{cost.wall:.2f}", f"{cost.memory:.0f}")
        for name, (cost, requests) in clients.items()
    )
    (audit, asked), (_, _), (bare, _), *others = clients.values()
    needed = len({msgspec.json.encode(call, order="sorted") for call in calls})
    custodian = others[0][0].cpu if others else None
    budgets = (
        Budget("client CPU of the audit over bare boto3 making the same calls", audit.cpu / bare.cpu, 1.5),
        Budget(
            "client CPU of the audit over Cloud Custodian's",
            None if custodian is None else audit.cpu / custodian,
            0.6,
            note="" if peer.program else f"it did not install: {peer.problem}",
        ),
        Budget(f"requests over the {needed} different pages and calls", asked / needed, 1.05),
    )
    about = (
        f"{API_GROUPS} groups with {API_RULES:,} rules, {API_INSTANCES} instances, one region, on a moto server in "
        "a process of its own. CPU is user and system time of the client's process; wall time is mostly the server's."
    )
    header = ("client", "requests", "CPU s", "wall s", "MiB")
    return Result("Auditing an account", about, header, rows, budgets)


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5).markdown())
