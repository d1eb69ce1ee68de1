"""ListStatements and ListSessions: which ones, and how many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from penstock_local.redshift.caller import Caller
from penstock_local.redshift.errors import validation
from penstock_local.redshift.request import Target
from penstock_local.redshift.statement import Statement
from penstock_local.redshift.warehouse import KeptSession

PAGE = 100

Item = TypeVar("Item", Statement, KeptSession)


def select_statements(
    statements: Sequence[Statement], caller: Caller, request: dict[str, Any]
) -> tuple[list[Statement], str | None]:
    """The finished statements, or those of another status, that the request filters for."""
    wanted = request.get("Status") or "FINISHED"
    prefix = request.get("StatementName") or ""
    found = [
        item
        for item in statements
        if wanted in ("ALL", item.status)
        and (item.submission.name or "").startswith(prefix)
        and _is_own(item.submission.caller, caller, request)
        and _is_there(item.submission.target, request)
    ]
    return _page(found, request)


def select_sessions(
    sessions: Sequence[KeptSession], caller: Caller, request: dict[str, Any]
) -> tuple[list[KeptSession], str | None]:
    """The open sessions that the request filters for."""
    found = [
        item
        for item in sessions
        if request.get("SessionId") in (None, item.id)
        and request.get("Status") in (None, item.status)
        and _is_own(item.owner, caller, request)
        and _is_there(item.target, request)
    ]
    return _page(found, request)


def _is_own(owner: Caller, caller: Caller, request: dict[str, Any]) -> bool:
    """With RoleLevel false, only what this very session of a role has run."""
    return request.get("RoleLevel", True) or owner.arn == caller.arn


def _is_there(target: Target, request: dict[str, Any]) -> bool:
    if request.get("WorkgroupName") and request.get("ClusterIdentifier"):
        raise validation("ClusterIdentifier and WorkgroupName cannot both be specified")
    warehouse = request.get("WorkgroupName") or request.get("ClusterIdentifier")
    kind = "workgroup" if request.get("WorkgroupName") else "cluster"
    return (
        warehouse is None
        or (target.place.kind, target.place.warehouse) == (kind, warehouse.rsplit("/", 1)[-1])
    ) and request.get("Database") in (None, target.place.database)


def _page(items: list[Item], request: dict[str, Any]) -> tuple[list[Item], str | None]:
    """The items after the one that NextToken names: new ones do not move the place."""
    token = request.get("NextToken")
    ids = [item.id for item in items]
    if token and token not in ids:
        raise validation("NextToken is invalid")
    start = ids.index(token) + 1 if token else 0
    end = start + (request.get("MaxResults") or PAGE)
    return items[start:end], ids[end - 1] if end < len(items) else None
