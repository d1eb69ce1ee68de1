"""The Spark session of the contestants: two cores of this machine, 3 GB of heap."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession


def local_session(buckets: Path | None = None) -> SparkSession:
    """A session; with `buckets`, the folder that stands for S3, `s3://data` is `buckets/data`."""
    builder = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "3g")
        .config("spark.sql.ansi.enabled", "true")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
    )
    if buckets is not None:
        view = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
        link = "spark.hadoop.fs.viewfs.mounttable.data.linkFallback"
        builder = builder.config("spark.hadoop.fs.s3.impl", view).config(
            link, (buckets / "data").as_uri()
        )
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
