"""Which database a request is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock_local.redshift.errors import validation


@dataclass(frozen=True, slots=True)
class Place:
    """Which warehouse a database belongs to: a workgroup or a cluster of an account and region."""

    account: str
    region: str
    kind: str
    warehouse: str
    database: str

    @property
    def arn(self) -> str:
        """The ARN of the workgroup or cluster."""
        if self.kind == "workgroup":
            service, resource = "redshift-serverless", f"workgroup/{self.warehouse}"
        else:
            service, resource = "redshift", f"cluster:{self.warehouse}"
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def user_arn(self, user: str) -> str:
        """The ARN of a database user, as Redshift's errors name it."""
        service = "redshift-serverless" if self.kind == "workgroup" else "redshift"
        return f"arn:aws:{service}:{self.region}:{self.account}:dbuser:{self.warehouse}/{user}"


def place_of(request: dict[str, Any], account: str, region: str, database: str | None) -> Place:
    """The database that a request names. Raises ValidationException."""
    workgroup, cluster = request.get("WorkgroupName"), request.get("ClusterIdentifier")
    if bool(workgroup) == bool(cluster):
        raise validation(
            "Exactly one of ClusterIdentifier and WorkgroupName must be specified"
            if workgroup
            else "Redshift endpoint is missing: specify ClusterIdentifier or WorkgroupName"
        )
    if not database:
        raise validation("Database is required")
    kind = "workgroup" if workgroup else "cluster"
    warehouse = str(workgroup or cluster).rsplit("/", 1)[-1]
    return Place(account, region, kind, warehouse, database.lower())


def warehouse_arn(request: dict[str, Any], account: str, region: str) -> str:
    """The resource that IAM decides about; "*" if the request names none."""
    workgroup, cluster = request.get("WorkgroupName"), request.get("ClusterIdentifier")
    if isinstance(workgroup, str) and workgroup.startswith("arn:"):
        return workgroup
    if workgroup:
        return f"arn:aws:redshift-serverless:{region}:{account}:workgroup/{workgroup}"
    if cluster:
        return f"arn:aws:redshift:{region}:{account}:cluster:{cluster}"
    return "*"
