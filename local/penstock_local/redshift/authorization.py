"""IAM: who calls, on which resource, and the permissions that AWS needs besides redshift-data's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator, router
from ministack.core.responses import get_account_id

from penstock_local import authorization, pins
from penstock_local.redshift.caller import Caller
from penstock_local.redshift.constraints import SERVICE
from penstock_local.redshift.place import Place, warehouse_arn

_CALLER = "${aws:userid}"
_OWNER_KEY = "redshift-data:statement-owner-iam-userid"
_OF_ONE_STATEMENT = (
    "DescribeStatement",
    "GetStatementResult",
    "GetStatementResultV2",
    "CancelStatement",
)

Headers = dict[str, str]


def caller_of(headers: Headers, query: dict[str, Any]) -> Caller:
    """The principal of a request; the account itself where there are no credentials to tell."""
    return _caller(router.extract_access_key_id(headers, query))


def _caller(access_key: str) -> Caller:
    identity = iam_evaluator.resolve_caller_identity(access_key)
    if identity is None:
        account = get_account_id()
        return Caller(f"arn:aws:iam::{account}:root", account)
    return Caller(str(identity["userArn"]), str(identity["userId"]))


def require(headers: Headers, query: dict[str, Any], action: str, resource: str) -> None:
    """Raise AccessDeniedException unless the caller may do `action`, when IAM is enforced."""
    authorization.require(router.extract_access_key_id(headers, query), action, resource)


def connection_permissions(place: Place, arn: str, db_user: str | None) -> list[tuple[str, str]]:
    """What temporary database credentials need: pairs of action and resource.

    Source: "Choosing database authentication credentials" in the Redshift management guide.
    """
    if place.kind == "workgroup":
        return [("redshift-serverless:GetCredentials", arn)]
    base = f"arn:aws:redshift:{place.region}:{place.account}"
    database = f"{base}:dbname:{place.warehouse}/{place.database}"
    if db_user is None:
        return [("redshift:GetClusterCredentialsWithIAM", database)]
    user = f"{base}:dbuser:{place.warehouse}/{db_user}"
    return [
        ("redshift:GetClusterCredentials", user),
        ("redshift:GetClusterCredentials", database),
    ]


def install(
    owner_of: Callable[[str], Caller | None], place_of_session: Callable[[str], Place | None]
) -> None:
    """Teach ministack the namespace, the resources and the condition key of redshift-data."""
    pins.require(isinstance(iam_actions.SERVICE_TO_IAM_NAMESPACE, dict), "SERVICE_TO_IAM_NAMESPACE")
    pins.require(hasattr(iam_evaluator, "_signed_request"), "iam_evaluator._signed_request")
    iam_actions.SERVICE_TO_IAM_NAMESPACE[SERVICE] = SERVICE
    resource_arn = iam_actions.extract_resource_arn
    tag_context = iam_actions.request_tag_context

    def extract_resource_arn(service: str, *arguments: Any) -> str:
        if service != SERVICE:
            return str(resource_arn(service, *arguments))
        request, region, account = _members(arguments[3]), arguments[5], arguments[6]
        place = place_of_session(str(request.get("SessionId")))
        return place.arn if place else warehouse_arn(request, account, region)

    def request_tag_context(
        service: str, iam_action: str, body: bytes, params: dict[str, Any]
    ) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, iam_action, body, params)
        if service == SERVICE:
            owner = _owner_id(iam_action.partition(":")[2], _members(body), owner_of)
            context |= {_OWNER_KEY: owner} if owner else {}
        return context

    pins.replace(iam_actions, "extract_resource_arn", extract_resource_arn)
    pins.replace(iam_actions, "request_tag_context", request_tag_context)


def _owner_id(
    operation: str, request: dict[str, Any], owner_of: Callable[[str], Caller | None]
) -> str | None:
    """Whose statement a request is about; listing shows only the caller's own.

    Policies compare it with ${aws:userid}, which ministack does not replace by the caller's id:
    so the statements of the caller's user or role carry that text as their owner.
    """
    signed = iam_evaluator._signed_request.get()
    if signed is None or operation not in (*_OF_ONE_STATEMENT, "ListStatements"):
        return None
    if operation == "ListStatements":
        return _CALLER
    owner = owner_of(str(request.get("Id")))
    if owner is None:
        return None
    return _CALLER if owner.identity == _caller(signed.access_key_id).identity else owner.user_id


def _members(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}
