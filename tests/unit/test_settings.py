"""The environment of a function."""

from __future__ import annotations

import pytest

from penstock.domain.redshift import Redshift
from penstock.settings import InvalidSettingError, Settings

ENVIRON = {
    "ENVIRONMENT": "dev",
    "STACK_NAME": "penstock-dev",
    "CONTROL_TABLE": "control",
    "RUN_TABLE": "run",
    "DATA_BUCKET": "data",
    "ERROR_QUEUE_URL": "https://queue",
    "DEFAULT_POOL_LIMIT": "50",
    "RETENTION_DAYS": "400",
    "REDSHIFT_WORKGROUP": "",
    "REDSHIFT_CLUSTER": "",
}


def test_settings_are_read_with_utc_and_without_redshift_by_default() -> None:
    settings = Settings.from_env(ENVIRON)
    assert (settings.time_zone, settings.default_pool_limit, settings.redshift) == ("UTC", 50, None)
    assert settings.site.data_path == "s3://data/data"


def test_redshift_is_a_workgroup_or_else_a_cluster() -> None:
    both = ENVIRON | {"REDSHIFT_WORKGROUP": "wg", "REDSHIFT_CLUSTER": "cl"}
    assert Settings.from_env(both).redshift == Redshift("wg", "", "dev", "", "")
    cluster = ENVIRON | {"REDSHIFT_CLUSTER": "cl", "REDSHIFT_DATABASE": "sales"}
    assert Settings.from_env(cluster).redshift == Redshift("", "cl", "sales", "", "")


@pytest.mark.parametrize(
    ("name", "value"),
    [("RUN_TABLE", ""), ("DATA_BUCKET", " "), ("RETENTION_DAYS", "long"), ("RETENTION_DAYS", "")],
)
def test_a_bad_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(InvalidSettingError, match=name):
        Settings.from_env(ENVIRON | {name: value})
