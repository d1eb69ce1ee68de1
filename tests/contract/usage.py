"""Which IAM actions the functions, the state machine and the shipped jobs need, and on what.

What the functions need is looked up in adapter_calls.py; the rest is here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from . import machine
from .adapter_calls import ADAPTERS, READ_OBJECT, SEND, Uses, adapter_calls

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
_EVENTS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")
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
    "arn:aws:states:::aws-sdk:redshiftdata:cancelStatement": {
        ("redshift-data:CancelStatement", "")
    },
    "arn:aws:states:::emr-serverless:startJobRun.sync": {
        ("emr-serverless:StartJobRun", "EmrApplicationId"),
        ("emr-serverless:GetJobRun", "EmrApplicationId"),
        ("emr-serverless:CancelJobRun", "EmrApplicationId"),
        ("iam:PassRole", "EmrJobRoleArn"),
        *((action, "StepFunctionsGetEventsForEMRServerlessJobRule") for action in _EVENTS),
    },
    "arn:aws:states:::ecs:runTask.sync": {
        ("ecs:RunTask", "EcsTaskDefinitionPattern"),
        ("ecs:DescribeTasks", "EcsCluster"),
        ("ecs:StopTask", "EcsCluster"),
        ("iam:PassRole", "EcsTaskRolePattern"),
        *((action, "StepFunctionsGetEventsForECSTaskRule") for action in _EVENTS),
    },
    "arn:aws:states:::states:startExecution.sync:2": {
        ("states:StartExecution", "JobStateMachinePattern"),
        ("states:DescribeExecution", "JobStateMachinePattern"),
        ("states:StopExecution", "JobStateMachinePattern"),
        *((action, "StepFunctionsGetEventsForStepFunctionsExecutionRule") for action in _EVENTS),
    },
    "arn:aws:states:::sns:publish": {("sns:Publish", "NotificationTopic")},
    "arn:aws:states:::sqs:sendMessage": SEND,
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
    *READ_OBJECT,
    ("s3:PutObject", "DataBucket"),
    ("s3:AbortMultipartUpload", "DataBucket"),
    ("logs:CreateLogGroup", "log-group"),
    ("logs:CreateLogStream", "log-group"),
    ("logs:PutLogEvents", "log-group"),
}
_CATALOG: Uses = {
    (f"glue:{action}", resource)
    for action in (
        *("GetTable", "CreateTable", "UpdateTable", "DeleteTable", "GetPartitions"),
        *("BatchCreatePartition", "BatchUpdatePartition", "DeletePartition"),
    )
    for resource in ("catalog", "database/", "table/")  # Glue asks for all three
}
_IMPORT: Uses = {
    ("dynamodb:ImportTable", "LoadTablePattern"),
    ("dynamodb:DescribeImport", "LoadTablePattern"),
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Requesting.html
    *(
        (f"logs:{action}", "/aws-dynamodb/")
        for action in (
            *("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams"),
            *("PutLogEvents", "PutRetentionPolicy"),
        )
    ),
}
JOBS: dict[str, Uses] = {
    "TransformJobRole": {*_JOB, ("s3:DeleteObject", "DataBucket")},  # Spark's _temporary
    "ExtractJobRole": {
        *_JOB,
        *_CATALOG,
        ("secretsmanager:GetSecretValue", "ExtractSecretPattern"),
        ("s3:GetObject", "ExtractSourceBucket"),
        ("s3:ListBucket", "ExtractSourceBucket"),
        ("s3:DeleteObject", "DataBucket"),
    },
    "LoadJobRole": {
        *_JOB,
        *_BATCH,
        ("redshift-data:DescribeTable", "RedshiftWorkgroupArn"),
        ("redshift-data:DescribeTable", "RedshiftCluster"),
        ("redshift-data:DescribeStatement", ""),
        ("redshift-data:CancelStatement", ""),
        *_CATALOG,
        # Iceberg's own catalog asks for the place of the database, too
        *(("glue:GetDatabase", resource) for resource in ("catalog", "database/", "table/")),
        *_IMPORT,
        ("s3:DeleteObject", "DataBucket"),
        ("dynamodb:DescribeTable", "LoadTablePattern"),
        ("dynamodb:BatchWriteItem", "LoadTablePattern"),
        ("dynamodb:DescribeTable", "DailyCasesTable"),
        ("dynamodb:BatchWriteItem", "DailyCasesTable"),
    },
    "RedshiftCopyRole": READ_OBJECT,
}


# The requests that adapters and shipped jobs can make, and the action that each needs.
REQUESTS = {
    "batch_get_item": "dynamodb:BatchGetItem",
    "batch_write_item": "dynamodb:BatchWriteItem",
    "delete_item": "dynamodb:DeleteItem",
    "describe_table": "dynamodb:DescribeTable",
    "get_item": "dynamodb:GetItem",
    "put_item": "dynamodb:PutItem",
    "query": "dynamodb:Query",
    "transact_write_items": "dynamodb:PutItem",
    "update_item": "dynamodb:UpdateItem",
    "disable_rule": "events:DisableRule",
    "enable_rule": "events:EnableRule",
    "batch_create_partition": "glue:BatchCreatePartition",
    "batch_update_partition": "glue:BatchUpdatePartition",
    "create_table": "glue:CreateTable",
    "delete_partition": "glue:DeletePartition",
    "delete_table": "glue:DeleteTable",
    "get_partitions": "glue:GetPartitions",
    "get_table": "glue:GetTable",
    "update_table": "glue:UpdateTable",
    "describe_import": "dynamodb:DescribeImport",
    "import_table": "dynamodb:ImportTable",
    "batch_execute_statement": "redshift-data:BatchExecuteStatement",
    "cancel_statement": "redshift-data:CancelStatement",
    "describe_statement": "redshift-data:DescribeStatement",
    "download_file": "s3:GetObject",
    "get_object": "s3:GetObject",
    "list_objects_v2": "s3:ListBucket",
    "put_object": "s3:PutObject",
    "upload_file": "s3:PutObject",
    "get_secret_value": "secretsmanager:GetSecretValue",
    "publish": "sns:Publish",
    "change_message_visibility_batch": "sqs:ChangeMessageVisibility",
    "delete_message_batch": "sqs:DeleteMessage",
    "receive_message": "sqs:ReceiveMessage",
    "send_message": "sqs:SendMessage",
    "send_message_batch": "sqs:SendMessage",
    "describe_execution": "states:DescribeExecution",
    "describe_map_run": "states:DescribeMapRun",
    "list_executions": "states:ListExecutions",
    "list_map_runs": "states:ListMapRuns",
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
    return found - {"", "meta", "get_paginator", "exceptions"} - PEOPLE_ONLY


def of_function(handler: str) -> Uses:
    return {use for call in adapter_calls(handler) for use in ADAPTERS[call]}


def of_machine(substitutions: dict[str, Any]) -> Uses:
    """What the definition makes Step Functions do; functions by their logical IDs."""
    uses: Uses = set(LOG_DELIVERY)
    for state in machine.states():
        resource = state.body.get("Resource", "")
        if resource.startswith("arn:aws:states:::lambda:invoke"):
            name = machine.SUBSTITUTION.fullmatch(state.body["Arguments"]["FunctionName"])
            function = substitutions[name[1]]["Fn::GetAtt"][0] if name else "JobFunctionPattern"
            uses.add(("lambda:InvokeFunction", function))
        elif resource:
            uses |= INTEGRATIONS[resource]
        if state.type == "Map":
            uses |= INTEGRATIONS["DISTRIBUTED"]
            uses |= INTEGRATIONS[state.body["ItemReader"]["Resource"]]
            uses |= INTEGRATIONS[state.body["ResultWriter"]["Resource"]]
    return uses
