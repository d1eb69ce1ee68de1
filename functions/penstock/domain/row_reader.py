"""Reads the attributes of a control row one by one and keeps a list of what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend in a row: which field, and what is wrong with it."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class BadValueError(ValueError):
    """A field holds something that it cannot hold; `field` names it where the raiser knows."""

    def __init__(self, message: str, field: str = "Arguments") -> None:
        super().__init__(message)
        self.field = field


class RowReader:
    """Takes values out of a row; a bad value becomes a problem and reads as its default."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self._attributes = attributes
        self.problems: list[Problem] = []

    def is_given(self, field: str) -> bool:
        """Tell whether the row says anything at all in this field."""
        value = self._attributes.get(field)
        return value is not None and not (isinstance(value, str) and not value.strip())

    def complain(self, field: str, message: str) -> None:
        """Note a problem of the field."""
        self.problems.append(Problem(field, message))

    def read(self, field: str, parse: Callable[[Any], T], default: T) -> T:
        """Return what `parse` makes of the field, or the default if absent or bad."""
        if not self.is_given(field):
            return default
        try:
            return parse(self._attributes[field])
        except ValueError as error:
            self.complain(field, str(error))
            return default

    def text(self, field: str, default: str = "") -> str:
        """Return a text without blanks around it; a number or a date reads as it is written."""
        return self.read(field, _text, default)

    def word(self, field: str, words: Collection[str], default: str) -> str:
        """Return one of the words."""

        def one_of(value: Any) -> str:
            word = _text(value)
            if word not in words:
                raise BadValueError(f"{word!r} is none of {', '.join(words)}")
            return word

        return self.read(field, one_of, default)

    def whole_number(self, field: str, lowest: int, highest: int) -> int | None:
        """Return a whole number within the limits, or None."""

        def parse(value: Any) -> int | None:
            number = _number(value)
            if number != int(number) or not lowest <= number <= highest:
                raise BadValueError(f"{value!r} is no whole number from {lowest} to {highest}")
            return int(number)

        return self.read(field, parse, None)

    def number(self, field: str) -> float | None:
        """Return a number, or None."""
        return self.read(field, _number, None)

    def texts(self, field: str) -> tuple[str, ...]:
        """Return a list of texts, which may be written as one text with commas; no text twice."""
        return self.read(field, _texts, ())


def _text(value: Any) -> str:
    if isinstance(value, (dict, list, tuple, set, frozenset, bool)):
        raise BadValueError(f"{value!r} is no text")
    return str(value).strip()


def _number(value: Any) -> float:
    try:
        number = nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = nan
    if not isfinite(number):
        raise BadValueError(f"{value!r} is no number")
    return number


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, (set, frozenset)):
        value = sorted(value)
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, (list, tuple)):
        raise BadValueError(f"{value!r} is no list of names")
    return tuple(dict.fromkeys(text for text in map(_text, parts) if text))
