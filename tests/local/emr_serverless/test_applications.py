"""Applications live as on EMR Serverless, and IAM decides who may use them."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from tests.local.emr_serverless.job_runs import JobRuns
from tests.local.running_platform import Platform

APPLICATIONS = "arn:aws:emr-serverless:eu-central-1:123456789012:/applications"


def refused(code: str, text: str = "") -> Any:
    return pytest.raises(ClientError, match=f"{code}.*{text}")


def make(emr: JobRuns, **more: Any) -> str:
    asked = {"releaseLabel": "emr-7.11.0", "type": "SPARK", **more}
    return str(emr.api.create_application(**asked)["applicationId"])


def test_an_application_is_made_started_stopped_and_deleted(emr: JobRuns) -> None:
    made = make(emr, name="sales", clientToken="once")
    assert make(emr, name="sales", clientToken="once") == made
    look = emr.api.get_application
    assert look(applicationId=made)["application"]["state"] == "CREATED"
    emr.api.start_application(applicationId=made)
    assert look(applicationId=made)["application"]["state"] == "STARTED"
    with refused("ValidationException", "STARTED"):
        emr.api.delete_application(applicationId=made)
    emr.api.stop_application(applicationId=made)
    emr.api.delete_application(applicationId=made)
    assert look(applicationId=made)["application"]["state"] == "TERMINATED"
    with refused("ValidationException", "takes no job runs"):
        emr.start("pass", applicationId=made)


def test_an_application_has_the_members_of_the_service_model(emr: JobRuns) -> None:
    application = emr.api.get_application(applicationId="local")["application"]
    shape = botocore.session.get_session().get_service_model("emr-serverless")
    members = shape.shape_for("Application")
    assert set(members.required_members) <= application.keys() <= set(members.members)
    listed = emr.api.list_applications()["applications"]
    assert "local" in [one["id"] for one in listed]


def test_applications_come_in_pages(emr: JobRuns) -> None:
    made = {make(emr) for _ in range(3)}
    pages = emr.api.get_paginator("list_applications").paginate(PaginationConfig={"PageSize": 2})
    ids = [one["id"] for page in pages for one in page["applications"]]
    assert made <= set(ids)
    assert len(ids) == len(set(ids))
    created = emr.api.list_applications(states=["STARTING"])["applications"]
    assert created == []


def test_an_application_that_must_not_start_by_itself_takes_no_job_runs(emr: JobRuns) -> None:
    made = make(emr, autoStartConfiguration={"enabled": False})
    with refused("ValidationException", "takes no job runs"):
        emr.start("pass", applicationId=made)


def test_what_does_not_exist_is_not_found(emr: JobRuns) -> None:
    with refused("ResourceNotFoundException", "none0"):
        emr.api.get_application(applicationId="none0")
    with refused("ResourceNotFoundException", "none1"):
        emr.api.get_job_run(applicationId="local", jobRunId="none1")
    with refused("ResourceNotFoundException", "none0"):
        emr.start("pass", applicationId="none0")


def test_requests_are_checked_against_the_service_model(emr: JobRuns) -> None:
    with refused("ValidationException", "executionRoleArn"):
        emr.start("pass", executionRoleArn="a-role-without-an-arn")
    with refused("ValidationException", "clientToken"):
        emr.start("pass", clientToken="not a token")


def test_a_caller_needs_the_action_on_the_application_and_may_pass_only_named_roles(
    emr: JobRuns, platform: Platform
) -> None:
    start = {"Effect": "Allow", "Action": "emr-serverless:StartJobRun"}
    passing = {
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": platform.role,
        "Condition": {"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}},
    }
    nobody = platform.user("emr-nobody", passing)("emr-serverless")
    elsewhere = platform.user("emr-elsewhere", start | {"Resource": f"{APPLICATIONS}/other"})
    starter = platform.user("emr-starter", start | {"Resource": f"{APPLICATIONS}/local"})
    both = start | {"Resource": f"{APPLICATIONS}/local"}
    allowed = platform.user("emr-allowed", both, passing)("emr-serverless")

    for api in (nobody, elsewhere("emr-serverless")):
        with refused("AccessDeniedException", "emr-serverless:StartJobRun"):
            emr.start("pass", api=api)
    with refused("AccessDeniedException", f"iam:PassRole on resource: {platform.role}"):
        emr.start("pass", api=starter("emr-serverless"))
    run_id = emr.start("pass", api=allowed)
    with refused("AccessDeniedException", "GetJobRun"):
        allowed.get_job_run(applicationId="local", jobRunId=run_id)
    run = emr.wait(run_id)
    assert run["state"] == "SUCCESS"
    assert run["createdBy"].endswith(":user/emr-allowed")
    listed = emr.api.list_job_runs(applicationId="local", states=["SUCCESS"])["jobRuns"]
    assert run_id in [one["id"] for one in listed]
