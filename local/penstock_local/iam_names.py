"""What IAM decides by, as AWS calls it, where ministack calls it otherwise.

A rule on the default bus is `rule/NAME`, not `rule/default/NAME`. For the batches of SQS there are
no actions of their own: whoever may `sqs:SendMessage` may send many at once.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions

from penstock_local import pins
from penstock_local.settings import LocalSettings


def install(_: LocalSettings) -> None:
    """Correct the names of actions and resources before IAM sees them."""
    action_of = pins.replace(iam_actions, "extract_iam_action", None)
    resource_of = pins.replace(iam_actions, "extract_resource_arn", None)

    def extract_iam_action(service: str, *request: Any, **more: Any) -> Any:
        action = action_of(service, *request, **more)
        return action.removesuffix("Batch") if action and service == "sqs" else action

    def extract_resource_arn(service: str, *request: Any, **more: Any) -> Any:
        arn = resource_of(service, *request, **more)
        return arn.replace(":rule/default/", ":rule/", 1) if service == "events" else arn

    iam_actions.extract_iam_action = extract_iam_action
    iam_actions.extract_resource_arn = extract_resource_arn
