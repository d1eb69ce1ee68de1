"""JSON Schemas of what people write as YAML, for editors: rows of jobs, and specifications.

The words in them come from the code that reads those files, which stays the judge: it knows what a
schema cannot say (the grammar of conditions, SQL), and takes spellings that are not suggested.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock_job import column, column_type, join, rule, specification, table_rule

from penstock.domain import control_row
from penstock.domain.control_fields import DECLARED

Schema = dict[str, Any]

DRAFT = "http://json-schema.org/draft-07/schema#"
NAME: Schema = {"type": "string", "pattern": f"^{control_row.NAME.pattern}$"}
TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
VALUES: Schema = {"anyOf": [{"type": ["string", "number"]}, {"type": "array"}]}
FLAG: Schema = {
    "anyOf": [{"type": "boolean"}, {"enum": ["Yes", "No", "YES", "NO", "yes", "no"]}],
}
RATIO: Schema = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]}


def whole(lowest: int, highest: int | None = None) -> Schema:
    """A whole number."""
    limits = {"minimum": lowest} | ({} if highest is None else {"maximum": highest})
    return {"type": "integer", **limits}


def about(text: str, schema: Schema) -> Schema:
    """A schema with what an editor shows beside it."""
    return {"description": text, **schema}


UPSTREAM: Schema = {
    "anyOf": [
        NAME,
        {
            "type": "object",
            "properties": {"JobName": NAME, "Required": FLAG},
            "required": ["JobName"],
            "additionalProperties": False,
        },
    ]
}
ROW_FIELDS: dict[str, Schema] = {
    "JobName": about("Unique name of the job.", NAME),
    "JobCategory": about("The jobs that run together.", NAME),
    "Environment": about("The environments that the row is for; default all.", TEXTS),
    "JobType": about("What runs the job.", {"enum": list(control_row.JOB_TYPES)}),
    "Target": about("What is run: a Glue job, a script, a function, a state machine, …", TEXT),
    "Arguments": about("What the job is given; lists and maps arrive as JSON.", {"type": "object"}),
    "WorkerType": about("Of a spark or emr job.", {"enum": list(control_row.WORKER_TYPES)}),
    "NumberOfWorkers": about("Of a spark or emr job.", whole(1, 10_000)),
    "MaxCapacity": about(
        "Of a Python shell job.", {"enum": list(control_row.PYTHON_SHELL_CAPACITIES)}
    ),
    "TimeoutMinutes": about(
        f"After which the job is ended; default {control_row.DEFAULT_TIMEOUT_MINUTES}.",
        whole(1, control_row.LONGEST_TIMEOUT_MINUTES),
    ),
    "MaxAttempts": about(
        f"Runs in a row that try a failing job; default {control_row.DEFAULT_MAX_ATTEMPTS}.",
        whole(1, 100),
    ),
    "RunCondition": about("ALL_DAYS, WEEKDAYS, MONDAY, DAY 1,15, LAST_DAY, … EXCEPT x.", TEXTS),
    "TimeZone": about("IANA zone of the logical date; default the stack's.", TEXT),
    "SkipFlag": about("Leaves the job out.", FLAG),
    "SkipReason": about("Why it is left out.", {"type": "string"}),
    "SkipUntil": about("The first day on which it runs again.", {"type": "string"}),
    "DependsOn": about("Upstream jobs.", {"type": "array", "items": UPSTREAM}),
    "Pool": about("Whose slots the job takes; default the pool default.", NAME),
    "Priority": about("Who goes first; higher is sooner.", whole(0, control_row.HIGHEST_PRIORITY)),
    "Owner": about("For people.", {"type": "string"}),
    "ExpectedRows": about("To judge how many rows it wrote.", whole(0)),
    "ExpectedBytes": about("By which auto chooses the engine.", whole(0)),
    "TargetSpark": about("The Spark job of an auto job; default Target with -spark.", TEXT),
}

RULE_OPTIONS: dict[str, Schema] = {
    "min": {"type": ["number", "string"]},
    "max": {"type": ["number", "string"]},
    "values": {"type": "array", "minItems": 1},
    "pattern": about("The whole value must match.", TEXT),
    "keep": about("Which of several stays: updated_at desc.", TEXT),
    "references": about("Another input.", TEXT),
    "key": TEXTS,
    "sql": about("True for a good record.", TEXT),
    "max_change": about("Share by which the rows may differ from the last time's.", RATIO),
    "max_age": about("90 minutes, 26 hours, 2 days.", TEXT),
    "since": {"enum": [table_rule.LOGICAL_DATE, table_rule.NOW]},
    "column": TEXT,
    "columns": TEXTS,
    "max_reject_ratio": about("Share of records that may break it.", RATIO),
    "message": {"type": "string"},
}
REQUIRED_OPTIONS: dict[str, list[str]] = {
    rule.IN_SET: ["values"],
    rule.REGEX: ["pattern"],
    rule.FOREIGN_KEY: ["references"],
    rule.EXPRESSION: ["sql"],
    table_rule.FRESHNESS: ["column", "max_age"],
}
BARE_RULES = (rule.NOT_NULL, rule.UNIQUE)


def jobs_schema() -> Schema:
    """The schema of a file of job rows."""
    if set(ROW_FIELDS) != set(DECLARED):
        raise ValueError("ROW_FIELDS and DECLARED differ")
    row = {
        "type": "object",
        "required": ["JobName", "JobCategory", "JobType", "Target"],
        "properties": {field: ROW_FIELDS[field] for field in DECLARED},
        "if": {
            "properties": {"Target": {"pattern": r"^\{stack\}-transform(-spark)?$"}},
            "required": ["Target"],
        },
        "then": {
            "properties": {"Arguments": {"properties": {**specification_fields(), **INPUT_FIELDS}}}
        },
    }
    return {
        "$schema": DRAFT,
        "title": "Rows of Penstock's control table",
        "description": "One row per job; columns of your own are welcome. See docs/jobs.md.",
        "type": "array",
        "items": row,
        "definitions": _definitions(),
    }


def specification_schema() -> Schema:
    """The schema of a specification on S3."""
    return {
        "$schema": DRAFT,
        "title": "Specification of a transform",
        "description": "What a job makes of its input. See glue/README.md.",
        "type": "object",
        "additionalProperties": False,
        "properties": specification_fields(),
        "definitions": _definitions(),
    }


INPUT_FIELDS: dict[str, Schema] = {
    "inputs": about("Names of upstream jobs; the first is refined.", TEXTS),
    "source": about("A CSV file on S3 with a header.", TEXT),
    "delimiter": about("Of the CSV file; default a comma.", TEXT),
    "specification": about("A YAML or JSON file on S3.", TEXT),
}


def specification_fields() -> dict[str, Schema]:
    """The members of a specification."""
    fields: dict[str, Schema] = {
        "columns": about(
            "Columns of the result; none: all as they are.",
            {"type": "array", "items": {"anyOf": [TEXT, _of("column")]}},
        ),
        "nulls": about("Texts that mean a missing value.", VALUES),
        "rules": about(
            "Rules about several columns, or about the whole.",
            {"type": "array", "items": _rules((*rule.OPTIONS, *rule.TABLE_RULES))},
        ),
        "join": about("Lookup tables.", {"type": "array", "items": _of("join")}),
        "filter": about("SQL condition; what it refuses is filtered.", {"type": "string"}),
        "select": about("SQL over the inputs by their names.", {"type": "string"}),
        "max_reject_ratio": about("More rejects than this fail the job.", RATIO),
    }
    return {name: fields[name] for name in specification.KEYS}


def _column() -> Schema:
    types = [*column_type.SIMPLE, "decimal(18,2)"]
    fields: dict[str, Schema] = {
        "name": TEXT,
        "from": about("The input's column; default the same name.", TEXT),
        "type": {
            "anyOf": [
                {"enum": types},
                {"type": "string", "pattern": r"^decimal\([0-9]+, *[0-9]+\)$"},
            ]
        },
        "format": about("Such as dd.MM.yyyy; the first that gives a date.", TEXTS),
        "trim": {"type": "boolean"},
        "nulls": about("Texts that mean a missing value.", VALUES),
        "rules": {"type": "array", "items": _rules(rule.OPTIONS)},
    }
    return {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {name: fields[name] for name in column.KEYS},
    }


def _join() -> Schema:
    taken = {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {"name": TEXT, "from": TEXT},
    }
    fields: dict[str, Schema] = {
        "with": about("The job that published the lookup.", TEXT),
        "on": about(
            "A column, a list of them, or a map to the lookup's.",
            {"anyOf": [TEXTS, {"type": "object", "additionalProperties": TEXT}]},
        ),
        "columns": {"type": "array", "items": {"anyOf": [TEXT, taken]}},
        "unmatched": {"enum": list(join.UNMATCHED)},
        "keep": RULE_OPTIONS["keep"],
    }
    return {
        "type": "object",
        # An `on` without quotes is the key true to some readers of YAML, so it is not required.
        "required": ["with"],
        "properties": {name: fields[name] for name in join.KEYS},
    }


def _definitions() -> dict[str, Schema]:
    rules = {name: _rule(name) for name in (*rule.OPTIONS, *rule.TABLE_RULES)}
    return {"column": _column(), "join": _join(), **rules}


def _rules(names: Iterable[str]) -> Schema:
    return {"anyOf": [{"enum": list(BARE_RULES)}, *(_of(name) for name in names)]}


def _of(definition: str) -> Schema:
    return {"$ref": f"#/definitions/{definition}"}


def _rule(name: str) -> Schema:
    about_records = name in rule.OPTIONS
    known = (*rule.COMMON, *rule.OPTIONS[name]) if about_records else table_rule.KEYS[name]
    severities = rule.SEVERITIES if about_records else (rule.FAIL_JOB, rule.WARN)
    fields = RULE_OPTIONS | {"rule": {"const": name}, "severity": {"enum": list(severities)}}
    return {
        "type": "object",
        "required": ["rule", *REQUIRED_OPTIONS.get(name, [])],
        "additionalProperties": False,
        "properties": {option: fields[option] for option in known},
    }
