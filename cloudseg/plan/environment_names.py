"""Environments as people call them, and which is higher. It loads nothing, so that the configuration may name them."""

from typing import Final

__all__ = ["ALIKE", "DEFAULT_ORDER"]

DEFAULT_ORDER: Final = ("dev", "test", "staging", "prod")
"""The environments, the lowest first, unless ``[plan]`` names others."""

ALIKE: Final = {
    "development": "dev", "develop": "dev", "sandbox": "dev", "testing": "test", "qa": "test", "uat": "staging",
    "stage": "staging", "stg": "staging", "preprod": "staging", "pre-prod": "staging", "production": "prod",
    "prd": "prod", "live": "prod",
}  # fmt: skip
"""Other words that people write for the default environments."""
