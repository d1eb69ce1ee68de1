"""Reading back through the Redshift Data API what a run left there."""

from __future__ import annotations

import time
from typing import Any

from penstock_cli.errors import CommandError

ENDED = ("FINISHED", "FAILED", "ABORTED")
WAIT_SECONDS = 30.0

Row = dict[str, Any]


def query(
    redshift: Any, sql: str, *, workgroup: str, database: str, parameters: dict[str, str]
) -> list[Row]:
    """The rows of a SELECT, by column name; CommandError with the database's own words."""
    request: dict[str, Any] = {"WorkgroupName": workgroup, "Database": database, "Sql": sql}
    if parameters:
        request["Parameters"] = [{"name": k, "value": v} for k, v in parameters.items()]
    statement = redshift.execute_statement(**request)["Id"]
    deadline = time.monotonic() + WAIT_SECONDS
    while (answer := redshift.describe_statement(Id=statement))["Status"] not in ENDED:
        if time.monotonic() > deadline:
            raise CommandError(f"the statement did not end within {WAIT_SECONDS:.0f} s: {sql}")
        time.sleep(0.05)
    if answer["Status"] != "FINISHED":
        raise CommandError(f"the statement {answer['Status']}: {answer.get('Error')}\n{sql}")
    result = redshift.get_statement_result(Id=statement)
    names = [column["name"] for column in result["ColumnMetadata"]]
    return [dict(zip(names, map(_value, record), strict=True)) for record in result["Records"]]


def _value(field: dict[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))
