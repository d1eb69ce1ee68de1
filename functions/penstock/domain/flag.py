"""Yes/No flags, as people write them in the console, in YAML and in JSON."""

from __future__ import annotations

from typing import Any, Final

_WORDS: Final = {"yes": True, "true": True, "y": True, "no": False, "false": False, "n": False}


def parse_flag(value: Any) -> bool:
    """Return the flag; raise ValueError for anything but true/false or Yes/No in any case."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    raise ValueError(f"{value!r} is neither Yes nor No")
