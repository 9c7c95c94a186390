from collections.abc import Iterator

import pytest

from tests.azure.arm_server import Azure, serving


@pytest.fixture
def azure() -> Iterator[Azure]:
    """A small Azure on this machine, and an environment that leads there."""
    # Only who reads it live waits for the SDKs.
    from tests.azure.live import shop

    held = shop()
    with serving(held):
        yield held
