"""The workflow variables that one scope of a machine can see, and may assign."""

from __future__ import annotations

from typing import Any

from penstock_local.asl.errors import DATA_LIMIT_EXCEEDED, RUNTIME, StateError
from penstock_local.asl.values import PAYLOAD_LIMIT, size

TOTAL_LIMIT = 10 * 1024 * 1024
"""Bytes that all variables of an execution may have together."""


class Variables:
    """The variables of one scope.

    An inner scope (an iteration, a branch) reads those of the scopes around it and cannot assign
    them. `visible` is never changed in place: whoever holds it sees the values of that moment.
    """

    __slots__ = ("_outer", "_sizes", "visible")

    def __init__(
        self, visible: dict[str, Any] | None = None, outer: frozenset[str] = frozenset()
    ) -> None:
        self.visible: dict[str, Any] = visible or {}
        self._outer = outer
        self._sizes: dict[str, int] = {}

    def inner(self) -> Variables:
        """The variables of a scope inside this one."""
        return Variables(self.visible, frozenset(self.visible))

    def resumed(self, visible: dict[str, Any]) -> Variables:
        """The same scope with the values it had when it was left."""
        return Variables(visible, self._outer)

    def assign(self, values: dict[str, Any]) -> None:
        """Set the variables; all of them, or none when one is refused.

        Raises StateError: `States.Runtime` for a variable of an outer scope,
        `States.DataLimitExceeded` beyond 256 KiB for one assignment or 10 MiB in all.
        """
        foreign = sorted(self._outer.intersection(values))
        if foreign:
            raise StateError(
                RUNTIME,
                f"The variable '{foreign[0]}' belongs to an outer scope and cannot be assigned"
                " in an inner one.",
            )
        new = {name: size(value) for name, value in values.items()}
        sizes = {**self._sizes, **new}
        if sum(new.values()) > PAYLOAD_LIMIT or sum(sizes.values()) > TOTAL_LIMIT:
            raise StateError(
                DATA_LIMIT_EXCEEDED,
                f"The size of the assigned variables {sorted(new)} exceeds the maximum number of"
                " bytes service limit.",
            )
        self.visible = {**self.visible, **values}
        self._sizes = sizes
