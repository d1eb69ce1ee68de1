"""The limit on what states may hand on: 256 KiB of UTF-8."""

from __future__ import annotations

from penstock_local.asl.errors import DATA_LIMIT_EXCEEDED, StateError
from penstock_local.asl.values import PAYLOAD_LIMIT, Json, compact

_BYTES_PER_CHARACTER = 4  # at most, in UTF-8


def exceeds_limit(text: str) -> bool:
    """Whether the text has more bytes than a payload may have."""
    if len(text) * _BYTES_PER_CHARACTER <= PAYLOAD_LIMIT:
        return False
    return len(text.encode("utf-8", "surrogatepass")) > PAYLOAD_LIMIT


def within_limit(value: Json, name: str) -> str:
    """The value's JSON text; StateError `States.DataLimitExceeded` when it is too large.

    `name` is what the cause names: the state, the resource type or the function's ARN.
    """
    text = compact(value)
    if exceeds_limit(text):
        raise StateError(
            DATA_LIMIT_EXCEEDED,
            f"The state/task '{name}' returned a result with a size exceeding the maximum number"
            " of bytes service limit.",
        )
    return text
