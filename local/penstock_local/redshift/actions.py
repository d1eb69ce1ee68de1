"""The operations of the Data API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region

from penstock_local.redshift import catalog
from penstock_local.redshift.authorization import (
    Headers,
    caller_of,
    connection_permissions,
    require,
)
from penstock_local.redshift.caller import Caller
from penstock_local.redshift.errors import ApiError, SqlError, validation
from penstock_local.redshift.events import publish
from penstock_local.redshift.ledger import Ledger
from penstock_local.redshift.listing import select_sessions, select_statements
from penstock_local.redshift.place import place_of, warehouse_arn
from penstock_local.redshift.request import Target, submission
from penstock_local.redshift.results import ResultSet
from penstock_local.redshift.secret import find_secret
from penstock_local.redshift.session import Session
from penstock_local.redshift.statement import Statement
from penstock_local.redshift.warehouse import KeptSession, Warehouse

CANCEL_PATIENCE = 5.0
CANCEL_INTERVAL = 0.05

# The answer, or its JSON text where a page of a result makes it large.
Answer = dict[str, Any] | str


class Call:
    """One request: its members and who sent it."""

    def __init__(self, request: dict[str, Any], headers: Headers, query: dict[str, Any]) -> None:
        self.request = request
        self.headers = headers
        self.query = query
        self.caller: Caller = caller_of(headers, query)

    def require(self, action: str, resource: str) -> None:
        """Raise AccessDeniedException unless the caller may do this as well."""
        require(self.headers, self.query, action, resource)


class DataApi:
    """What the operations share."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.ledger = Ledger()
        self.operations: dict[str, Callable[[Call], Awaitable[Answer]]] = {
            "ExecuteStatement": self.execute_statement,
            "BatchExecuteStatement": self.execute_statement,
            "DescribeStatement": self.describe_statement,
            "GetStatementResult": self.get_statement_result,
            "GetStatementResultV2": self.get_statement_result_v2,
            "CancelStatement": self.cancel_statement,
            "ListStatements": self.list_statements,
            "ListSessions": self.list_sessions,
            "ListDatabases": self.list_databases,
            "ListSchemas": self.list_schemas,
            "ListTables": self.list_tables,
            "DescribeTable": self.describe_table,
        }

    async def answer(
        self, operation: str, request: dict[str, Any], headers: Headers, query: dict[str, Any]
    ) -> Answer:
        """Answer a request whose members have been checked."""
        return await self.operations[operation](Call(request, headers, query))

    # -- running -----------------------------------------------------------------------------

    async def execute_statement(self, call: Call) -> Answer:
        """ExecuteStatement and BatchExecuteStatement."""
        statement = self.ledger.repeated(call.caller, call.request.get("ClientToken"))
        if statement is None:
            target = self._session_target(call) or self._target(call)
            # Reading 40 texts of 100 kB takes seconds that the event loop has not.
            made = await asyncio.to_thread(submission, call.caller, target, call.request)
            new = Statement(made)
            statement = self.ledger.add(new)
            if statement is new:
                self._submit(statement)
        await _wait(statement, call.request.get("WaitTimeSeconds"))
        return statement.answer()

    def _submit(self, statement: Statement) -> None:
        try:
            self.warehouse.submit(statement, _tell)
        except ApiError:
            self.ledger.discard(statement)
            raise

    async def cancel_statement(self, call: Call) -> Answer:
        """CancelStatement; returns once the statement has ended, or a little later."""
        statement_id = call.request["Id"]
        statement, run = self.ledger.find(statement_id, call.caller)
        if run is not None:
            raise validation("A sub-statement cannot be cancelled: cancel the whole batch")
        if statement.status.is_final:
            raise validation(
                "Could not cancel a query that is already in "
                f"{statement.status} state with ID: {statement_id}"
            )
        for _ in range(round(CANCEL_PATIENCE / CANCEL_INTERVAL)):
            # DuckDB forgets an interruption that arrives between two statements.
            self.warehouse.cancel(statement_id)
            await _wait(statement, CANCEL_INTERVAL)
            if statement.status.is_final:
                break
        return {"Status": True}

    # -- looking -----------------------------------------------------------------------------

    async def describe_statement(self, call: Call) -> Answer:
        """DescribeStatement, of a statement or of a sub-statement."""
        statement, run = self.ledger.find(call.request["Id"], call.caller)
        await _wait(statement, call.request.get("WaitTimeSeconds"))
        return statement.view() if run is None else run.view()

    async def get_statement_result(self, call: Call) -> Answer:
        """GetStatementResult."""
        result = await self._result(call, "JSON")
        return _result_page(result, call.request.get("NextToken"))

    async def get_statement_result_v2(self, call: Call) -> Answer:
        """GetStatementResultV2, for statements run with ResultFormat CSV."""
        result = await self._result(call, "CSV")
        return _result_page(result, call.request.get("NextToken"))

    async def list_statements(self, call: Call) -> Answer:
        """ListStatements."""
        found, token = select_statements(self.ledger.listed(call.caller), call.caller, call.request)
        return _with_token({"Statements": [item.summary() for item in found]}, token)

    async def list_sessions(self, call: Call) -> Answer:
        """ListSessions."""
        found, token = select_sessions(
            self.warehouse.kept_sessions(call.caller), call.caller, call.request
        )
        return _with_token({"Sessions": [_session_view(item) for item in found]}, token)

    # -- the catalog -------------------------------------------------------------------------

    async def list_databases(self, call: Call) -> Answer:
        """ListDatabases."""
        target = self._target(call, call.request.get("Database") or "dev")
        items, token = catalog.page(self.warehouse.databases(target.place), call.request)
        return _with_token({"Databases": items}, token)

    async def list_schemas(self, call: Call) -> Answer:
        """ListSchemas."""
        pattern = call.request.get("SchemaPattern")
        found = await self._read(call, lambda session: catalog.schemas(session, pattern))
        items, token = catalog.page(found, call.request)
        return _with_token({"Schemas": items}, token)

    async def list_tables(self, call: Call) -> Answer:
        """ListTables."""
        schema, table = call.request.get("SchemaPattern"), call.request.get("TablePattern")
        found = await self._read(call, lambda session: catalog.tables(session, schema, table))
        items, token = catalog.page(found, call.request)
        return _with_token({"Tables": items}, token)

    async def describe_table(self, call: Call) -> Answer:
        """DescribeTable."""
        schema, table = call.request.get("Schema"), call.request.get("Table")
        found = await self._read(call, lambda session: catalog.columns(session, schema, table))
        items, token = catalog.page(found, call.request)
        answer = {"ColumnList": items} | ({"TableName": table} if table else {})
        return _with_token(answer, token)

    # -- parts -------------------------------------------------------------------------------

    def _session_target(self, call: Call) -> Target | None:
        session_id = call.request.get("SessionId")
        if not session_id:
            return None
        return self.warehouse.kept_session(session_id, call.caller).target

    def _target(self, call: Call, database: str | None = None) -> Target:
        """The database a request names, once the caller is known to be let in."""
        request = call.request
        account, region = get_account_id(), get_region()
        place = place_of(request, account, region, database or request.get("Database"))
        arn = warehouse_arn(request, account, region)
        given = {
            name: request[name]
            for name in ("WorkgroupName", "ClusterIdentifier", "SecretArn")
            if request.get(name)
        }
        if request.get("SecretArn"):
            secret = find_secret(request["SecretArn"])
            call.require("secretsmanager:GetSecretValue", secret.arn)
            if place.kind == "cluster" and secret.cluster not in (None, place.warehouse):
                raise validation("The cluster identifier does not match the one in the secret")
            return Target(place, secret.user, given)
        for action, resource in connection_permissions(place, arn, request.get("DbUser")):
            call.require(action, resource)
        return Target(place, request.get("DbUser") or call.caller.database_user, given)

    async def _read(self, call: Call, question: Callable[[Session], list[Any]]) -> list[Any]:
        target = self._target(call)

        def ask() -> list[Any]:
            with self.warehouse.reading(target) as session:
                return question(session)

        try:
            return await asyncio.to_thread(ask)
        except SqlError as error:
            raise validation(f"ERROR: {error}") from error

    async def _result(self, call: Call, form: str) -> ResultSet:
        statement_id = call.request["Id"]
        statement, run = self.ledger.find(statement_id, call.caller)
        await _wait(statement, call.request.get("WaitTimeSeconds"))
        if run is None and statement.submission.is_batch:
            raise validation(
                "BatchExecuteStatement result can only be retrieved with sub-statement id."
            )
        result = (run or statement.runs[0]).result
        if result is None:
            raise ApiError(
                "ResourceNotFoundException",
                "Query does not have result. Please check query status with DescribeStatement.",
                ResourceId=statement_id,
            )
        if result.format != form:
            other = "GetStatementResultV2" if form == "JSON" else "GetStatementResult"
            raise validation(f"The result of this statement is fetched with {other}")
        return result


def open_api(folder: Path | None) -> DataApi:
    """The API over databases in `folder`, or in memory."""
    return DataApi(Warehouse(folder))


def _tell(statement: Statement) -> None:
    if statement.submission.with_event:
        publish(statement)


async def _wait(statement: Statement, seconds: float | None) -> None:
    """Wait until a statement has ended, but not longer than this."""
    if seconds and not statement.ended.done():
        await asyncio.wait([asyncio.wrap_future(statement.ended)], timeout=seconds)


def _with_token(answer: dict[str, Any], token: str | None) -> dict[str, Any]:
    return answer | ({"NextToken": token} if token else {})


def _session_view(kept: KeptSession) -> dict[str, Any]:
    view = {
        "SessionId": kept.id,
        "Status": kept.status,
        "CreatedAt": kept.created_at,
        "UpdatedAt": kept.updated_at,
        "Database": kept.target.place.database,
        "DbUser": kept.target.user,
        "SessionAliveSeconds": kept.seconds,
        "SessionTtl": kept.expires_at,
        **{name: value for name, value in kept.target.given.items() if name != "SecretArn"},
    }
    return view | ({"CurrentStatementId": kept.statement_id} if kept.statement_id else {})


def _result_page(result: ResultSet, token: str | None) -> str:
    """The answer as JSON text: the records are stored as they are sent."""
    number = int(token) if token and token.isdigit() else 0
    if token and (not token.isdigit() or number >= len(result.pages)):
        raise validation("NextToken is invalid")
    answer: dict[str, Any] = {
        "ColumnMetadata": [column.metadata() for column in result.columns],
        "TotalNumRows": result.rows,
    }
    if result.format == "CSV":
        answer["ResultFormat"] = "CSV"
    if number + 1 < len(result.pages):
        answer["NextToken"] = str(number + 1)
    return f'{{"Records":{result.page(number)},{json.dumps(answer)[1:]}'
