"""What the template deploys switched off, or only where a parameter asks for it."""

from __future__ import annotations

import json
from typing import Any

from . import stack

SOURCE = stack.source()
RESOURCES: dict[str, dict[str, Any]] = SOURCE["Resources"]


def test_the_rule_that_functions_switch_is_the_one_that_calls_reconcile_runs() -> None:
    rule = RESOURCES["ReconcileRunsRule"]["Properties"]
    settings = SOURCE["Globals"]["Function"]["Environment"]["Variables"]
    assert rule["Name"] == settings["RECONCILE_RULE"]
    assert rule["State"] == "DISABLED"
    (target,) = rule["Targets"]
    assert json.loads(target["Input"]) == {"check": "runs"}
    events = RESOURCES["ReconcileRunsFunction"]["Properties"]["Events"]
    assert json.loads(events["SilentJobs"]["Properties"]["Input"]) == {"check": "silent"}


def test_types_of_jobs_that_nobody_asked_for_leave_nothing_in_the_role() -> None:
    statements = RESOURCES["PipelineStateMachine"]["Properties"]["Policies"]
    text = json.dumps(statements)
    for service in ("ecs:", "emr-serverless:", "iam:PassRole", "events:PutRule"):
        assert service in text
    always = [
        each
        for policy in statements
        for each in _as_list(policy.get("Statement", []))
        if "Fn::If" not in each
    ]
    services = {a.split(":")[0] for each in always for a in _as_list(each["Action"])}
    assert services == {"lambda", "s3", "glue", "logs"}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
