"""COPY: loads files of S3 into a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock_local.redshift.copy_options import CopyOptions, read_copy_options
from penstock_local.redshift.copy_parquet import ParquetLoad
from penstock_local.redshift.copy_text import TextLoad, json_paths
from penstock_local.redshift.cursor import Cursor
from penstock_local.redshift.errors import NotSupportedLocallyError, SqlError
from penstock_local.redshift.load_errors import LoadErrors
from penstock_local.redshift.outcome import Outcome
from penstock_local.redshift.relations import Column, Relation, require_table
from penstock_local.redshift.s3_objects import Bucket, Location, StoredObject
from penstock_local.redshift.session import Session
from penstock_local.redshift.words import Name, Sql


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY table [(columns)] FROM 's3://…' options."""

    table: Name
    columns: tuple[str, ...]
    source: Location
    options: CopyOptions

    def run(self, session: Session) -> Outcome:
        """Load every file; all of them or, beyond MAXERROR, nothing."""
        relation = require_table(session, self.table)
        columns = _columns_to_load(relation, self.columns, self.options)
        bucket = Bucket(session, self.options.role, self.options.region)
        objects = self._objects(bucket)
        errors = LoadErrors(session, relation.table, self.options.max_errors)
        load = self._load(session, relation, columns, errors, bucket)
        rows = 0
        with session.staging() as folder:
            for number, item in enumerate(objects):
                file = folder / f"{number:06d}"
                bucket.download(item.location, file)
                rows += load.load(file, item.location.url)
                file.unlink()
        load.finish()
        errors.record()
        session.set_variable("redshift_copy_count", rows)
        return Outcome(rows)

    def _load(
        self,
        session: Session,
        relation: Relation,
        columns: tuple[Column, ...],
        errors: LoadErrors,
        bucket: Bucket,
    ) -> TextLoad | ParquetLoad:
        if self.options.format == "PARQUET":
            return ParquetLoad(session, relation, columns, self.options)
        load = TextLoad(session, relation, columns, self.options, errors)
        if self.options.json.lower().startswith("s3://"):
            document = bucket.read_json(Location.parse(self.options.json))
            load.json_paths = json_paths(document, columns)
        return load

    def _objects(self, bucket: Bucket) -> list[StoredObject]:
        if self.options.has("MANIFEST"):
            manifest = bucket.read_json(self.source)
            return _manifest_objects(manifest, bucket, self.options.format == "PARQUET")
        found = [item for item in bucket.list(self.source) if not item.location.key.endswith("/")]
        if not found:
            raise SqlError(f"The specified S3 prefix '{self.source.key}' does not exist")
        return found


def parse_copy(sql: Sql) -> Copy:
    """COPY …, options in any order."""
    cursor = Cursor(sql)
    cursor.expect("COPY")
    table = cursor.name()
    columns = tuple(cursor.names_in_parentheses()) if cursor.at("(") else ()
    cursor.expect("FROM")
    source = cursor.string()
    if source.lower().startswith(("emr://", "dynamodb://")) or not source.startswith("s3://"):
        raise NotSupportedLocallyError(f"COPY from anything but S3 ({source})")
    cursor.take("WITH")
    return Copy(table, columns, Location.parse(source), read_copy_options(cursor))


def _columns_to_load(
    relation: Relation, names: tuple[str, ...], options: CopyOptions
) -> tuple[Column, ...]:
    """The columns that files have, in order; IDENTITY columns only with EXPLICIT_IDS."""
    explicit = options.has("EXPLICIT_IDS")
    if not names:
        return tuple(
            column for column in relation.columns if explicit or not column.is_always_identity
        )
    columns = tuple(relation.column(name) for name in names)
    if any(column.is_always_identity for column in columns) and not explicit:
        raise SqlError("EXPLICIT_IDS must be specified to load an IDENTITY column")
    return columns


def _manifest_objects(manifest: Any, bucket: Bucket, with_length: bool) -> list[StoredObject]:
    entries = manifest.get("entries") if isinstance(manifest, dict) else None
    if not isinstance(entries, list) or not entries:
        raise SqlError("The manifest has no entries")
    objects = []
    for entry in entries:
        location = Location.parse(str(entry.get("url", "")))
        size = bucket.size(location)
        if size is None:
            if entry.get("mandatory"):
                raise SqlError(f"Mandatory url is not present in S3: {location.url}")
            continue
        if with_length:
            _check_length(entry, location, size)
        objects.append(StoredObject(location, size))
    return objects


def _check_length(entry: dict[str, Any], location: Location, size: int) -> None:
    """Columnar files need their size in the manifest, and the right one."""
    length = (entry.get("meta") or {}).get("content_length")
    if length is None:
        raise SqlError(
            f"The manifest entry of {location.url} has no meta.content_length, "
            "which COPY from columnar formats needs"
        )
    if int(length) != size:
        raise SqlError(
            f"The manifest says {length} bytes for {location.url}, the object has {size}"
        )
