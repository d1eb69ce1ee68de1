"""Jobs keep what they were made with, through the API and through CloudFormation."""

from __future__ import annotations

import json

import pytest
from tests.local.running_platform import Platform

from penstock_local.glue.job_definition import InvalidJobError, define

SHELL = {"Role": "job-role", "Command": {"Name": "pythonshell", "ScriptLocation": "s3://jobs/a.py"}}
SPARK = {"Role": "job-role", "Command": {"Name": "glueetl", "ScriptLocation": "s3://jobs/a.py"}}


def test_a_python_shell_job_gets_glues_defaults() -> None:
    job = define("one", SHELL)
    assert (job["MaxCapacity"], job["Timeout"], job["MaxRetries"]) == (0.0625, 480, 0)
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 1}
    assert "WorkerType" not in job


def test_a_spark_job_runs_on_glue_5_1_unless_told_otherwise() -> None:
    job = define("one", SPARK)
    assert (job["GlueVersion"], job["Timeout"]) == ("5.1", 480)
    assert define("one", {**SPARK, "GlueVersion": "4.0"})["Timeout"] == 2880


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({**SHELL, "WorkerType": "G.1X"}, "not supported for Python shell"),
        ({**SHELL, "MaxCapacity": 2}, "0.0625 or 1.0"),
        ({**SPARK, "MaxCapacity": 10, "WorkerType": "G.1X"}, "do not set Max Capacity"),
        ({**SPARK, "Timeout": 20000}, "Timeout must be 1 to 10080"),
        ({**SPARK, "Timeout": "soon"}, "Timeout must be a number, not 'soon'"),
        ({"Role": "job-role"}, "Command is required"),
    ],
)
def test_what_glue_refuses_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidJobError, match=message):
        define("one", given)


def test_an_update_replaces_the_whole_definition(platform: Platform) -> None:
    job = platform.job("", Timeout=5, Description="old", MaxRetries=2)
    old = platform.glue.get_job(JobName=job)["Job"]
    update = {"Role": old["Role"], "Command": old["Command"], "Timeout": 9}
    platform.glue.update_job(JobName=job, JobUpdate=update)
    new = platform.glue.get_job(JobName=job)["Job"]
    assert (new["Timeout"], new["MaxRetries"]) == (9, 0)
    assert "Description" not in new
    assert new["CreatedOn"] == old["CreatedOn"]


def test_a_job_of_a_stack_keeps_every_property(platform: Platform) -> None:
    properties = {
        "Name": "stacked",
        "Role": platform.role,
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://jobs/a.py"},
        "ExecutionProperty": {"MaxConcurrentRuns": {"Ref": "AtOnce"}},
        "Timeout": {"Ref": "Minutes"},
        "ExecutionClass": "FLEX",
        "JobRunQueuingEnabled": True,
        "NumberOfWorkers": 3,
        "WorkerType": "G.2X",
    }
    template = {
        "Parameters": {
            "AtOnce": {"Type": "Number", "Default": 7},
            "Minutes": {"Type": "Number", "Default": 12},
        },
        "Resources": {"Job": {"Type": "AWS::Glue::Job", "Properties": properties}},
    }
    stacks = platform.client("cloudformation")
    stacks.create_stack(StackName="jobs", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(
        StackName="jobs", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    job = platform.glue.get_job(JobName="stacked")["Job"]
    assert job["ExecutionProperty"] == {"MaxConcurrentRuns": 7}
    assert (job["Timeout"], job["ExecutionClass"]) == (12, "FLEX")
    assert (job["WorkerType"], job["NumberOfWorkers"]) == ("G.2X", 3)
    assert job["JobRunQueuingEnabled"] is True

    del properties["ExecutionClass"], properties["Timeout"]
    stacks.update_stack(StackName="jobs", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_update_complete").wait(
        StackName="jobs", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    job = platform.glue.get_job(JobName="stacked")["Job"]
    assert "ExecutionClass" not in job
    assert job["Timeout"] == 480


def test_an_unknown_job_is_named(platform: Platform) -> None:
    with pytest.raises(platform.glue.exceptions.EntityNotFoundException, match="Job nowhere"):
        platform.start("nowhere")
    with pytest.raises(platform.glue.exceptions.EntityNotFoundException):
        platform.glue.get_job_run(JobName="nowhere", RunId="jr_1")


def test_the_runs_of_a_job_are_listed_newest_first_in_pages(platform: Platform) -> None:
    job = platform.job("")
    runs = [platform.run(job)["Id"] for _ in range(3)]
    first = platform.glue.get_job_runs(JobName=job, MaxResults=2)
    assert [one["Id"] for one in first["JobRuns"]] == [runs[2], runs[1]]
    rest = platform.glue.get_job_runs(JobName=job, NextToken=first["NextToken"])
    assert [one["Id"] for one in rest["JobRuns"]] == [runs[0]]
    assert "NextToken" not in rest
