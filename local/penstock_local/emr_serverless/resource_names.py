"""What IAM decides by: the namespace of EMR Serverless and the ARNs of what requests name."""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from penstock_local import pins


def install(service: str) -> None:
    """Teach ministack the namespace and the resources."""
    pins.require(isinstance(iam_actions.SERVICE_TO_IAM_NAMESPACE, dict), "SERVICE_TO_IAM_NAMESPACE")
    iam_actions.SERVICE_TO_IAM_NAMESPACE[service] = service
    resource_arn = iam_actions.extract_resource_arn

    def extract_resource_arn(named: str, *arguments: Any) -> str:
        if named != service:
            return str(resource_arn(named, *arguments))
        path, region, account = arguments[1], arguments[5], arguments[6]
        return arn_of(path, region, account)

    pins.replace(iam_actions, "extract_resource_arn", extract_resource_arn)


def arn_of(path: str, region: str, account: str) -> str:
    """The application or the job run that a path names; `*` for requests that name none.

    Starting and listing job runs are decided by the application (Service Authorization Reference).
    """
    parts = path.strip("/").split("/")
    base = f"arn:aws:emr-serverless:{region}:{account}:/applications"
    if parts[0] == "tags":
        return "/".join(parts[1:])
    if parts[0] != "applications" or len(parts) == 1:
        return "*"
    if parts[2:3] == ["jobruns"] and len(parts) > 3:
        return f"{base}/{parts[1]}/jobruns/{parts[3]}"
    return f"{base}/{parts[1]}"
