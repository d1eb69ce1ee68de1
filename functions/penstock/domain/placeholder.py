"""Placeholders such as `{logical_date}` in a row's Target and Arguments."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.row_reader import BadValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

REJECTS_PATH: Final = "--rejects_path"
"""Given only to a job that has rejects to try again, but never the row's own."""

_NAME: Final = r"\{([A-Za-z_][A-Za-z0-9_]*)\}"
_PLACEHOLDER: Final = re.compile(rf"\{{{_NAME}\}}|{_NAME}")


class UnknownPlaceholderError(BadValueError):
    """A text uses a placeholder that does not exist."""


class ReservedArgumentError(BadValueError):
    """A row sets an argument that Penstock sets itself."""


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace each `{name}` by its value, and each `{{name}}` by the text `{name}`.

    Braces around anything but a name (JSON, regular expressions) are left alone. Raises
    UnknownPlaceholderError.
    """

    def value_of(found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:
            return f"{{{literal}}}"
        if name not in values:
            known = ", ".join(f"{{{known}}}" for known in sorted(values))
            raise UnknownPlaceholderError(
                f"there is no placeholder {{{name}}}, only {known}; {{{{{name}}}}} means the text"
            )
        return values[name]

    return _PLACEHOLDER.sub(value_of, text)


def job_arguments(
    stated: Mapping[str, Any], contract: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, str]:
    """Return the arguments of a job: the contract's, then the row's, filled in and all as text.

    `--` is put before names that lack it; values other than texts become compact JSON. Raises
    UnknownPlaceholderError and ReservedArgumentError.
    """
    arguments = dict(contract)
    for name, value in stated.items():
        option = name if name.startswith("--") else f"--{name}"
        if option in contract or option == REJECTS_PATH:
            raise ReservedArgumentError(f"{option} is set by Penstock")
        # Texts inside lists and maps are filled before they become JSON, which then escapes them.
        filled = fill_all(value, values)
        arguments[option] = filled if isinstance(filled, str) else _compact(filled)
    return arguments


def fill_all(value: Any, values: Mapping[str, str]) -> Any:
    """Fill the texts at every depth of a value; sets become sorted lists."""
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, dict):
        return {name: fill_all(member, values) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [fill_all(member, values) for member in value]
    if isinstance(value, (set, frozenset)):
        return sorted(fill_all(member, values) for member in value)
    return value


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
