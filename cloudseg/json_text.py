r"""JSON whose texts may hold half of a character: a surrogate without its other half, which UTF-8 cannot express.

Services let users store such texts in names and descriptions. JSON can escape one (``"\ud800"``; RFC 8259, section
8.2, https://www.rfc-editor.org/rfc/rfc8259#section-8.2), so that it comes in, and then nothing can write it out.
Each is replaced by U+FFFD, the replacement character, as the Unicode standard advises.
"""

import re
from typing import cast

import msgspec

__all__ = ["decoded", "printable", "well_formed"]

_HALF = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(
    rb"(?P<kept>\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def _as_null(_: object) -> None:
    return None


# What is no JSON at all is not for this module to refuse.
_PROBE = msgspec.json.Encoder(enc_hook=_as_null)


def decoded(content: bytes) -> object:
    """Return what JSON text says, with U+FFFD in place of each escaped half of a character.

    Raises:
        msgspec.DecodeError: the text is no JSON; the byte that it names is counted in ``content``.
        UnicodeDecodeError: the text is no UTF-8.
    """
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        mended = _ESCAPE.sub(_mended_escape, content)
        if mended == content:
            raise
    # The replacement is as long as what it replaces, so that the places in errors still hold.
    return msgspec.json.decode(mended)


def _mended_escape(match: re.Match[bytes]) -> bytes:
    return match["kept"] or rb"\ufffd"


def well_formed(value: object) -> object:
    """Return decoded JSON with U+FFFD in place of each half of a character; the value itself where it has none."""
    try:
        # Encoding is many times faster than looking at every text here.
        _PROBE.encode(value)
    except UnicodeEncodeError:
        return _mended(value)
    return value


def _mended(value: object) -> object:
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, (list, tuple)):
        return [_mended(item) for item in cast("list[object] | tuple[object, ...]", value)]
    if isinstance(value, dict):
        return {_mended(key): _mended(item) for key, item in cast("dict[object, object]", value).items()}
    return value


def printable(text: str) -> str:
    r"""Return a text, such as a file's name that is no UTF-8, with its half characters escaped: ``\udcff``."""
    return text.encode("utf-8", "backslashreplace").decode()
