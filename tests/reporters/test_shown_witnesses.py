"""Reports for people show the packet that a finding about a path tells of."""

import io

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.reporters import RenderOptions
from cloudseg.reporters.formats import FORMATS


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_the_packet_of_a_finding_is_shown(name: str) -> None:
    b = EstateBuilder()
    b.group("sg-web", allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.10", "203.0.113.10")
    stream = io.StringIO(newline="")
    FORMATS[name].write(run_audit(b.build(), AuditRequest()), stream, RenderOptions(width=200))
    assert "witness: 1.0.0.1 → 10.0.1.10 tcp/22" in stream.getvalue()
    assert "cloudseg explain SOURCE --from A --to B --traffic T" in stream.getvalue()
