"""Texts that are almost numbers, dates or times: both engines read the same of them, and no more.

Each engine has a quick way for texts that are plainly of their type. What is one character away
from such a text must end as it does the long way.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.unit.glue.both_engines import Both, agree

PLAIN = {
    "integer": ["5", "-17", "9223372036854775807"],
    "decimal(8,2)": ["12.50", "-0.05", "123456.78"],
    "double": ["12.5", "-1.5e10"],
    "date": ["2026-02-28", "0001-01-01"],
    "timestamp": ["2026-02-28 23:59:59", "2026-01-31T05:00:00Z", "2026-01-31 05:00:00.123456"],
}
# Blanks and controls that one engine or the other takes away, digits of other scripts, signs,
# letters of numbers and of zones, separators.
ODD = [
    *" \t\n\r\v\f\x01\x1c\x1f\x7f\x85\u00a0\u2003\u200b\ufeff",
    *"0369+-.,:_/'eEdfDFxTtZzÅ",
    *"٣５१²",
]
NASTY = [
    "", " ", "1e5", "+5", "-0", "0x1", "1_000", "99999999999999999999", "-9223372036854775808",
    "-9223372036854775809", "007", "1.50", "1.5", "1.500", "12.345", ".5", "5.", "-.5", "1e-2",
    "NaN", "Infinity", "-inf", "1d", "1f", "1L", "--5", "+-5", "5 5", "2026-1-1", "2026-02-30",
    "2026-01-01T10:00", "2026-01-01 10:00Z", "2026-01-01Z", "2026-02-30 10:00:00", "24:00:00",
    "2026-01-01 24:00:00", "2026-01-01 23:60:00", "2026-01-01 23:59:60", "2026-01-01 23:59:99Z",
    "0000-01-01", "0000-01-01 00:00:00", "0000-12-31T23:59:59Z", "10000-01-01 00:00:00",
    "2026-01-01 10:00:00.1234567", "2026-01-01 10:00:00.1", "2026-01-01 10:00:00.", "T10:00:00",
    "2026-01-01 10:00:00+01:00", "2026-01-01 10:00:00 UTC", "2026-01-01 10:00:00ZZ", "2026",
    "2026-01-01 10:00:00 Z", "2026-01-01T10:00:00.5Z", "2026-01-01TT10:00:00", "2026-01",
    "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "2026-13-01 00:00:00", "epoch", "now",
    "1900-02-29T00:00:00", "2000-02-29T00:00:00Z", "-2026-01-01", "+2026-01-01 10:00:00",
]  # fmt: skip


def test_a_text_one_character_away_from_a_plain_one_is_read_alike(both: Both) -> None:
    kinds = list(PLAIN)
    texts = {kind: {*NASTY, *(t for plain in PLAIN[kind] for t in _near(plain))} for kind in kinds}
    rows = [
        (number, *[text if column == place else None for column in range(len(kinds))])
        for place, kind in enumerate(kinds)
        for number, text in enumerate(sorted(texts[kind]))
    ]
    names = [f"c{place}" for place in range(len(kinds))]
    both.publish_rows("source", ", ".join(["n BIGINT", *(f"{n} VARCHAR" for n in names)]), rows)
    columns = [{"name": name, "type": kind} for name, kind in zip(names, kinds, strict=True)]

    made = agree(
        both.transform(inputs="source", columns=[{"name": "n", "type": "integer"}, *columns])
    )

    read, written, rejected, _ = made.counts
    assert read == len(rows) == written + rejected
    assert min(written, rejected) > 500


def _near(plain: str) -> Iterator[str]:
    """The text itself, and each that has one odd character more or in the place of another."""
    yield plain
    for place in range(len(plain) + 1):
        for odd in ODD:
            yield plain[:place] + odd + plain[place:]
            yield plain[:place] + odd + plain[place + 1 :]
        yield plain[:place] + plain[place + 1 :]
