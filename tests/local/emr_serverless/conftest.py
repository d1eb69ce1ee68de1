"""The job runs of the one platform that runs of all kinds share."""

from __future__ import annotations

import pytest
from tests.local.emr_serverless.job_runs import JobRuns
from tests.local.running_platform import Platform


@pytest.fixture(scope="session")
def emr(platform: Platform) -> JobRuns:
    return JobRuns(platform)
