"""Collects what is wrong with a specification, so that a person hears of all of it at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Callable, TypeVar

from penstock_job.errors import SpecificationError

T = TypeVar("T")
MOST_TOLD = 10


class Problems:
    """The problems found so far, each with the path of the field that is wrong."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def read(self, path: str, reading: Callable[[], T]) -> list[T]:
        """What the reading gives, as a list of one; an empty list and a problem where it fails."""
        try:
            return [reading()]
        except SpecificationError as error:
            self.found.append(f"{path}: {error}")
            return []

    def require_none(self) -> None:
        """Raises SpecificationError with all the problems, on one line."""
        if self.found:
            left = len(self.found) - MOST_TOLD
            more = [f"and {left} more"] if left > 0 else []
            raise SpecificationError("; ".join([*self.found[:MOST_TOLD], *more]))


def require_known(body: Mapping[str, Any], known: Collection[str], what: str) -> None:
    """Raises SpecificationError where a key is none of the known ones, with the likely one."""
    unknown = sorted(str(key) for key in body if key not in known)
    if unknown:
        close = get_close_matches(unknown[0], list(known), n=1)
        meant = f"; did you mean {close[0]}?" if close else f"; it knows {', '.join(known)}"
        raise SpecificationError(f"{what} does not know {', '.join(unknown)}{meant}")


def read_list(value: object, what: str) -> list[Any]:
    """A list; a mistake where it is something else. Nothing at all is an empty list."""
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise SpecificationError(f"{what} must be a list, not {value!r}")
    return list(value)


def read_text(value: object, what: str) -> str:
    """A text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise SpecificationError(f"{what} must be a text, not {value!r}")
    return value


def read_texts(value: object, what: str) -> tuple[str, ...]:
    """One text or a list of texts; texts may be blank, and numbers are texts as they are written.

    Raises SpecificationError for anything else.
    """
    values = [value] if isinstance(value, (str, int, float)) else read_list(value, what)
    if not all(isinstance(each, (str, int, float)) for each in values):
        raise SpecificationError(f"{what} must be a text or a list of texts, not {value!r}")
    return tuple(str(each) for each in values)
