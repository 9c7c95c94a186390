"""Documents against their published schemas."""

from typing import Any

from jsonschema import Draft202012Validator

__all__ = ["assert_fits"]


def assert_fits(document: object, schema: dict[str, Any]) -> None:
    """Raise unless the schema is one, and the document fits it."""
    Draft202012Validator.check_schema(schema)
    validator: Any = Draft202012Validator(schema)
    validator.validate(document)
