"""What kinds of values the fields of a definition take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from penstock_local.asl.template import is_expression
from penstock_local.asl.validation.findings import Findings

_UNCLOSED = "JSONata string must start with {% and end with %}"
_RFC_3339 = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?"
    r"(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `least` to `most`; whole unless said otherwise; maybe an expression."""

    least: float
    most: float | None = None
    whole: bool = True
    expression: bool = True

    def check(self, value: Any, location: str, findings: Findings) -> None:
        """Note what is wrong with the value."""
        if self.expression and is_expression(value):
            return
        if not self._is_of_type(value):
            kind = "Integer" if self.whole else "Number"
            findings.schema(f"Expected value of type {kind}", location)
        elif value < self.least:
            findings.schema(f"Minimum value is {self.least}", location)
        elif self.most is not None and value > self.most:
            findings.schema(f"Maximum value is {self.most}", location)

    def _is_of_type(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return not self.whole or float(value).is_integer()


@dataclass(frozen=True, slots=True)
class Kind:
    """A value of one of the JSON types; maybe an expression."""

    types: tuple[type, ...]
    name: str
    expression: bool = False
    may_be_empty: bool = True

    def check(self, value: Any, location: str, findings: Findings) -> None:
        """Note what is wrong with the value."""
        if self.expression and is_expression(value):
            return
        if not isinstance(value, self.types):
            findings.schema(f"Expected value of type [{self.name}]", location)
        elif not self.may_be_empty and not value:
            findings.schema("Value cannot be empty", location)


TEXT = Kind((str,), "STRING")
FLAG = Kind((bool,), "BOOLEAN")
OBJECT = Kind((dict,), "OBJECT")
OBJECT_OR_EXPRESSION = Kind((dict,), "OBJECT", expression=True)
FILLED_LIST = Kind((list,), "ARRAY", may_be_empty=False)
LIST = Kind((list,), "ARRAY")
LIST_OR_EXPRESSION = Kind((list,), "ARRAY", expression=True)


def check_condition(value: Any, location: str, findings: Findings) -> None:
    """Require what can be a condition: an expression, true or false."""
    if not isinstance(value, bool) and not is_expression(value):
        findings.schema(_UNCLOSED, location)


def check_timestamp(value: Any, location: str, findings: Findings) -> None:
    """Require an expression or a timestamp of RFC 3339."""
    if is_expression(value):
        return
    if not isinstance(value, str):
        TEXT.check(value, location, findings)
    elif not _RFC_3339.fullmatch(value):
        findings.schema("String does not match RFC3339 timestamp", location)


def check_closed(value: str, location: str, findings: Findings) -> None:
    """Refuse a text that opens an expression and does not close it."""
    if value.startswith("{%") and not is_expression(value):
        findings.schema(_UNCLOSED, location)
