"""In whose name calls are made."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.asl.integrations.calls import ACCOUNT, failure, start
from tests.local.asl.integrations.conftest import Platform

from penstock_local.asl.integrations import Integrations

WHO = "aws-sdk:sts:getCallerIdentity"


def test_a_call_is_made_as_the_state_machine_s_role(
    platform: Platform, integrations: Integrations
) -> None:
    role = platform.role("roles-machine", "sts:GetCallerIdentity")
    who = start(integrations, WHO, {}, role)
    assert who["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/roles-machine/")
    assert who["Account"] == ACCOUNT


def test_a_role_that_does_not_trust_step_functions_is_refused(
    platform: Platform, integrations: Integrations
) -> None:
    role = platform.role("roles-lambda-only", "*", trusts="lambda.amazonaws.com")
    error = failure(integrations, WHO, {}, role)
    assert error.error == "States.Permissions"
    assert (error.cause or "").startswith(
        "Neither the global service principal states.amazonaws.com, nor the regional one is"
        " authorized to assume the provided role."
    )


def test_a_role_that_does_not_exist_is_refused(integrations: Integrations) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/roles-missing"
    assert failure(integrations, WHO, {}, role).error == "States.Permissions"


def test_credentials_of_a_state_are_used_for_its_call(
    platform: Platform, integrations: Integrations
) -> None:
    machine = platform.role("roles-assuming", "sts:AssumeRole")
    task = platform.role("roles-task", "sts:GetCallerIdentity", trusts=machine)
    who = start(integrations, WHO, {}, machine, credentials_role_arn=task)
    assert who["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/roles-task/")


def test_credentials_that_the_machine_may_not_assume_are_refused_in_the_service_s_words(
    platform: Platform, integrations: Integrations
) -> None:
    stranger = platform.role("roles-stranger")
    task = platform.role("roles-guarded", "*", trusts=f"arn:aws:iam::{ACCOUNT}:role/roles-machine2")
    error = failure(integrations, WHO, {}, stranger, credentials_role_arn=task)
    assert error.error == "States.TaskFailed"
    assert error.cause == (
        f"The role {stranger} is not authorized to assume the task state's role, {task}."
    )


def test_only_loopback_is_ever_called() -> None:
    for endpoint in ("https://sqs.eu-central-1.amazonaws.com", "http://192.0.2.1:4577", "http://"):
        with pytest.raises(ValueError, match="not on loopback"):
            Integrations(Platform(endpoint))


def test_what_a_person_has_configured_for_aws_does_not_matter(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    role = platform.role("roles-undisturbed", "sts:GetCallerIdentity")
    config = tmp_path / "config"
    config.write_text("[profile other]\nendpoint_url = http://192.0.2.1\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://192.0.2.1:9")
    made = Integrations(platform)
    assert start(made, WHO, {}, role)["Account"] == ACCOUNT
    made.close()
