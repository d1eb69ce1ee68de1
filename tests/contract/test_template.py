"""What the template promises beyond permissions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from penstock.domain.messages import RunRequest

from . import machine, stack

SOURCE = stack.source()
RESOURCES: dict[str, dict[str, Any]] = SOURCE["Resources"]
EXPANDED: dict[str, dict[str, Any]] = stack.expanded()["Resources"]
SECTIONS = ["data", "functions", "Glue jobs", "state machine and schedule", "alarms"]


def of_type(kind: str) -> list[object]:
    return [pytest.param(body, id=name) for name, body in RESOURCES.items() if body["Type"] == kind]


def test_cfn_lint_has_no_complaint_about_the_template_and_the_definition(tmp_path: Path) -> None:
    # Under AWS::Serverless::StateMachine nothing looks into the definition, so it goes in plain.
    plain = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"RoleArn": {"Type": "String"}},
        "Resources": {
            "Pipeline": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"RoleArn": {"Ref": "RoleArn"}, "Definition": machine.definition()},
            }
        },
    }
    definition = tmp_path / "definition.json"
    text = machine.SUBSTITUTION.sub("substituted", json.dumps(plain))
    # AWS takes expressions here, cfn-lint does not yet.
    text = re.sub(r'"TimeoutSeconds": "{%[^"]*%}"', '"TimeoutSeconds": 60', text)
    definition.write_text(text)
    lint = Path(sys.executable).with_name("cfn-lint")
    answer = subprocess.run(
        [lint, "--template", stack.PATH, definition], capture_output=True, text=True, check=False
    )
    assert (answer.stdout + answer.stderr, answer.returncode) == ("", 0)


def test_the_template_is_short_and_in_its_fixed_order() -> None:
    text = stack.PATH.read_text()
    assert text.count("\n") < 600
    top = [name for name in SOURCE if name in {"Parameters", "Globals", "Conditions", "Resources"}]
    assert top == ["Parameters", "Globals", "Conditions", "Resources"]
    assert list(SOURCE)[-1] == "Outputs"
    assert re.findall(r"^  # -{20,} (.+)$", text, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("name", list(SOURCE["Parameters"]))
def test_every_parameter_has_a_default_a_description_and_a_use(name: str) -> None:
    parameter = SOURCE["Parameters"][name]
    assert "Default" in parameter
    assert len(parameter["Description"]) > 20
    assert re.search(rf"(!Ref |\${{){name}\b", stack.PATH.read_text())


def test_every_condition_is_used() -> None:
    text = stack.PATH.read_text()
    for name in SOURCE["Conditions"]:
        assert len(re.findall(rf"\b{name}\b", text)) > 1, name


def test_substitutions_of_the_definition_and_of_the_template_are_the_same() -> None:
    used = set(machine.SUBSTITUTION.findall(json.dumps(machine.definition())))
    given = RESOURCES["PipelineStateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert used == set(given)


@pytest.mark.parametrize("resource", of_type("AWS::Serverless::Function"))
def test_every_function_shares_the_one_artifact_and_the_one_log_group(
    resource: dict[str, Any],
) -> None:
    properties = resource["Properties"]
    assert resource["Metadata"] == {"BuildMethod": "python-uv"}
    assert not {"CodeUri", "Runtime", "Architectures"} & set(properties)
    module = properties["Handler"].removesuffix(".handler").replace(".", "/")
    assert (machine.ROOT / "functions" / f"{module}.py").exists()
    assert "LoggingConfig" not in properties


def test_functions_run_on_a_current_runtime_with_json_logs_and_tracing() -> None:
    shared = SOURCE["Globals"]["Function"]
    assert shared["CodeUri"] == "functions/"
    assert shared["Runtime"] == "python3.13"
    assert shared["Architectures"] == ["arm64"]
    assert shared["Tracing"] == "Active"
    assert shared["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "FunctionLogs"}}
    assert "RetentionInDays" in RESOURCES["FunctionLogs"]["Properties"]


def test_functions_get_every_setting_that_they_read() -> None:
    source = (machine.ROOT / "functions" / "penstock" / "settings.py").read_text()
    read = set(re.findall(r"environ\w*(?:, |\.get\()\"([A-Z_]+)\"", source))
    given = SOURCE["Globals"]["Function"]["Environment"]["Variables"]
    assert read
    assert read <= set(given)
    assert {name for name in given if not name.startswith("POWERTOOLS_")} == read


def test_a_function_ends_before_the_state_that_waits_for_it() -> None:
    substitutions = RESOURCES["PipelineStateMachine"]["Properties"]["DefinitionSubstitutions"]
    shared = SOURCE["Globals"]["Function"]["Timeout"]
    for state in machine.tasks():
        if state.body["Resource"] == "arn:aws:states:::lambda:invoke":
            name = machine.SUBSTITUTION.fullmatch(state.body["Arguments"]["FunctionName"])
            if name is None:  # a function that is a job
                continue
            function = RESOURCES[substitutions[name[1]]["Fn::GetAtt"][0]]["Properties"]
            assert function.get("Timeout", shared) <= state.body["TimeoutSeconds"], state.name


def test_requirements_are_pinned_and_leave_out_what_the_runtime_has() -> None:
    lines = (machine.ROOT / "functions" / "requirements.txt").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert packages
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", package) for package in packages)
    assert not any(package.startswith(("boto3", "botocore")) for package in packages)


@pytest.mark.parametrize(
    "resource",
    of_type("AWS::DynamoDB::Table") + of_type("AWS::S3::Bucket") + of_type("AWS::SQS::Queue"),
)
def test_what_holds_state_says_what_becomes_of_it(resource: dict[str, Any]) -> None:
    policies = (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
    if "TableName" in resource["Properties"]:  # a kept one would be in the way of the next stack
        assert policies == ("Delete", "Delete")
    else:
        assert policies == ("RetainExceptOnCreate", "Retain")


@pytest.mark.parametrize("resource", of_type("AWS::DynamoDB::Table"))
def test_tables_cost_nothing_when_idle_and_can_be_restored(resource: dict[str, Any]) -> None:
    properties = resource["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("resource", of_type("AWS::SQS::Queue"))
def test_queues_are_encrypted_and_keep_messages_as_long_as_sqs_can(
    resource: dict[str, Any],
) -> None:
    assert resource["Properties"]["SqsManagedSseEnabled"] is True
    assert resource["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_the_bucket_is_private_and_encrypted() -> None:
    bucket = RESOURCES["DataBucket"]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@pytest.mark.parametrize("resource", of_type("AWS::Logs::LogGroup"))
def test_logs_are_kept_as_long_as_the_parameter_says(resource: dict[str, Any]) -> None:
    assert resource["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_names_are_left_to_cloudformation_except_those_that_people_write() -> None:
    named = {
        name: value
        for name, body in RESOURCES.items()
        for key, value in body.get("Properties", {}).items()
        if body["Type"] != "AWS::Lambda::Permission"
        if key in {"Name", "FunctionName", "TableName", "BucketName", "QueueName", "TopicName"}
        or key in {"RoleName", "LogGroupName", "AlarmName"}
    }
    kinds = {RESOURCES[name]["Type"] for name in named}
    # The rule is switched by its name: its target needs the function, which needs the name.
    kinds.remove("AWS::Events::Rule")
    assert kinds == {"AWS::Glue::Job", "AWS::DynamoDB::Table", "AWS::Logs::LogGroup"}
    assert all("${AWS::StackName}" in value["Fn::Sub"] for value in named.values())


@pytest.mark.parametrize("resource", of_type("AWS::Glue::Job"))
def test_glue_jobs_ask_for_the_workers_that_their_kind_takes(resource: dict[str, Any]) -> None:
    properties = resource["Properties"]
    assert properties["ExecutionProperty"] == {
        "MaxConcurrentRuns": {"Ref": "GlueMaxConcurrentRuns"}
    }
    if properties["Command"]["Name"] == "pythonshell":
        assert properties["Command"]["PythonVersion"] == "3.9"
        assert properties["MaxCapacity"] == {"Ref": "PythonShellCapacity"}
        assert "WorkerType" not in properties
    else:
        workers = (properties["GlueVersion"], properties["WorkerType"])
        assert workers == ("5.1", "G.1X")
        assert "MaxCapacity" not in properties


def test_the_logs_of_glue_jobs_go_to_the_groups_that_the_template_makes() -> None:
    prefixes = {
        json.dumps(body["Properties"]["DefaultArguments"]["--custom-logGroup-prefix"])
        for body in RESOURCES.values()
        if body["Type"] == "AWS::Glue::Job"
    }
    assert prefixes == {json.dumps({"Fn::Sub": "/aws-glue/${AWS::StackName}"})}
    for name in ("output", "error"):
        group = RESOURCES[f"Glue{name.title()}Logs"]["Properties"]["LogGroupName"]
        assert group == {"Fn::Sub": f"/aws-glue/${{AWS::StackName}}/{name}"}


def test_the_state_machine_logs_everything_but_its_data() -> None:
    properties = RESOURCES["PipelineStateMachine"]["Properties"]
    assert properties["Tracing"] == {"Enabled": True}
    assert properties["Logging"]["Level"] == "ALL"
    assert properties["Logging"]["IncludeExecutionData"] is False


def test_the_schedule_sends_a_request_that_the_functions_understand() -> None:
    schedule = RESOURCES["PipelineStateMachine"]["Properties"]["Events"]["DailySchedule"]
    sent = json.loads(schedule["Properties"]["Input"]["Fn::Sub"])
    assert sent == {
        "category": "${ScheduleCategory}",
        "trigger": "schedule",
        "scheduled_time": "<aws.scheduler.scheduled-time>",
    }
    assert set(sent) <= set(RunRequest.__annotations__)
    assert schedule["Properties"]["DeadLetterConfig"] == {
        "Arn": {"Fn::GetAtt": ["ScheduleDlq", "Arn"]}
    }
    assert schedule["Properties"]["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert schedule["Properties"]["OmitName"] is True


def test_the_first_deployment_runs_nothing_by_itself() -> None:
    assert SOURCE["Parameters"]["ScheduleState"]["Default"] == "DISABLED"


@pytest.mark.parametrize("resource", of_type("AWS::CloudWatch::Alarm"))
def test_every_alarm_tells_the_topic_and_is_quiet_without_data(resource: dict[str, Any]) -> None:
    properties = resource["Properties"]
    assert properties["AlarmActions"] == [{"Ref": "NotificationTopic"}]
    assert properties["TreatMissingData"] == "notBreaching"


def test_every_dead_letter_queue_and_every_bad_end_of_a_run_has_an_alarm() -> None:
    alarms = [b["Properties"] for b in RESOURCES.values() if b["Type"] == "AWS::CloudWatch::Alarm"]
    watched = {alarm["MetricName"] for alarm in alarms if alarm["Namespace"] == "AWS/States"}
    assert watched == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
    queues = {name for name in RESOURCES if name.endswith("Dlq")}
    assert all(any(name in json.dumps(alarm) for alarm in alarms) for name in queues)


def test_the_outputs_are_those_that_the_command_line_needs() -> None:
    assert set(SOURCE["Outputs"]) >= {
        *("StackName", "ControlTable", "RunTable", "DataBucket", "DailyCasesTable"),
        *("PipelineStateMachineArn", "ErrorQueueUrl", "NotificationTopicArn"),
    }


@pytest.mark.parametrize("environment", ["default", "prod", "local"])
def test_samconfig_sets_only_parameters_that_exist(environment: str) -> None:
    config = tomllib.loads((machine.ROOT / "samconfig.toml").read_text())[environment]
    assert config["global"]["parameters"]["beta_features"] is True  # python-uv needs it
    assert config["global"]["parameters"]["stack_name"].startswith("penstock")
    deploy = config["deploy"]["parameters"]
    assert deploy["resolve_s3"] is True
    overrides = {each.split("=")[0] for each in deploy["parameter_overrides"]}
    assert overrides <= set(SOURCE["Parameters"])


def test_plain_sam_deploy_asks_nothing() -> None:
    config = tomllib.loads((machine.ROOT / "samconfig.toml").read_text())
    assert config["default"]["deploy"]["parameters"]["confirm_changeset"] is False
    assert config["local"]["deploy"]["parameters"]["confirm_changeset"] is False
