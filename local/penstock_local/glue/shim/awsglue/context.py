"""Glue's GlueContext: sources and sinks over Spark's own readers and writers."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession

from .dynamicframe import DynamicFrame

Options = dict[str, Any]

# Glue's names for what Spark's readers call otherwise.
FORMATS = {"glueparquet": "parquet"}
FORMAT_OPTIONS = {"withHeader": "header", "separator": "sep", "quoteChar": "quote"}
FORMAT_OF_SERDE = {
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": "parquet",
    "org.openx.data.jsonserde.JsonSerDe": "json",
    "org.apache.hive.hcatalog.data.JsonSerDe": "json",
    "org.apache.hadoop.hive.ql.io.orc.OrcSerde": "orc",
}


class GlueContext:
    """The door to Spark in scripts written for Glue."""

    def __init__(self, sparkContext: Any, **_: Any) -> None:  # noqa: N803
        self.sparkContext = sparkContext
        self.spark_session: Any = SparkSession.builder.getOrCreate()
        self.create_dynamic_frame = _Reader(self)
        self.write_dynamic_frame = _Writer(self)

    def get_logger(self) -> Any:
        """Spark's logger, with `info`, `warn` and `error`."""
        java = self.spark_session.sparkContext._jvm
        return java.org.apache.log4j.LogManager.getLogger("GlueLogger")

    def create_dynamic_frame_from_options(
        self,
        connection_type: str,
        connection_options: Options | None = None,
        format: str | None = None,  # noqa: A002
        format_options: Options | None = None,
        **_: Any,
    ) -> DynamicFrame:
        """Read files of S3: `connection_options={"paths": [...]}`."""
        _require_s3(connection_type)
        given = connection_options or {}
        reader = self.spark_session.read.format(_format(format)).options(**_named(format_options))
        if given.get("recurse"):
            reader = reader.option("recursiveFileLookup", True)
        paths = given.get("paths") or [given["path"]]
        return DynamicFrame(reader.load(paths), self)

    def create_dynamic_frame_from_catalog(
        self, database: str, table_name: str, push_down_predicate: str = "", **_: Any
    ) -> DynamicFrame:
        """Read the files of a table of the Data Catalog."""
        import boto3

        table = boto3.client("glue").get_table(DatabaseName=database, Name=table_name)["Table"]
        storage = table["StorageDescriptor"]
        serde = storage.get("SerdeInfo") or {}
        kind = FORMAT_OF_SERDE.get(serde.get("SerializationLibrary", ""), "csv")
        reader = self.spark_session.read.format(kind)
        if kind == "csv":
            columns = ", ".join(f"`{one['Name']}` {one['Type']}" for one in storage["Columns"])
            delimiter = (serde.get("Parameters") or {}).get("field.delim", ",")
            reader = reader.schema(columns).option("sep", delimiter)
        frame: DataFrame = reader.load(storage["Location"])
        return DynamicFrame(frame.where(push_down_predicate or "true"), self)

    def write_dynamic_frame_from_options(
        self,
        frame: DynamicFrame,
        connection_type: str,
        connection_options: Options | None = None,
        format: str | None = None,  # noqa: A002
        format_options: Options | None = None,
        **_: Any,
    ) -> DynamicFrame:
        """Add files to a folder of S3: `connection_options={"path": ..., "partitionKeys": []}`."""
        _require_s3(connection_type)
        given = connection_options or {}
        keys: list[str] = given.get("partitionKeys") or []
        options = _named(format_options)
        kind = _format(format)
        if kind == "csv":
            options.setdefault("header", "true")  # Glue writes a header unless told otherwise
        writer = frame.toDF().write.mode("append").format(kind).options(**options)
        writer.partitionBy(*keys).save(given["path"])
        return frame

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"Penstock Local's GlueContext has no {name}; spark_session does without it"
        )


class _Reader:
    def __init__(self, context: GlueContext) -> None:
        self.from_options = context.create_dynamic_frame_from_options
        self.from_catalog = context.create_dynamic_frame_from_catalog


class _Writer:
    def __init__(self, context: GlueContext) -> None:
        self.from_options = context.write_dynamic_frame_from_options


def _require_s3(connection_type: str) -> None:
    if connection_type != "s3":
        raise ValueError(f"Penstock Local's GlueContext has no connection type {connection_type!r}")


def _format(name: str | None) -> str:
    return FORMATS.get(name or "parquet", name or "parquet")


def _named(options: Options | None) -> dict[str, str]:
    named = {}
    for name, value in (options or {}).items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        named[FORMAT_OPTIONS.get(name, name)] = text
    return named
