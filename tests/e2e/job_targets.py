"""What jobs of every type run in the tests, with the names that the deployed stack allows."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from dataclasses import dataclass
from typing import Any

from tests.e2e.stack import Stack

# The role that samconfig.toml names for emr jobs; it serves all targets here.
ROLE = "job-emr"
TRUSTED = ("glue", "lambda", "states", "emr-serverless", "ecs-tasks")
SUBNETS = {"awsvpcConfiguration": {"subnets": ["subnet-local"]}}

FUNCTION = """
def handler(event, context):
    if event["arguments"]["fail"]:
        raise ValueError("no such table: " + event["arguments"]["table"])
    return {"rows_read": event["arguments"]["limit"], "rows_written": event["attempt"]}
"""
CHILD = {
    "QueryLanguage": "JSONata",
    "StartAt": "Fail?",
    "States": {
        "Fail?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.arguments.fail %}", "Next": "Give Up"}],
            "Default": "Answer",
        },
        "Give Up": {"Type": "Fail", "Error": "NoTable", "Cause": "no such table: orders"},
        "Answer": {"Type": "Succeed", "Output": "{% $states.input %}"},
    },
}
# The same script as a Glue job of both kinds, an EMR job run and a container's command.
SCRIPT = """
    import json, sys, time
    import boto3

    given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
    bucket, key = given["--result_path"].removeprefix("s3://").split("/", 1)
    s3 = boto3.client("s3")
    if given["--mode"] == "fail":
        raise ValueError("no such table: " + given["--table"])
    if given["--mode"] == "sleep":
        s3.put_object(Bucket=bucket, Key="data/asleep/" + given["--job_name"], Body="")
        time.sleep(300)
    rows = 5
    if given["--mode"] == "spark":
        from pyspark.sql import SparkSession
        rows = SparkSession.builder.getOrCreate().range(7).count()
    result = {"rows_read": rows, "rows_written": int(given["--attempt"])}
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(result))
"""


@dataclass(frozen=True, slots=True)
class Targets:
    """The target of a job by its type."""

    by_type: dict[str, str]
    machine: str

    def __getitem__(self, job_type: str) -> str:
        return self.by_type[job_type]


def make(stack: Stack) -> Targets:
    """Everything that the rows of the tests name."""
    bucket = stack.output("DataBucket")
    role = _role(stack, bucket)
    stack.client("s3").put_object(
        Bucket=bucket, Key="data/job.py", Body=textwrap.dedent(SCRIPT).encode()
    )
    script = f"s3://{bucket}/data/job.py"
    machine = stack.client("stepfunctions").create_state_machine(
        name="job-child", definition=json.dumps(CHILD), roleArn=role
    )["stateMachineArn"]
    targets = {
        "python_shell": _glue_job(stack, role, script, "pythonshell", MaxCapacity=0.0625),
        "spark": _glue_job(stack, role, script, "glueetl", WorkerType="G.1X", NumberOfWorkers=2),
        "emr": script,
        "ecs": _task_definition(stack, role, script),
        "lambda": _function(stack, role),
        "state_machine": machine,
    }
    return Targets(targets, machine)


def _role(stack: Stack, bucket: str) -> str:
    iam = stack.client("iam")
    trusted = {"Service": [f"{service}.amazonaws.com" for service in TRUSTED]}
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    allowed = [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::{bucket}/*",
        },
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
    ]
    arn = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_policy([trust]))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="work", PolicyDocument=_policy(allowed))
    return str(arn)


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _glue_job(stack: Stack, role: str, script: str, kind: str, **size: Any) -> str:
    command = {"Name": kind, "ScriptLocation": script, "PythonVersion": "3.9"}
    name = f"penstock-local-own-{kind}"
    stack.client("glue").create_job(Name=name, Role=role, Command=command, **size)
    return name


def _task_definition(stack: Stack, role: str, script: str) -> str:
    stack.client("ecs").register_task_definition(
        family="job-load",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        taskRoleArn=role,
        containerDefinitions=[{"name": "job-load", "image": "load:1"}],
        tags=[{"key": "penstock:local-command", "value": f"python {script}"}],
    )
    return "job-load"


def _function(stack: Stack, role: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("job.py", FUNCTION)
    stack.client("lambda").create_function(
        FunctionName="job-tidy",
        Runtime="python3.13",
        Handler="job.handler",
        Role=role,
        Code={"ZipFile": archive.getvalue()},
    )
    return "job-tidy"
