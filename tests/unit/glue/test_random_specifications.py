"""Random tables and random specifications: both engines make the same rows and the same rejects.

A few examples with every run of the tests; PENSTOCK_PROOF=<number> sets another number.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.unit.glue.both_engines import Both, agree
from tests.unit.glue.test_engines_agree import NASTY

# Each example is two jobs, and one on Spark takes two seconds.
EXAMPLES = min(int(os.environ.get("PENSTOCK_PROOF", "5")), 2_000)
KEYS = ["a", "b", "c", "é", "e\u0301", "", " a", "A", "東京", None]
DAYS = ["2026-01-31", "31.01.2026", "01/31/2026", "2026-02-30", "1.1.2026", "n/a", None]
TIMES = [
    "2026-03-29 02:30:00", "2026-10-25T02:30:00Z", "2026-03-29 02:30:00.5", "1883-11-18 12:03:57",
    "2026-01-01", "2026-01-01 24:00:00", "-", None,
]  # fmt: skip
AMOUNTS = st.one_of(
    st.none(),
    st.sampled_from(["0", "-0.00", "1e2", " 7 ", "n/a", "12345678.9", "99999999.99", "0.005"]),
    st.decimals(-(10**7), 10**7, places=2, allow_nan=False).map(str),
)

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))

RECORD = st.tuples(
    # Skew: every other record has the same key.
    st.one_of(st.just("a"), st.sampled_from(KEYS)),
    AMOUNTS,
    st.sampled_from(DAYS),
    st.sampled_from(TIMES),
    st.one_of(st.sampled_from(NASTY), TEXTS),
)  # fmt: skip
SEVERITY = st.sampled_from(["reject", "warn"])


@st.composite
def specifications(draw: st.DrawFn) -> dict[str, Any]:
    """A specification for such records; it always fits their columns."""
    note = draw(st.sampled_from(["text", "integer", "double", "boolean", "decimal(12,3)", "date"]))
    columns: list[dict[str, Any]] = [
        {"name": "k", "trim": draw(st.booleans())},
        {"name": "amount", "type": draw(st.sampled_from(["decimal(10,2)", "double", "text"]))},
        {"name": "day", "type": "date"},
        {"name": "moment", "type": "timestamp"},
        {"name": "note", "type": note},
    ]
    formats = st.lists(st.sampled_from(["yyyy-MM-dd", "dd.MM.yyyy", "MM/dd/yyyy"]), unique=True)
    if chosen := draw(formats):
        columns[2]["format"] = chosen
    rules: list[dict[str, Any]] = [
        {"rule": "not_null", "column": "k"},
        {"rule": "range", "column": "day", "min": "2026-01-31"},
        {"rule": "in_set", "column": "k", "values": ["a", "b", "é", "東京"]},
        {"rule": "regex", "column": "k", "pattern": "[a-zé]*"},
        {"rule": "unique", "column": "k", "keep": draw(st.sampled_from(["day desc", "moment"]))},
        {"rule": "foreign_key", "column": "k", "references": "names"},
        {"rule": "expression", "sql": "amount IS NOT NULL OR k = 'it''s'"},
    ]
    wanted = draw(st.lists(st.sampled_from(rules), unique_by=str, max_size=4))
    specification = {
        "columns": columns,
        "rules": [{**rule, "severity": draw(SEVERITY)} for rule in wanted],
        "nulls": draw(st.sampled_from([["n/a", "-"], ["", "n/a"], []])),
        "filter": draw(st.sampled_from(["k <> 'b'", "day IS NULL OR day > DATE '2026-01-01'", ""])),
    }
    if draw(st.booleans()):
        unmatched = draw(st.sampled_from(["keep", "drop", "reject"]))
        join = {"with": "names", "on": ["k"], "columns": ["name"], "unmatched": unmatched}
        specification["join"] = [join]
    return specification


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PENSTOCK_PROOF" not in os.environ,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(records=st.lists(RECORD, min_size=1, max_size=60), specification=specifications())
def test_random_specifications_give_the_same_rows_and_rejects_on_both_engines(
    both: Both, records: list[Any], specification: dict[str, Any]
) -> None:
    both.begin()
    both.publish_rows("names", "k VARCHAR, name VARCHAR", [("a", "Ann"), ("é", "Éva"), ("b", None)])
    columns = "k VARCHAR, amount VARCHAR, day VARCHAR, moment VARCHAR, note VARCHAR"
    both.publish_rows("records", columns, records)

    made = agree(both.transform(inputs="records", **specification))

    read, written, rejected, filtered = made.counts
    assert read == len(records) == written + rejected + filtered
    assert sum(made.rejects.values()) == rejected
