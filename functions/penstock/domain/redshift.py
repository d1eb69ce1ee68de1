"""Where the run log is kept in Redshift, when it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Redshift:
    """One database of a workgroup or of a cluster; exactly one of the two is set."""

    workgroup: str
    cluster: str
    database: str
    secret_arn: str
    copy_role_arn: str

    @classmethod
    def from_texts(
        cls, *, workgroup: str, cluster: str, database: str, secret_arn: str, copy_role_arn: str
    ) -> Redshift | None:
        """Return the connection, or None when neither a workgroup nor a cluster is named."""
        if not (workgroup or cluster):
            return None
        return cls(
            workgroup=workgroup,
            cluster="" if workgroup else cluster,
            database=database or "dev",
            secret_arn=secret_arn,
            copy_role_arn=copy_role_arn,
        )

    def connection(self) -> dict[str, str]:
        """Return the members of a Data API request that say where, and as whom, it is executed."""
        where = {
            "WorkgroupName": self.workgroup,
            "ClusterIdentifier": self.cluster,
            "Database": self.database,
            "SecretArn": self.secret_arn,
        }
        return {name: value for name, value in where.items() if value}
