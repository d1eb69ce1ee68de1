"""The options of COPY, read from its words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError
from penstock_local.redshift.words import Kind, Word

MAX_ERRORS = 100_000

# Options without a value that have an effect here.
_FLAGS = (
    "MANIFEST",
    "EMPTYASNULL",
    "BLANKSASNULL",
    "TRIMBLANKS",
    "TRUNCATECOLUMNS",
    "IGNOREBLANKLINES",
    "FILLRECORD",
    "ACCEPTANYDATE",
    "EXPLICIT_IDS",
    "ROUNDEC",
    "REMOVEQUOTES",
    "NOLOAD",
    "SERIALIZETOJSON",
)
# Options that only tune Redshift; the value says how many words follow.
_TUNING = {"COMPUPDATE": 1, "STATUPDATE": 1, "COMPROWS": 1, "PARALLEL": 1}
_REFUSED = (
    "FIXEDWIDTH",
    "AVRO",
    "ORC",
    "RCFILE",
    "SEQUENCEFILE",
    "SHAPEFILE",
    "LZOP",
    "SSH",
    "ENCRYPTED",
    "MASTER_SYMMETRIC_KEY",
    "READRATIO",
    "ESCAPE",
    "ACCEPTINVCHARS",
    "ACCESS_KEY_ID",
    "SECRET_ACCESS_KEY",
    "SESSION_TOKEN",
)
_COMPRESSIONS = ("GZIP", "BZIP2", "ZSTD")


@dataclass
class CopyOptions:
    """How the files are to be read; `format` is TEXT, CSV, JSON or PARQUET."""

    role: str = ""
    format: str = "TEXT"
    delimiter: str | None = None
    quote: str = '"'
    null_as: str = "\\N"
    ignore_header: int = 0
    max_errors: int = 0
    compression: str | None = None
    date_format: str | None = None
    time_format: str | None = None
    encoding: str = "utf-8"
    json: str = "auto"
    region: str | None = None
    flags: set[str] = field(default_factory=set)

    def has(self, flag: str) -> bool:
        """Whether an option without a value was given."""
        return flag in self.flags


def read_copy_options(cursor: Cursor) -> CopyOptions:
    """All options up to the end of the statement. Raises SqlError on what cannot go together."""
    options = CopyOptions()
    while not cursor.done:
        _read_one(cursor, options)
    _check(options)
    return options


def _read_one(cursor: Cursor, options: CopyOptions) -> None:
    flag = cursor.take_any(*_FLAGS)
    compression = None if flag else cursor.take_any(*_COMPRESSIONS)
    if flag:
        options.flags.add(flag)
    elif compression:
        options.compression = compression.lower()
    elif not _read_valued(cursor, options):
        _read_tuning(cursor)


def _read_valued(cursor: Cursor, options: CopyOptions) -> bool:
    for keyword, reader in _VALUED.items():
        if cursor.take(keyword):
            reader(cursor, options)
            return True
    return False


def _read_tuning(cursor: Cursor) -> None:
    for keyword, following in _TUNING.items():
        if cursor.take(keyword):
            for _ in range(following):
                cursor.take_any("ON", "OFF", "TRUE", "FALSE", "PRESET") or cursor.number()
            return
    refused = cursor.take_any(*_REFUSED)
    if refused:
        raise NotSupportedLocallyError(f"COPY with {refused}")
    raise cursor.unexpected()


def _check(options: CopyOptions) -> None:
    if not options.role:
        raise SqlError("COPY needs authorization: name a role with IAM_ROLE")
    if options.format == "PARQUET":
        wrong = _not_for_parquet(options)
        if wrong:
            raise SqlError(f"{wrong} argument is not supported for PARQUET based COPY")
    if options.format == "CSV" and options.has("REMOVEQUOTES"):
        raise SqlError("REMOVEQUOTES cannot be used with CSV")
    if options.format != "JSON" and options.delimiter == "":
        raise SqlError("COPY delimiter must be a single character")


def _not_for_parquet(options: CopyOptions) -> str | None:
    given = {
        "MAXERROR": options.max_errors > 0,
        "DELIMITER": options.delimiter is not None,
        "IGNOREHEADER": options.ignore_header > 0,
        "GZIP": options.compression is not None,
        "DATEFORMAT": options.date_format is not None,
        "TIMEFORMAT": options.time_format is not None,
        **{flag: options.has(flag) for flag in _FLAGS[1:11]},
    }
    return next((name for name, is_given in given.items() if is_given), None)


def plain_string(word: Word, cursor: Cursor) -> str:
    """A string as it is written; a backslash starts only \\t, \\n and octal codes here.

    COPY and UNLOAD take '\\N' for two characters, where SQL would drop the backslash.
    """
    raw = cursor.sql.text[word.start + 1 : word.end].replace("''", "'")
    return re.sub(r"\\(t|n|r|[0-7]{3}|\\)", _unescape, raw)


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1)
    simple = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    return simple[code] if code in simple else chr(int(code, 8))


def _string(cursor: Cursor) -> str:
    cursor.take("AS")
    return plain_string(cursor.string_word(), cursor)


def _number(cursor: Cursor) -> int:
    cursor.take("AS")
    return cursor.number()


def _format(cursor: Cursor, options: CopyOptions) -> None:
    cursor.take("AS")
    kind = cursor.take_any("CSV", "JSON", "PARQUET")
    if kind is None:
        refused = cursor.take_any(*_REFUSED)
        if refused:
            raise NotSupportedLocallyError(f"COPY with FORMAT {refused}")
        raise cursor.unexpected()
    _VALUED[kind](cursor, options)


def _csv(_cursor: Cursor, options: CopyOptions) -> None:
    options.format = "CSV"


def _parquet(_cursor: Cursor, options: CopyOptions) -> None:
    options.format = "PARQUET"


def _json(cursor: Cursor, options: CopyOptions) -> None:
    options.format = "JSON"
    cursor.take("AS")
    word = cursor.peek()
    if word is not None and word.kind is Kind.STRING:
        options.json = cursor.string()


def _role(cursor: Cursor, options: CopyOptions) -> None:
    options.role = role_argument(cursor)


def role_argument(cursor: Cursor) -> str:
    """The ARN after IAM_ROLE."""
    cursor.take("AS")
    if cursor.take("DEFAULT"):
        raise NotSupportedLocallyError("IAM_ROLE default (there is no default role: name one)")
    role = cursor.string()
    if "," in role:
        raise NotSupportedLocallyError("A chain of roles in IAM_ROLE")
    if not re.fullmatch(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+", role):
        raise SqlError("Invalid credentials: IAM_ROLE must be the ARN of a role")
    return role


def _credentials(cursor: Cursor, options: CopyOptions) -> None:
    cursor.take("AS")
    given = cursor.string()
    if not given.startswith("aws_iam_role="):
        raise NotSupportedLocallyError("COPY with access keys (use IAM_ROLE)")
    options.role = given.removeprefix("aws_iam_role=")


def _max_errors(cursor: Cursor, options: CopyOptions) -> None:
    options.max_errors = _number(cursor)
    if not 0 <= options.max_errors <= MAX_ERRORS:
        raise SqlError(f"MAXERROR must be between 0 and {MAX_ERRORS}")


def _encoding(cursor: Cursor, options: CopyOptions) -> None:
    cursor.take("AS")
    name = cursor.word().text.upper()
    encodings = {"UTF8": "utf-8", "UTF16": "utf-16"}
    if name not in encodings:
        raise NotSupportedLocallyError(f"COPY with ENCODING {name}")
    options.encoding = encodings[name]


def _setter(name: str, read: Callable[[Cursor], object]) -> Callable[[Cursor, CopyOptions], None]:
    return lambda cursor, options: setattr(options, name, read(cursor))


_VALUED: dict[str, Callable[[Cursor, CopyOptions], None]] = {
    "IAM_ROLE": _role,
    "CREDENTIALS": _credentials,
    "FORMAT": _format,
    "CSV": _csv,
    "JSON": _json,
    "PARQUET": _parquet,
    "MAXERROR": _max_errors,
    "ENCODING": _encoding,
    "DELIMITER": _setter("delimiter", _string),
    "QUOTE": _setter("quote", _string),
    "NULL": _setter("null_as", _string),
    "DATEFORMAT": _setter("date_format", _string),
    "TIMEFORMAT": _setter("time_format", _string),
    "REGION": _setter("region", _string),
    "IGNOREHEADER": _setter("ignore_header", _number),
}
