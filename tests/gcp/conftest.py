from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.gcp.gcp_api import Google


@pytest.fixture
def google(tmp_path: Path) -> Iterator["Google"]:
    """A small Google Cloud on this machine, and an environment that leads there."""
    # Only who reads it live waits for the SDKs.
    from tests.gcp.gcp_api import serving
    from tests.gcp.live import shop

    held = shop()
    with serving(held, tmp_path):
        yield held
