"""The environment of every function as one type."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.domain.prices import Prices
from penstock.domain.redshift import Redshift
from penstock.domain.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping


class InvalidSettingError(ValueError):
    """A setting of the function is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template tells a function; only handlers read it."""

    environment: str
    stack_name: str
    control_table: str
    run_table: str
    data_bucket: str
    error_queue_url: str
    error_dlq_url: str
    notification_topic: str
    reconcile_rule: str
    prices: Prices
    default_pool_limit: int
    time_zone: str
    retention_days: int
    redshift: Redshift | None

    @property
    def site(self) -> Site:
        """Return what the arguments of jobs are filled with."""
        return Site(
            environment=self.environment,
            stack_name=self.stack_name,
            data_bucket=self.data_bucket,
            time_zone=self.time_zone,
            redshift=self.redshift,
            prices=self.prices,
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings from the environment; raise InvalidSettingError by name."""
        return cls(
            environment=_text(environ, "ENVIRONMENT"),
            stack_name=_text(environ, "STACK_NAME"),
            control_table=_text(environ, "CONTROL_TABLE"),
            run_table=_text(environ, "RUN_TABLE"),
            data_bucket=_text(environ, "DATA_BUCKET"),
            error_queue_url=_text(environ, "ERROR_QUEUE_URL"),
            error_dlq_url=environ.get("ERROR_DLQ_URL", ""),
            notification_topic=environ.get("NOTIFICATION_TOPIC_ARN", ""),
            reconcile_rule=environ.get("RECONCILE_RULE", ""),
            prices=Prices.from_text(environ.get("PRICES", "")),
            default_pool_limit=max(1, _number(environ, "DEFAULT_POOL_LIMIT")),
            time_zone=environ.get("TIME_ZONE") or "UTC",
            retention_days=_number(environ, "RETENTION_DAYS"),
            redshift=Redshift.from_texts(
                workgroup=environ.get("REDSHIFT_WORKGROUP", ""),
                cluster=environ.get("REDSHIFT_CLUSTER", ""),
                database=environ.get("REDSHIFT_DATABASE", ""),
                secret_arn=environ.get("REDSHIFT_SECRET_ARN", ""),
                copy_role_arn=environ.get("REDSHIFT_COPY_ROLE_ARN", ""),
            ),
        )


def _text(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise InvalidSettingError(f"the environment variable {name} is not set")
    return value


def _number(environ: Mapping[str, str], name: str) -> int:
    text = _text(environ, name)
    if not text.isdigit():
        raise InvalidSettingError(f"the environment variable {name} is not a number: {text!r}")
    return int(text)
