"""What can go wrong, in the words of the Data API and of Redshift."""

from __future__ import annotations

from penstock_local.api_error import ApiError, validation

__all__ = [
    "ApiError",
    "NotSupportedLocallyError",
    "SqlError",
    "StatementCancelledError",
    "syntax_error",
    "validation",
]


class SqlError(Exception):
    """A statement that fails while it runs; the text is what follows "ERROR: " in its Error."""


class NotSupportedLocallyError(SqlError):
    """Redshift can do this, Penstock Local cannot; the text names what it is."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not supported by Penstock Local")


class StatementCancelledError(Exception):
    """Somebody asked for the end of this statement with CancelStatement."""


def syntax_error(near: str | None) -> SqlError:
    """Redshift's complaint about a text it cannot parse; None means the text ends too early."""
    if near is None:
        return SqlError("syntax error at end of input")
    return SqlError(f'syntax error at or near "{near}"')
