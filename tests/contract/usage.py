"""Which IAM actions the functions, the state machine and the shipped jobs need, and on what.

What the functions need is read from their handlers (`parts.<adapter>.<method>`) and looked up
here, so a new call of an adapter asks for a new line in the table below.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from . import machine
from .machine import ROOT

Uses = set[tuple[str, str]]  # (IAM action, logical ID of the resource, or "" where IAM has none)

HANDLERS = ROOT / "functions" / "penstock" / "handlers"
_PART = re.compile(r"\bparts\.(\w+)\.(\w+)")

_TOKENS = {("states:SendTaskSuccess", ""), ("states:SendTaskFailure", "")}
_TURNS: Uses = _TOKENS | {
    (f"dynamodb:{action}", "RunTable")
    for action in ("GetItem", "BatchGetItem", "Query", "UpdateItem", "BatchWriteItem", "DeleteItem")
}
_READ_OBJECT: Uses = {("s3:GetObject", "DataBucket"), ("s3:ListBucket", "DataBucket")}
_SEND: Uses = {("sqs:SendMessage", "ErrorQueue")}

ADAPTERS: dict[str, Uses] = {
    "bucket.plan": _READ_OBJECT,
    "bucket.result_file": _READ_OBJECT,
    "bucket.store": {*_READ_OBJECT, ("s3:PutObject", "DataBucket")},
    "control.calendars": {("dynamodb:BatchGetItem", "ControlTable")},
    "control.record": {("dynamodb:UpdateItem", "ControlTable")},
    "control.rows_of_category": {("dynamodb:Query", "ControlTable")},
    "gate.sweep": _TURNS,
    "queue.delete": {("sqs:DeleteMessage", "ErrorQueue")},
    "queue.receive": {("sqs:ReceiveMessage", "ErrorQueue")},
    "queue.release": {("sqs:ChangeMessageVisibility", "ErrorQueue")},
    "queue.send": _SEND,
    "queue.send_all": _SEND,
    "runs.backlog": {("dynamodb:GetItem", "RunTable")},
    "runs.create_jobs": {("dynamodb:PutItem", "RunTable")},  # in transactions
    "runs.jobs_of": {("dynamodb:Query", "RunTable")},
    "runs.run": {("dynamodb:GetItem", "RunTable")},
    "runs.save": {("dynamodb:UpdateItem", "RunTable")},
    "runs.unlogged_by": {("dynamodb:GetItem", "RunTable")},
    "turns.abandon": _TURNS,
    "turns.arrive": _TURNS,
    "turns.settle": _TURNS,
}

_GLUE = {
    (f"glue:{action}", "job")
    for action in ("StartJobRun", "GetJobRun", "GetJobRuns", "BatchStopJobRun")
}
# With a secret, or as the role itself in a workgroup or in a cluster: whichever is configured.
_SIGN_IN = {
    ("secretsmanager:GetSecretValue", "RedshiftSecretArn"),
    ("redshift-serverless:GetCredentials", "RedshiftWorkgroupArn"),
    ("redshift:GetClusterCredentialsWithIAM", "RedshiftCluster"),
}
_BATCH = {
    ("redshift-data:BatchExecuteStatement", "RedshiftWorkgroupArn"),
    ("redshift-data:BatchExecuteStatement", "RedshiftCluster"),
    *_SIGN_IN,
}
LOG_DELIVERY = {
    (f"logs:{action}", "")
    for action in (
        *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery"),
        *("ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies"),
        "DescribeLogGroups",
    )
}
# What Step Functions does for a state, with the role of the machine.
INTEGRATIONS: dict[str, Uses] = {
    "arn:aws:states:::glue:startJobRun.sync": _GLUE,
    "arn:aws:states:::aws-sdk:redshiftdata:batchExecuteStatement": _BATCH,
    "arn:aws:states:::aws-sdk:redshiftdata:describeStatement": {
        ("redshift-data:DescribeStatement", "")
    },
    "arn:aws:states:::sns:publish": {("sns:Publish", "NotificationTopic")},
    "arn:aws:states:::sqs:sendMessage": _SEND,
    "arn:aws:states:::s3:getObject": {("s3:GetObject", "DataBucket")},
    "arn:aws:states:::s3:putObject": {
        (f"s3:{action}", "DataBucket")
        for action in ("PutObject", "GetObject", "ListMultipartUploadParts", "AbortMultipartUpload")
    },
    "DISTRIBUTED": {
        ("states:StartExecution", "PipelineStateMachine"),
        ("states:DescribeExecution", "PipelineStateMachine"),
        ("states:StopExecution", "PipelineStateMachine"),
        ("states:RedriveExecution", "PipelineStateMachine"),
    },
}

_JOB: Uses = {
    ("s3:GetObject", "ArtifactBucket"),
    *_READ_OBJECT,
    ("s3:PutObject", "DataBucket"),
    ("s3:AbortMultipartUpload", "DataBucket"),
    ("logs:CreateLogGroup", "log-group"),
    ("logs:CreateLogStream", "log-group"),
    ("logs:PutLogEvents", "log-group"),
}
JOBS: dict[str, Uses] = {
    "TransformJobRole": {*_JOB, ("s3:DeleteObject", "DataBucket")},  # Spark's _temporary
    "LoadJobRole": {
        *_JOB,
        *_BATCH,
        ("redshift-data:DescribeStatement", ""),
        ("redshift-data:CancelStatement", ""),
        ("dynamodb:DescribeTable", "DailyCasesTable"),
        ("dynamodb:BatchWriteItem", "DailyCasesTable"),
    },
    "RedshiftCopyRole": _READ_OBJECT,
}


# The requests that adapters and shipped jobs can make, and the action that each needs.
REQUESTS = {
    "batch_get_item": "dynamodb:BatchGetItem",
    "batch_write_item": "dynamodb:BatchWriteItem",
    "delete_item": "dynamodb:DeleteItem",
    "describe_table": "dynamodb:DescribeTable",
    "get_item": "dynamodb:GetItem",
    "query": "dynamodb:Query",
    "transact_write_items": "dynamodb:PutItem",
    "update_item": "dynamodb:UpdateItem",
    "batch_execute_statement": "redshift-data:BatchExecuteStatement",
    "cancel_statement": "redshift-data:CancelStatement",
    "describe_statement": "redshift-data:DescribeStatement",
    "download_file": "s3:GetObject",
    "get_object": "s3:GetObject",
    "list_objects_v2": "s3:ListBucket",
    "put_object": "s3:PutObject",
    "upload_file": "s3:PutObject",
    "change_message_visibility_batch": "sqs:ChangeMessageVisibility",
    "delete_message_batch": "sqs:DeleteMessage",
    "receive_message": "sqs:ReceiveMessage",
    "send_message_batch": "sqs:SendMessage",
    "send_task_failure": "states:SendTaskFailure",
    "send_task_success": "states:SendTaskSuccess",
}
PEOPLE_ONLY = {"scan"}  # the command line lists all rows, with its user's own permissions
_REQUEST = re.compile(r"\bclient\.([a-z]\w+)|_client\.([a-z]\w+)|get_paginator\(\"(\w+)\"\)")


def requests_in(folder: Path) -> set[str]:
    """The names of the boto3 methods that the modules of a folder use."""
    found = {
        name
        for path in folder.glob("*.py")
        for groups in _REQUEST.findall(path.read_text())
        for name in groups
    }
    return found - {"", "meta", "get_paginator"} - PEOPLE_ONLY


def adapter_calls(handler: str) -> set[str]:
    """The adapter methods that a handler calls: "control.record"."""
    source = (HANDLERS / f"{handler}.py").read_text()
    found = {f"{part}.{method}" for part, method in _PART.findall(source)}
    return {call for call in found if not call.startswith("settings.")}


def of_function(handler: str) -> Uses:
    return {use for call in adapter_calls(handler) for use in ADAPTERS[call]}


def of_machine(substitutions: dict[str, Any]) -> Uses:
    """What the definition makes Step Functions do; functions by their logical IDs."""
    uses: Uses = set(LOG_DELIVERY)
    for state in machine.states():
        resource = state.body.get("Resource", "")
        if resource.startswith("arn:aws:states:::lambda:invoke"):
            name = machine.SUBSTITUTION.fullmatch(state.body["Arguments"]["FunctionName"])
            assert name, state.name
            uses.add(("lambda:InvokeFunction", substitutions[name[1]]["Fn::GetAtt"][0]))
        elif resource:
            uses |= INTEGRATIONS[resource]
        if state.type == "Map":
            uses |= INTEGRATIONS["DISTRIBUTED"]
            uses |= INTEGRATIONS[state.body["ItemReader"]["Resource"]]
            uses |= INTEGRATIONS[state.body["ResultWriter"]["Resource"]]
    return uses
