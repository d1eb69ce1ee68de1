"""What a caller asks to run, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock_local.redshift.caller import Caller
from penstock_local.redshift.errors import SqlError, validation
from penstock_local.redshift.parameters import check
from penstock_local.redshift.place import Place
from penstock_local.redshift.words import Sql, read

STATEMENT_BYTES = 100 * 1024


@dataclass(frozen=True, slots=True)
class Target:
    """A database and the user to connect as. `given` repeats what the answer must repeat."""

    place: Place
    user: str
    given: dict[str, str]


@dataclass(frozen=True, slots=True)
class Submission:
    """One ExecuteStatement or BatchExecuteStatement."""

    caller: Caller
    target: Target
    sqls: tuple[str, ...]
    is_batch: bool
    parameters: tuple[dict[str, str], ...] = ()
    name: str | None = None
    token: str | None = None
    with_event: bool = False
    result_format: str = "JSON"
    auto_commit: bool = False
    keep_alive: int = 0
    session_id: str | None = None

    @property
    def values(self) -> dict[str, str]:
        """The parameters by name."""
        return {item["name"]: item["value"] for item in self.parameters}


def submission(caller: Caller, target: Target, request: dict[str, Any]) -> Submission:
    """Read a request whose members have already been checked one by one."""
    is_batch = "Sqls" in request
    sqls = tuple(request["Sqls"]) if is_batch else (request["Sql"],)
    for sql in sqls:
        if len(sql.encode()) > STATEMENT_BYTES:
            raise validation("Cannot process query string larger than 100kB")
    made = Submission(
        caller=caller,
        target=target,
        sqls=sqls,
        is_batch=is_batch,
        parameters=tuple(request.get("Parameters") or ()),
        name=request.get("StatementName"),
        token=request.get("ClientToken"),
        with_event=bool(request.get("WithEvent")),
        result_format=request.get("ResultFormat") or "JSON",
        auto_commit=request.get("ExecutionMode") == "AUTO_COMMIT",
        keep_alive=request.get("SessionKeepAliveSeconds") or 0,
        session_id=request.get("SessionId"),
    )
    _check_parameters(made)
    return made


def _check_parameters(made: Submission) -> None:
    if len(made.values) != len(made.parameters):
        raise validation("Parameters list contains duplicate parameter names.")
    readable: list[Sql] = []
    for text in made.sqls:
        try:
            readable.append(read(text))
        except SqlError:
            # A text that cannot be read fails when it is run, as any wrong statement does.
            if made.parameters:
                continue
    check(readable, made.values)
