"""Which methods of adapters each function reaches, and what these need of IAM.

The calls are read from the handlers (`parts.<part>.<method>`) and, through the services of the
domain that these call, from their classes. A new call of an adapter asks for a new line below.
"""

from __future__ import annotations

import ast
import functools
import re

from .machine import ROOT

Uses = set[tuple[str, str]]  # (IAM action, logical ID of the resource, or "" where IAM has none)

PENSTOCK = ROOT / "functions" / "penstock"
HANDLERS = PENSTOCK / "handlers"
_PART = re.compile(r"\bparts\.(\w+)\.(\w+)")

# Parts that are services of the domain, and the modules of their classes.
SERVICES = {
    "aftermath": "aftermath",
    "closer": "run_closer",
    "extract_planner": "extract_planner",
    "planner": "run_planner",
    "reconciler": "reconciler",
    "silence": "silence_watch",
    "watch": "watch",
}
# What the services call the adapters that they work with, where it is not the name of the part.
ALIASES = {
    "files": "bucket",
    "messages": "queue",
    "plans": "bucket",
    "result_file": "bucket.result_file",
    "rows": "control",
}
# A part that a service hands on to a function, and what that calls.
HANDED_ON = {
    "_tables": {
        "tables.record",
        "tables.commit_watermark",
        "tables.unreported",
        "tables.remember_failure",
        "tables.forget_failure",
    },
    "_rejects": {"rejects.record", "rejects.of_job", "rejects.close", "rejects.give_back"}
    | {"queue.send_rejects"},
}

_TOKENS = {("states:SendTaskSuccess", ""), ("states:SendTaskFailure", "")}


def _on_runs(*actions: str) -> Uses:
    return {(f"dynamodb:{action}", "RunTable") for action in actions}


def _on_control(action: str) -> Uses:
    return {(f"dynamodb:{action}", "ControlTable")}


_TURNS: Uses = _TOKENS | _on_runs(
    "GetItem", "BatchGetItem", "Query", "UpdateItem", "BatchWriteItem", "DeleteItem"
)
READ_OBJECT: Uses = {("s3:GetObject", "DataBucket"), ("s3:ListBucket", "DataBucket")}
SEND: Uses = {("sqs:SendMessage", "ErrorQueue")}
_RULE = "${AWS::StackName}-reconcile-runs"

ADAPTERS: dict[str, Uses] = {
    "bucket.file": READ_OBJECT,
    "bucket.plan": READ_OBJECT,
    "bucket.result_file": READ_OBJECT,
    "bucket.store": {*READ_OBJECT, ("s3:PutObject", "DataBucket")},
    "bucket.store_lines": {("s3:PutObject", "DataBucket")},
    "bucket.store_file": {("s3:PutObject", "DataBucket")},
    "control.add_waiter": _on_control("UpdateItem"),
    "control.calendars": _on_control("BatchGetItem"),
    "control.record": _on_control("UpdateItem") | _on_control("GetItem"),
    "control.remove_waiters": _on_control("UpdateItem"),
    "control.rows_named": _on_control("BatchGetItem"),
    "control.rows_of_category": _on_control("Query"),
    "executions.children": {
        ("states:ListMapRuns", "PipelineStateMachine"),
        ("states:DescribeMapRun", "mapRun"),
        ("states:ListExecutions", "mapRun"),
    },
    "executions.state": {("states:DescribeExecution", "PipelineStateMachine")},
    "extract_configs.load": {
        ("s3:GetObject", "DataBucket"),
        ("s3:GetObject", "ExtractConfigBucket"),
    },
    "gate.admit": _TURNS,
    "gate.sweep": _TURNS,
    "leases.open_runs": _on_runs("Query"),
    "leases.release": _on_runs("DeleteItem"),
    "leases.take": _on_runs("UpdateItem"),
    "queue.count_poison": set(),
    "queue.delete": {("sqs:DeleteMessage", "ErrorQueue")},
    "queue.receive": {
        ("sqs:ReceiveMessage", "ErrorQueue"),
        ("sqs:DeleteMessage", "ErrorQueue"),
        ("sqs:SendMessage", "ErrorQueueDlq"),  # what nobody can read
    },
    "queue.release": {("sqs:ChangeMessageVisibility", "ErrorQueue")},
    "queue.send": SEND,
    "queue.send_all": SEND,
    "queue.send_rejects": SEND,
    "queue.send_unlogged": SEND,
    "rejects.close": _on_runs("UpdateItem", "DeleteItem"),  # in transactions
    "rejects.give_back": _on_runs("UpdateItem"),
    "rejects.of_category": _on_runs("Query"),
    "rejects.of_job": _on_runs("Query"),
    "rejects.record": _on_runs("PutItem"),
    "rejects.take": _on_runs("UpdateItem"),
    "rule.disable": {("events:DisableRule", _RULE)},
    "rule.enable": {("events:EnableRule", _RULE)},
    "runs.backlog": _on_runs("GetItem"),
    "runs.create_jobs": _on_runs("PutItem"),  # in transactions
    "runs.jobs_of": _on_runs("Query"),
    "runs.latest_jobs": _on_runs("Query", "BatchGetItem"),
    "runs.mark_stuck": _on_runs("UpdateItem"),
    "runs.run": _on_runs("GetItem"),
    "runs.runs_for": _on_runs("Query"),
    "runs.runs_since": _on_runs("Query"),
    "runs.save": _on_runs("UpdateItem"),
    "runs.unlogged_by": _on_runs("GetItem"),
    "tables.commit_watermark": _on_runs("UpdateItem"),
    "tables.failed": _on_runs("BatchGetItem"),
    "tables.forget_failure": _on_runs("DeleteItem"),
    "tables.of_run": _on_runs("Query"),
    "tables.plan": _on_runs("BatchWriteItem"),
    "tables.record": _on_runs("UpdateItem"),
    "tables.remember_failure": _on_runs("UpdateItem"),
    "tables.unreported": _on_runs("Query"),
    "tables.watermarks": _on_runs("BatchGetItem"),
    "told.is_told": _on_runs("GetItem"),
    "told.note": _on_runs("PutItem"),
    "tokens.grant": _TOKENS,
    "topic.publish": {("sns:Publish", "NotificationTopic")},
    "turns.abandon": _TURNS,
    "turns.arrive": _TURNS,
    "turns.finish": _TURNS,
    "turns.release_outside": _TURNS,
    "turns.settle": _TURNS,
}


def adapter_calls(handler: str) -> set[str]:
    """The adapter methods that a handler calls, itself or through services: "control.record"."""
    source = (HANDLERS / f"{handler}.py").read_text()
    open_calls = {f"{part}.{method}" for part, method in _PART.findall(source)}
    found: set[str] = set()
    while open_calls:
        call = open_calls.pop()
        part, method = call.split(".")
        if part == "settings" or call in found:
            continue
        found.add(call)
        if part in SERVICES:
            open_calls |= _calls_of(SERVICES[part]).get(method, set())
    return {call for call in found if call.split(".")[0] not in SERVICES}


@functools.cache
def _calls_of(module: str) -> dict[str, set[str]]:
    """What each method of a service calls of its parts, itself or through its own methods."""
    tree = ast.parse((PENSTOCK / "domain" / f"{module}.py").read_text())
    methods = {
        node.name: node
        for service in tree.body
        if isinstance(service, ast.ClassDef)
        for node in service.body
        if isinstance(node, ast.FunctionDef) and node.name != "__init__"
    }

    def calls(name: str, before: frozenset[str]) -> set[str]:
        found: set[str] = set()
        for chain in _chains(methods[name]):
            own = chain[0]
            if len(chain) == 1 and own in HANDED_ON:
                found |= HANDED_ON[own]
            elif own in methods and own not in before:
                found |= calls(own, before | {own})
            elif own not in methods:
                part = ALIASES.get(own.lstrip("_"), own.lstrip("_"))
                call = part if "." in part else ".".join([part, *chain[1:2]])
                if "." in call and call.split(".")[0] in _PARTS | SERVICES.keys():
                    found.add(call)
        return found

    return {name: calls(name, frozenset({name})) for name in methods}


def _chains(node: ast.AST) -> set[tuple[str, ...]]:
    """The attributes of `self` in a method, with theirs: `("_runs", "save")`, `("_own",)`."""
    found: set[tuple[str, ...]] = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute):
            names = [each.attr]
            value = each.value
            while isinstance(value, ast.Attribute):
                names.append(value.attr)
                value = value.value
            if isinstance(value, ast.Name) and value.id == "self":
                found.add(tuple(reversed(names)))
    return found


_PARTS = {call.split(".")[0] for call in ADAPTERS}
