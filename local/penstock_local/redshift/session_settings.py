"""SET, RESET and SHOW."""

from __future__ import annotations

from dataclasses import dataclass

from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError
from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.results import ResultColumn
from penstock_local.redshift.session import DEFAULT_SCHEMA, Session
from penstock_local.redshift.words import Kind, Sql, literal

# Settings that change no result, or that already have the only value that is possible here.
_WITHOUT_EFFECT = frozenset(
    {
        "analyze_threshold_percent", "application_name", "auto_mv", "cancel_query",
        "client_encoding", "datestyle", "describe_field_name_in_uppercase",
        "enable_numeric_rounding",
        "enable_result_cache_for_session", "extra_float_digits",
        "max_concurrency_scaling_clusters",
        "mv_enable_aqmv_for_session", "query_group", "statement_timeout", "use_fips_ssl",
        "wlm_query_slot_count", "json_serialization_enable",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Set:
    """SET name TO value; it lasts as long as the session."""

    name: str
    values: tuple[str, ...]

    def run(self, session: Session) -> Outcome:
        """Change what can be changed."""
        if self.name == "search_path":
            session.set_search_path([value for value in self.values if value != "$user"])
        elif self.name == "timezone":
            session.execute(f"SET TimeZone = {literal(self.values[0])}")
        elif self.name not in _WITHOUT_EFFECT:
            raise NotSupportedLocallyError(f"The setting {self.name}")
        return Outcome()


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW name."""

    name: str

    def run(self, session: Session) -> Outcome:
        """One row with the value."""
        if self.name == "search_path":
            value = ", ".join(session.search_path)
        elif self.name == "timezone":
            value = str(session.rows("SELECT current_setting('TimeZone')")[0][0])
        elif self.name in _WITHOUT_EFFECT:
            value = "default"
        else:
            raise NotSupportedLocallyError(f"SHOW {self.name}")
        column = ResultColumn(self.name, "VARCHAR")
        result = session.save_result([column], iter([[(value,)]]))
        return Outcome(result.rows, result)


def parse_set(sql: Sql) -> Set:
    """SET [SESSION | LOCAL] name { TO | = } value, ..."""
    cursor = Cursor(sql)
    cursor.expect("SET")
    cursor.take_any("SESSION", "LOCAL")
    if cursor.take("TIME", "ZONE"):
        return Set("timezone", (cursor.word().text,))
    name = cursor.identifier()
    if not (cursor.take("TO") or cursor.take("=")):
        raise cursor.unexpected()
    words = [word for word in cursor.rest() if not word.says(",")]
    if not words:
        raise cursor.unexpected()
    values = tuple(word.text if word.kind is Kind.STRING else word.text.lower() for word in words)
    return Set(name, values)


def parse_reset(sql: Sql) -> Set:
    """RESET name."""
    cursor = Cursor(sql)
    cursor.expect("RESET")
    name = cursor.identifier()
    defaults = {"search_path": (DEFAULT_SCHEMA,), "timezone": ("UTC",)}
    return Set("query_group" if name == "all" else name, defaults.get(name, ("default",)))


def parse_show(sql: Sql) -> Show:
    """SHOW name."""
    cursor = Cursor(sql)
    cursor.expect("SHOW")
    if len(sql.words) != 2:
        raise NotSupportedLocallyError(" ".join(word.text.upper() for word in sql.words[:2]))
    name = cursor.identifier()
    if not name:
        raise SqlError("syntax error")
    return Show(name)
