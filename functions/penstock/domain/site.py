"""Where Penstock is installed: what the arguments of jobs are filled with, the same in each run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.domain.prices import Prices

if TYPE_CHECKING:
    from penstock.domain.redshift import Redshift


@dataclass(frozen=True, slots=True)
class Site:
    """One deployment of the template."""

    environment: str
    stack_name: str
    data_bucket: str
    time_zone: str
    redshift: Redshift | None
    prices: Prices = field(default_factory=Prices)

    @property
    def data_path(self) -> str:
        """Return where jobs keep their data."""
        return f"s3://{self.data_bucket}/data"

    def placeholders(self) -> dict[str, str]:
        """Return what `{name}` stands for in a row's Target and Arguments, in every run."""
        redshift = self.redshift
        return {
            "environment": self.environment,
            "stack": self.stack_name,
            "data_bucket": self.data_bucket,
            "data_path": self.data_path,
            "redshift_workgroup": redshift.workgroup if redshift else "",
            "redshift_cluster": redshift.cluster if redshift else "",
            "redshift_database": redshift.database if redshift else "",
            "redshift_secret_arn": redshift.secret_arn if redshift else "",
            "redshift_copy_role_arn": redshift.copy_role_arn if redshift else "",
        }
