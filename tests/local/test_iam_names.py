"""IAM decides by the names that AWS gives to actions and resources."""

from __future__ import annotations

import json

import pytest
from ministack.core import iam_actions

from penstock_local import iam_names
from penstock_local.settings import LocalSettings


def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("extract_resource_arn", "extract_iam_action"):
        monkeypatch.setattr(iam_actions, name, getattr(iam_actions, name))
    iam_names.install(LocalSettings.from_env())


@pytest.mark.parametrize(
    ("request_", "resource"),
    [
        ({"Name": "reconcile"}, "rule/reconcile"),
        ({"Name": "reconcile", "EventBusName": "sales"}, "rule/sales/reconcile"),
    ],
)
def test_the_default_bus_is_not_in_the_arn_of_a_rule(
    request_: dict[str, str], resource: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch)
    found = iam_actions.extract_resource_arn(
        *(
            "events",
            "POST",
            "/",
            {},
            json.dumps(request_).encode(),
            {},
            "eu-central-1",
            "000000000000",
        )
    )
    assert found == f"arn:aws:events:eu-central-1:000000000000:{resource}"


@pytest.mark.parametrize(
    ("request_name", "action"),
    [("SendMessage", "sqs:SendMessage"), ("SendMessageBatch", "sqs:SendMessage")],
)
def test_a_batch_of_messages_needs_what_one_message_needs(
    request_name: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch)
    headers = {"x-amz-target": f"AmazonSQS.{request_name}"}
    found = iam_actions.extract_iam_action("sqs", "POST", "/", headers, b"{}", {})
    assert found == action
