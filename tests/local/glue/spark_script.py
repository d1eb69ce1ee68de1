"""The Spark job of the tests: everything that is expected to work, reported as one JSON object."""

import json
import sys
import time
from pathlib import Path

import boto3
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
from awsglue.transforms import ApplyMapping
from awsglue.utils import getResolvedOptions
from extra_module import shout  # type: ignore[import-not-found]
from pyspark.context import SparkContext
from pyspark.sql import functions as f

started = time.time()
args = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket"])
place = f"s3://{args['bucket']}/spark"
glue = GlueContext(SparkContext.getOrCreate())
spark = glue.spark_session
job = Job(glue)
job.init(args["JOB_NAME"], args)
report = {"argv": sys.argv[1:], "session_after": time.time() - started}

# Read Parquet, join, write Parquet.
begun = time.time()
spark.range(1000).selectExpr("id", "id % 3 kind").write.parquet(f"{place}/facts")
facts = spark.read.parquet(f"{place}/facts")
kinds = spark.createDataFrame([(0, "zero"), (1, "one"), (2, "two")], "kind long, name string")
joined = facts.join(kinds, "kind")
joined.write.mode("overwrite").partitionBy("name").parquet(f"{place}/joined")
report["joined"] = spark.read.parquet(f"{place}/joined").count()
report["join_seconds"] = time.time() - begun

# Overwrite one partition and leave the others.
spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
joined.where("name = 'one'").limit(5).write.mode("overwrite").partitionBy("name").parquet(
    f"{place}/joined"
)
counts = spark.read.parquet(f"{place}/joined").groupBy("name").count().collect()
report["after_overwrite"] = {row["name"]: row["count"] for row in counts}

# SQL over a path, s3a://, append, a Python function, a module of --extra-py-files in a worker.
spark.sql(f"SELECT name FROM parquet.`{place}/joined` GROUP BY name").write.csv(
    f"s3a://{args['bucket']}/spark/names", mode="append"
)
loud = f.udf(shout)
report["names"] = sorted(
    r[0] for r in spark.read.csv(f"{place}/names").select(loud("_c0")).collect()
)

# Glue's own frames.
mapped = ApplyMapping.apply(
    DynamicFrame.fromDF(facts, glue, "facts"), [("id", "long", "number", "string")]
)
sink = {"path": f"{place}/frames"}
glue.write_dynamic_frame.from_options(
    frame=mapped, connection_type="s3", connection_options=sink, format="json"
)
frames = glue.create_dynamic_frame.from_options(
    connection_type="s3", connection_options={"paths": [f"{place}/frames"]}, format="json"
)
report["frames"] = [frames.count(), frames.toDF().dtypes]
glue.get_logger().info("a line of the logger")
report["conf"] = [spark.conf.get(f"spark.sql.{n}") for n in ("shuffle.partitions", "ansi.enabled")]
report["who"] = boto3.client("sts").get_caller_identity()["Arn"]
report["versions"] = [spark.version, sys.version_info[:2]]
# Let the test look at the sockets while everything is up.
boto3.client("s3").put_object(Bucket=args["bucket"], Key="spark.json", Body=json.dumps(report))
while not Path("go").exists():
    time.sleep(0.05)
job.commit()
