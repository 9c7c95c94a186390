"""A shop of two web machines, an app machine and a database, each with a group and a tag of its tier."""

from pathlib import Path

import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import Estate

ID = EstateBuilder.id


@pytest.fixture
def shop() -> Estate:
    builder = EstateBuilder()
    for own, tier, address, public in (
        ("eni-web1", "web", "10.0.1.11", "203.0.113.7"),
        ("eni-web2", "web", "10.0.1.12", ""),
        ("eni-app", "app", "10.0.2.20", ""),
        ("eni-db", "data", "10.0.2.30", ""),
    ):
        builder.interface(own, address=address, public=public, tags={"tier": tier})
    return builder.build()


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return the path of the file under test."""
    return tmp_path / "intent.yaml"
