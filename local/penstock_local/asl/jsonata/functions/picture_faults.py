"""Errors that the package raises without a code for pictures of dates and of integers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from jsonata.constants import Constants

from penstock_local.asl.jsonata.errors import failure

_CODES = {
    Constants.ERR_MSG_SEQUENCE_UNSUPPORTED: "D3130",
    Constants.ERR_MSG_DIFF_DECIMAL_GROUP: "D3131",
    Constants.ERR_MSG_UNKNOWN_COMPONENT_SPECIFIER: "D3132",
    Constants.ERR_MSG_INVALID_NAME_MODIFIER: "D3133",
    Constants.ERR_MSG_TIMEZONE_FORMAT: "D3134",
    Constants.ERR_MSG_NO_CLOSING_BRACKET: "D3135",
    Constants.ERR_MSG_MISSING_FORMAT: "D3136",
}
_NAMED = re.compile(r"\[\s*([^MxFP\s])[^\]]*?[nN]")


@contextmanager
def coded(picture: str) -> Iterator[None]:
    """Give what the package raises inside the block the code that JSONata has for it."""
    try:
        yield
    except KeyError as fault:
        raise failure("D3132", value=fault.args[0]) from None
    except RuntimeError as fault:
        code = _CODES.get(str(fault))
        if code is None:
            raise
        named = _NAMED.search(picture)
        value = named[1] if code == "D3133" and named else picture
        raise failure(code, value=value) from None
