"""The options of UNLOAD, read from its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from penstock_local.redshift.copy_options import plain_string, role_argument
from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError

_MEGABYTE = 1024 * 1024
_REFUSED = (
    "FIXEDWIDTH",
    "ENCRYPTED",
    "KMS_KEY_ID",
    "MASTER_SYMMETRIC_KEY",
    "BZIP2",
    "ESCAPE",
    "ACCESS_KEY_ID",
    "SECRET_ACCESS_KEY",
    "SESSION_TOKEN",
    "CREDENTIALS",
)


@dataclass
class UnloadOptions:
    """How the files are to be written; `format` is TEXT, CSV, JSON or PARQUET."""

    role: str = ""
    format: str = "TEXT"
    delimiter: str | None = None
    null_as: str | None = None
    header: bool = False
    add_quotes: bool = False
    manifest: bool = False
    verbose: bool = False
    parallel: bool = True
    allow_overwrite: bool = False
    clean_path: bool = False
    compression: str | None = None
    max_file_size: int | None = None
    extension: str | None = None
    region: str | None = None
    partition_by: tuple[str, ...] = ()
    include_partitions: bool = False

    @property
    def suffix(self) -> str:
        """What the names of the files end with."""
        packed = {"gzip": ".gz", "zstd": ".zst"}.get(self.compression or "", "")
        if self.extension is not None:
            return f".{self.extension}"
        kind = {"PARQUET": ".parquet", "JSON": ".json"}.get(self.format, "")
        return kind + packed


def read_unload_options(cursor: Cursor) -> UnloadOptions:
    """All options up to the end of the statement. Raises SqlError on what cannot go together."""
    options = UnloadOptions()
    while not cursor.done:
        _read_one(cursor, options)
    _check(options)
    return options


def _read_one(cursor: Cursor, options: UnloadOptions) -> None:
    for keyword, reader in _OPTIONS.items():
        if cursor.take(keyword):
            reader(cursor, options)
            return
    refused = cursor.take_any(*_REFUSED)
    if refused:
        raise NotSupportedLocallyError(f"UNLOAD with {refused}")
    raise cursor.unexpected()


def _check(options: UnloadOptions) -> None:
    if not options.role:
        raise SqlError("UNLOAD needs authorization: name a role with IAM_ROLE")
    if options.allow_overwrite and options.clean_path:
        raise SqlError("CLEANPATH cannot be used with ALLOWOVERWRITE")
    text_only = {
        "DELIMITER": options.delimiter is not None,
        "HEADER": options.header,
        "ADDQUOTES": options.add_quotes,
        "NULL AS": options.null_as is not None,
    }
    if options.format == "PARQUET":
        text_only |= {"GZIP": options.compression is not None}
    wrong = next((name for name, is_given in text_only.items() if is_given), None)
    if wrong and options.format in ("PARQUET", "JSON"):
        raise SqlError(f"{wrong} is not supported for UNLOAD to {options.format}")


def _flag(name: str) -> Callable[[Cursor, UnloadOptions], None]:
    return lambda _cursor, options: setattr(options, name, True)


def _format(cursor: Cursor, options: UnloadOptions) -> None:
    cursor.take("AS")
    kind = cursor.take_any("CSV", "PARQUET", "JSON")
    if kind is None:
        raise cursor.unexpected()
    options.format = kind


def _kind(name: str) -> Callable[[Cursor, UnloadOptions], None]:
    return lambda _cursor, options: setattr(options, "format", name)


def _packed(name: str) -> Callable[[Cursor, UnloadOptions], None]:
    return lambda _cursor, options: setattr(options, "compression", name)


def _string(name: str) -> Callable[[Cursor, UnloadOptions], None]:
    def read(cursor: Cursor, options: UnloadOptions) -> None:
        cursor.take("AS")
        setattr(options, name, plain_string(cursor.string_word(), cursor))

    return read


def _role(cursor: Cursor, options: UnloadOptions) -> None:
    options.role = role_argument(cursor)


def _manifest(cursor: Cursor, options: UnloadOptions) -> None:
    options.manifest = True
    options.verbose = cursor.take("VERBOSE")


def _parallel(cursor: Cursor, options: UnloadOptions) -> None:
    options.parallel = cursor.take_any("OFF", "FALSE") is None
    if options.parallel:
        cursor.take_any("ON", "TRUE")


def _size(cursor: Cursor) -> int:
    cursor.take("AS")
    amount = float(cursor.word().text)
    unit = cursor.take_any("MB", "GB")
    return int(amount * _MEGABYTE * (1024 if unit == "GB" else 1))


def _max_file_size(cursor: Cursor, options: UnloadOptions) -> None:
    options.max_file_size = _size(cursor)
    if not 5 * _MEGABYTE <= options.max_file_size <= int(6.2 * 1024 * _MEGABYTE):
        raise SqlError("MAXFILESIZE must be between 5 MB and 6.2 GB")


def _row_group_size(cursor: Cursor, _options: UnloadOptions) -> None:
    _size(cursor)


def _partition(cursor: Cursor, options: UnloadOptions) -> None:
    cursor.expect("BY")
    options.partition_by = tuple(cursor.names_in_parentheses())
    options.include_partitions = cursor.take("INCLUDE")


_OPTIONS: dict[str, Callable[[Cursor, UnloadOptions], None]] = {
    "IAM_ROLE": _role,
    "FORMAT": _format,
    "CSV": _kind("CSV"),
    "PARQUET": _kind("PARQUET"),
    "JSON": _kind("JSON"),
    "PARTITION": _partition,
    "MANIFEST": _manifest,
    "HEADER": _flag("header"),
    "DELIMITER": _string("delimiter"),
    "NULL": _string("null_as"),
    "EXTENSION": _string("extension"),
    "REGION": _string("region"),
    "GZIP": _packed("gzip"),
    "ZSTD": _packed("zstd"),
    "ADDQUOTES": _flag("add_quotes"),
    "ALLOWOVERWRITE": _flag("allow_overwrite"),
    "CLEANPATH": _flag("clean_path"),
    "PARALLEL": _parallel,
    "MAXFILESIZE": _max_file_size,
    "ROWGROUPSIZE": _row_group_size,
}
