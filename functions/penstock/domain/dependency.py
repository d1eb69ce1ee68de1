"""`DependsOn`: names of jobs, or maps that say more: `{JobName: orders, Required: true}`."""

from __future__ import annotations

from typing import Any, Final

from penstock.domain.flag import parse_flag
from penstock.domain.row_reader import BadValueError

_NAMES: Final = frozenset({"jobname", "job", "name"})
_REQUIRED: Final = "required"


def parse_dependencies(value: Any) -> dict[str, bool]:
    """Return for each upstream job whether it is required; raise BadValueError otherwise.

    One text may hold several names with commas between them; the keys of a map are in any case.
    """
    if isinstance(value, (set, frozenset)):
        value = sorted(value)
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, (list, tuple)):
        raise BadValueError(f"{value!r} is no list of names")
    found: dict[str, bool] = {}
    for entry in entries:
        name, required = _read(entry)
        if name:
            found[name] = found.get(name, False) or required
    return found


def _read(entry: Any) -> tuple[str, bool]:
    if isinstance(entry, (str, int, float)) and not isinstance(entry, bool):
        return str(entry).strip(), False
    if not isinstance(entry, dict):
        raise BadValueError(f"{entry!r} is no name of a job")
    fields = {str(name).lower().replace("_", ""): member for name, member in entry.items()}
    names = [str(fields.pop(name)).strip() for name in sorted(_NAMES) if name in fields]
    required = fields.pop(_REQUIRED, False)
    if len(names) != 1 or fields:
        raise BadValueError(f"{entry!r} has to be like {{JobName: orders, Required: true}}")
    return names[0], bool(parse_flag(required))
