"""$base64encode, $encodeUrl and the other functions that encode texts."""

from __future__ import annotations

import base64
import re
import urllib.parse

from penstock_local.asl.jsonata.errors import failure
from penstock_local.asl.jsonata.native import function

_KEPT_IN_COMPONENT = "!'()*"
_KEPT_IN_URL = ";/?:@&=+$,#" + _KEPT_IN_COMPONENT
_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@function("base64encode", "<s-:s>")
def base64_encode(text: str | None) -> str | None:
    """The UTF-8 bytes of the text in base 64."""
    return None if text is None else base64.b64encode(text.encode()).decode()


@function("base64decode", "<s-:s>")
def base64_decode(text: str | None) -> str | None:
    """The text whose UTF-8 bytes stand in base 64; bytes of no text become U+FFFD."""
    if text is None:
        return None
    kept = re.sub(r"[^A-Za-z0-9+/]", "", text)
    kept = kept[: len(kept) - (len(kept) % 4 == 1)]
    return base64.b64decode(kept + "=" * (-len(kept) % 4)).decode(errors="replace")


@function("encodeUrlComponent", "<s-:s>")
def encode_url_component(text: str | None) -> str | None:
    """The text as one part of a URL."""
    return _encoded(text, "encodeUrlComponent", _KEPT_IN_COMPONENT)


@function("encodeUrl", "<s-:s>")
def encode_url(text: str | None) -> str | None:
    """The text as a whole URL."""
    return _encoded(text, "encodeUrl", _KEPT_IN_URL)


@function("decodeUrlComponent", "<s-:s>")
def decode_url_component(text: str | None) -> str | None:
    """The text that is one part of a URL."""
    return _decoded(text, "decodeUrlComponent", "")


@function("decodeUrl", "<s-:s>")
def decode_url(text: str | None) -> str | None:
    """The text that is a whole URL; what separates its parts stays encoded."""
    return _decoded(text, "decodeUrl", ";/?:@&=+$,#")


def _encoded(text: str | None, name: str, kept: str) -> str | None:
    if text is None:
        return None
    try:
        return urllib.parse.quote(text, safe=kept)
    except UnicodeEncodeError:
        raise failure("D3140", function_name=name, value=text) from None


def _decoded(text: str | None, name: str, kept: str) -> str | None:
    if text is None:
        return None

    def decode(run: re.Match[str]) -> str:
        parts = re.findall(r"%[0-9A-Fa-f]{2}", run[0])
        decoded = bytes(int(part[1:], 16) for part in parts).decode()
        return "".join(f"%{ord(char):02X}" if char in kept else char for char in decoded)

    try:
        decoded = _ESCAPE.sub(decode, text)
    except UnicodeDecodeError:
        raise failure("D3140", function_name=name, value=text) from None
    if "%" in _ESCAPE.sub("", text):
        raise failure("D3140", function_name=name, value=text)
    return decoded
