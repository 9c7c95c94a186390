"""An interrupt ends a run at once, whatever still hangs; a silent endpoint does not hold up the way in."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import NoReturn

import pytest

from cloudseg.errors import CollectError
from cloudseg.providers.aws.clients import Clients, brief_config_of, open_session
from cloudseg.providers.aws.collect import AwsOptions, collect
from cloudseg.providers.aws.session import logins
from cloudseg.providers.pace import CallQueue

from .conftest import Parameters, Reply, Stub

# Far beyond what an interrupt takes, far below the read timeout of the run that hangs.
PATIENCE = 60
RUN = """
import signal
from cloudseg.providers.aws.collect import AwsOptions, collect
signal.signal(signal.SIGINT, signal.default_int_handler)
collect(AwsOptions(regions=("us-east-1",), attempts=1, connect_timeout=900, read_timeout=900))
"""


def interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def test_an_interrupt_waits_for_no_call_and_begins_none() -> None:
    queue = CallQueue(1)
    stuck, begun = threading.Event(), threading.Event()
    late: list[str] = []
    workers: list[threading.Thread] = []

    def hang() -> str:
        workers.append(threading.current_thread())
        begun.set()
        stuck.wait(PATIENCE)
        late.append("hung")
        queue.add(0, lambda: late.append("followed") or "")
        return ""

    queue.add(0, lambda: "first")
    queue.add(1, hang)
    queue.add(2, lambda: late.append("waited") or "")

    def progress(*_: object) -> None:
        begun.wait(PATIENCE)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        queue.run(progress)
    assert late == []
    (worker,) = workers
    assert worker.daemon
    stuck.set()
    worker.join(PATIENCE)
    assert late == ["hung"]


def test_an_interrupted_run_raises_while_a_call_hangs(stub: Stub) -> None:
    stuck = threading.Event()

    def hang(_: Parameters) -> Reply:
        stuck.wait(PATIENCE)
        return 200, b"<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>"

    stub(DescribeVpcs=hang)
    try:
        with pytest.raises(KeyboardInterrupt):
            collect(AwsOptions(regions=("us-east-1",), attempts=1), progress=interrupted)
        assert not stuck.is_set()
    finally:
        stuck.set()


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent an interrupt alone")
@pytest.mark.parametrize("action", ["DescribeRegions", "DescribeVpcs"])
def test_one_interrupt_ends_the_process_while_an_answer_hangs(stub: Stub, tmp_path: Path, action: str) -> None:
    asked, stuck = threading.Event(), threading.Event()

    def hang(_: Parameters) -> Reply:
        asked.set()
        stuck.wait(2 * PATIENCE)
        return 500, b""

    stub(**{action: hang})
    program = tmp_path / "run.py"
    program.write_text(RUN)
    with subprocess.Popen([sys.executable, str(program)], stderr=subprocess.PIPE) as process:
        try:
            assert asked.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=PATIENCE)
        finally:
            stuck.set()
            process.kill()
    assert process.returncode == -signal.SIGINT
    assert errors.rstrip().endswith(b"KeyboardInterrupt")


def waits(config: object) -> tuple[float, float, int]:
    retries: dict[str, int] = getattr(config, "retries", {})
    return getattr(config, "connect_timeout", 0), getattr(config, "read_timeout", 0), retries["total_max_attempts"]


def test_sts_is_asked_twice_for_ten_seconds_at_most_and_the_rest_with_patience() -> None:
    (login,) = logins(AwsOptions())
    clients = Clients(login.session, login.credentials, login.home, AwsOptions())
    assert waits(clients.need("sts").meta.config) == (5.0, 10.0, 2)
    assert waits(clients.need("ec2").meta.config) == (10.0, 60.0, 5)
    # A role is assumed by a client of the session itself.
    assert waits(login.session.get_default_client_config()) == (5.0, 10.0, 2)
    clients.close()


def test_shorter_waits_of_the_options_stay_short() -> None:
    options = AwsOptions(attempts=1, connect_timeout=1, read_timeout=2)
    assert waits(brief_config_of(options)) == (1, 2, 1)
    assert open_session(None).get_default_client_config() is None


def no_delay(*_: object) -> int:
    return 0


def test_an_endpoint_that_accepts_and_never_answers_is_asked_twice_who_it_lets_in(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = threading.Event()

    def hang(_: Parameters) -> Reply:
        stuck.wait(PATIENCE)
        return 500, b""

    stub(GetCallerIdentity=hang)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", no_delay)
    try:
        with pytest.raises(CollectError, match=r"AWS cannot be reached .*ReadTimeoutError"):
            collect(AwsOptions(read_timeout=0.05))
    finally:
        stuck.set()
    assert stub.seen.count("GetCallerIdentity") == 2
    # Which regions there are is asked at the same time, and nothing of what is in them.
    assert set(stub.seen) <= {"GetCallerIdentity", "DescribeRegions"}
