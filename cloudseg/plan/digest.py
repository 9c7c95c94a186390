"""The digest of a plan: what is applied is what was approved.

It is the SHA-256 of the document without its member ``digest``, as UTF-8 JSON with sorted keys and without spaces, so
that any program can work it out: in Python ``json.dumps(document, sort_keys=True, separators=(",", ":"),
ensure_ascii=False)``.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DIGEST", "canonical", "digest_of", "short_hash", "verified"]

DIGEST = "digest"
"""The member that holds it, and is no part of what it stands for."""


def canonical(value: object) -> bytes:
    """Return JSON values as the bytes that digests are taken of: UTF-8, sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(document: Mapping[str, object]) -> str:
    """Return the digest of a document: 64 hexadecimal digits; a digest that it has already is left out."""
    return hashlib.sha256(canonical({key: value for key, value in document.items() if key != DIGEST})).hexdigest()


def verified(document: Mapping[str, object]) -> bool:
    """Tell whether a document bears the digest of what it says."""
    return document.get(DIGEST) == digest_of(document)


def short_hash(value: object, digits: int = 12) -> str:
    """Return the first hexadecimal digits of the SHA-256 of JSON values: a stable id of what they say."""
    return hashlib.sha256(canonical(value)).hexdigest()[:digits]
