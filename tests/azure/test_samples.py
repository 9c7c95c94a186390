"""Recorded answers of Azure are audited without an error."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from cloudseg.cli.sources import translate
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.snapshot import load

pytestmark = [
    pytest.mark.samples,
    pytest.mark.skipif("CLOUDSEG_SAMPLES" not in os.environ, reason="CLOUDSEG_SAMPLES names no folder of answers"),
]
_BEARERS: Final = {
    "ApplicationGatewayTest.test_find_by_name": ("application_gateway",),
    "BastionHostTest.test_find_by_name": ("bastion",),
    "NetworkInterfaceTest.test_find_by_default_routes": ("interface", "interface"),
}


def test_every_recording_is_audited_and_every_gap_has_its_reason() -> None:
    folders = sorted(path for path in (Path(os.environ["CLOUDSEG_SAMPLES"]) / "azure").iterdir() if path.is_dir())
    assert folders
    for folder in folders:
        estate = translate(load(folder))
        document = run_audit(estate, AuditRequest())
        assert all(gap.detail and gap.facets for gap in estate.gaps), folder.name
        assert document.checks, folder.name


@pytest.mark.parametrize(("recording", "roles"), sorted(_BEARERS.items()))
def test_what_has_interfaces_in_a_recording_has_them_in_the_estate(recording: str, roles: tuple[str, ...]) -> None:
    estate = translate(load(Path(os.environ["CLOUDSEG_SAMPLES"]) / "azure" / recording))
    assert tuple(sorted(each.role for each in estate.interfaces.values())) == roles
