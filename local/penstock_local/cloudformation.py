"""What ministack's CloudFormation leaves out of templates that are right on AWS.

An HTTP API's routes lie in the OpenAPI `Body` that SAM generates, which ministack drops. Glue jobs
and state machines are the business of `penstock_local.glue` and `penstock_local.asl`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from penstock_local import pins
from penstock_local.late_import import after_import
from penstock_local.settings import LocalSettings

PROVISIONERS = "ministack.services.cloudformation.provisioners"

API_TYPE = "AWS::ApiGatewayV2::Api"
METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}
ANY_METHOD = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"


def install(_: LocalSettings) -> None:
    """Mend the handlers of HTTP APIs, once CloudFormation is imported."""
    after_import(PROVISIONERS, repair)


def repair(provisioners: ModuleType) -> None:
    """Mend the handlers in ministack's module."""
    _read_bodies_of_http_apis(provisioners)


def _read_bodies_of_http_apis(provisioners: ModuleType) -> None:
    handlers = _resource_handlers(provisioners)[API_TYPE]
    create, update = handlers["create"], handlers.get("update")

    def create_api(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        created = create(logical_id, props, stack_name)
        _import_routes(provisioners, created[0], props.get("Body"))
        return created

    def update_api(
        physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any, **more: Any
    ) -> Any:
        updated = update(physical_id, old, new, *rest, **more)
        _import_routes(provisioners, updated[0], new.get("Body"))
        return updated

    handlers["create"] = create_api
    if update is not None:
        handlers["update"] = update_api


def _resource_handlers(provisioners: ModuleType) -> dict[str, Any]:
    for value in vars(provisioners).values():
        if isinstance(value, dict) and "create" in (value.get(API_TYPE) or {}):
            return value
    pins.require(condition=False, what=f"the handler table that holds {API_TYPE}")
    raise AssertionError


def _import_routes(provisioners: Any, api_id: str, body: dict[str, Any] | None) -> None:
    """Make the routes and integrations that an OpenAPI body describes."""
    if not body:
        return
    api = provisioners._apigw_v2
    api._routes[api_id] = {}
    api._integrations[api_id] = {}
    for path, operations in (body.get("paths") or {}).items():
        for method, operation in operations.items():
            if INTEGRATION in operation and method in {*METHODS, ANY_METHOD}:
                _import_route(provisioners, api_id, _route_key(path, method), operation)


def _import_route(provisioners: Any, api_id: str, key: str, operation: dict[str, Any]) -> None:
    integration = operation[INTEGRATION]
    integration_id, _ = provisioners._apigw_v2_integration_create(
        "",
        {
            "ApiId": api_id,
            "IntegrationType": integration["type"].upper(),
            "IntegrationUri": integration["uri"],
            "IntegrationMethod": integration.get("httpMethod", "POST"),
            "PayloadFormatVersion": integration.get("payloadFormatVersion", "2.0"),
        },
        "",
    )
    route = {"ApiId": api_id, "RouteKey": key, "Target": f"integrations/{integration_id}"}
    provisioners._apigw_v2_route_create("", route, "")


def _route_key(path: str, method: str) -> str:
    if path == "/$default":
        return "$default"
    return f"{'ANY' if method == ANY_METHOD else method.upper()} {path}"
