"""A request that a service refuses, in the form that an SDK raises."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal: `code` is the error name an SDK raises, `status` the one of HTTP."""

    def __init__(self, code: str, message: str, *, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.members = members


def validation(message: str) -> ApiError:
    """The answer to invalid input."""
    return ApiError("ValidationException", message)
