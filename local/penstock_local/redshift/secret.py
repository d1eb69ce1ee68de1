"""The secret with the credentials of a database, in Secrets Manager."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ministack.services import secretsmanager

from penstock_local import pins
from penstock_local.redshift.errors import validation


@dataclass(frozen=True, slots=True)
class Secret:
    """Where it is and whom it logs in."""

    arn: str
    user: str
    cluster: str | None


def find_secret(name_or_arn: str) -> Secret:
    """The secret of this name or ARN. Raises ValidationException if it cannot be used."""
    pins.require(hasattr(secretsmanager, "_resolve"), "secretsmanager._resolve")
    _, record = secretsmanager._resolve(name_or_arn)
    if record is None or record.get("DeletedDate"):
        raise validation(f"Secrets Manager can't find the specified secret: {name_or_arn}")
    try:
        text = secretsmanager.resolve_secret_string(record["ARN"])
        content = json.loads(text or "")
        user, cluster = str(content["username"]), content.get("dbClusterIdentifier")
    except (ValueError, TypeError, KeyError) as error:
        raise validation(
            f"The secret {name_or_arn} must hold JSON with username and password"
        ) from error
    return Secret(str(record["ARN"]), user, cluster)
