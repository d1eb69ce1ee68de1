"""The tables that an event asks for, out of those of the extract config."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from penstock.domain.extract_config import (
    ExtractConfig,
    ExtractTable,
    InvalidExtractConfigError,
    in_lines,
    problems_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

ALL: Final = "all"
_NOT_SETTINGS: Final = ("table", "source", "source_type")


def selected(config: ExtractConfig, request: Mapping[str, Any]) -> list[ExtractTable]:
    """Return the tables that an event of the right shape names, with its overrides applied.

    Raises InvalidExtractConfigError for unknown, ambiguous or repeated tables.
    """
    overrides = request.get("overrides", {})
    problems: list[str] = []
    if request["tables_to_extract"] == ALL:
        chosen = [("tables_to_extract", table) for table in config.tables]
    else:
        chosen = []
        for number, entry in enumerate(request["tables_to_extract"]):
            place = f"tables_to_extract[{number}]"
            try:
                chosen.append((place, _chosen(config, _choice(entry))))
            except ValueError as error:
                problems.append(f"{place}.{error}")
        problems += _repeated(table for _, table in chosen)
    tables = []
    for place, found in chosen:
        table = replace(found, settings={**found.settings, **overrides, **_own(request, place)})
        problems += problems_of(table, f"{place} ({table.key})")
        tables.append(table)
    if problems:
        raise InvalidExtractConfigError(in_lines("the event cannot be used", problems))
    return tables


def selected_again(
    config: ExtractConfig, request: Mapping[str, Any], keys: AbstractSet[str]
) -> list[ExtractTable]:
    """Return the tables of these keys as a run with this event extracted them.

    The config counts as it is now. A table that the event does not name had been taken up because
    it had failed before, and comes as the config has it. Raises InvalidExtractConfigError.
    """
    kept = [table for table in config.tables if table.key in keys]
    gone = sorted(keys - {table.key for table in kept})
    if gone:
        problems = [f"{key} is no table of the config any more" for key in gone]
        raise InvalidExtractConfigError(in_lines("the run cannot be run again", problems))
    config, entries = replace(config, tables=tuple(kept)), request["tables_to_extract"]
    if entries != ALL:
        entries = [entry for entry in entries if _meant(config, _choice(entry))]
    asked = selected(config, {**request, "tables_to_extract": entries})
    named = {table.key for table in asked}
    return [*asked, *(table for table in kept if table.key not in named)]


def _own(request: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the settings that the entry at a place of the event states itself."""
    if not place.endswith("]"):
        return {}
    entry = request["tables_to_extract"][int(place[place.index("[") + 1 : -1])]
    stated = {} if isinstance(entry, str) else entry
    return {name: value for name, value in stated.items() if name not in _NOT_SETTINGS}


def _choice(entry: Any) -> Mapping[str, Any]:
    return {"table": entry} if isinstance(entry, str) else entry


def _meant(config: ExtractConfig, choice: Mapping[str, Any]) -> list[ExtractTable]:
    name, source = choice["table"], choice.get("source")
    return [
        table
        for table in config.tables
        if name in (table.table, table.key) and source in (None, table.source.name)
    ]


def _chosen(config: ExtractConfig, choice: Mapping[str, Any]) -> ExtractTable:
    """Return the one table that is meant; raise ValueError that begins with the field's name."""
    name, found = choice["table"], _meant(config, choice)
    if not found:
        raise ValueError(f"table: {name!r} is no table of the config{_suggestion(config, name)}")
    if len(found) > 1:
        keys = ", ".join(table.key for table in found)
        raise ValueError(f"table: {name!r} may be {keys}: write one of these")
    kind = choice.get("source_type", found[0].source.kind)
    if kind != found[0].source.kind:
        raise ValueError(f"source_type: is {kind!r}, but {found[0].key} is {found[0].source.kind}")
    return found[0]


def _suggestion(config: ExtractConfig, name: str) -> str:
    names = {text for table in config.tables for text in (table.table, table.key)}
    close = get_close_matches(name, names, n=1)
    return f"; {close[0]!r} is" if close else ""


def _repeated(tables: Iterable[ExtractTable]) -> Iterable[str]:
    for key, count in Counter(table.key for table in tables).items():
        if count > 1:
            yield f"tables_to_extract: {key} stands there {count} times"
