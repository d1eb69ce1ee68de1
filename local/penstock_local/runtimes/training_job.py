"""Does with Spark what jobs usually do, so that the classes for it get into the archive."""

from __future__ import annotations

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f

PLACE = "s3://training"


def main() -> None:
    spark = SparkSession.builder.getOrCreate()
    spark.range(2000).select(
        "id",
        (f.col("id") % 7).cast("string").alias("kind"),
        (f.rand(1) * 100).cast("decimal(10,2)").alias("amount"),
        f.expr("date_add(DATE'2026-01-01', cast(id % 30 AS int))").alias("day"),
        f.current_timestamp().alias("loaded_at"),
    ).write.parquet(f"{PLACE}/facts")
    spark.range(7).selectExpr("cast(id AS string) kind", "concat('n', id) name").write.csv(
        f"{PLACE}/kinds", header=True
    )
    facts = spark.read.parquet(f"{PLACE}/facts")
    kinds = spark.read.csv(f"{PLACE}/kinds", header=True, schema="kind string, name string")
    joined = facts.join(kinds, "kind", "left").filter("amount > 1 AND name IS NOT NULL")
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    for _ in range(2):
        joined.write.mode("overwrite").partitionBy("name").parquet(f"{PLACE}/joined")
    joined.createOrReplaceTempView("joined")
    daily = spark.sql(
        "SELECT day, name, sum(amount) total, count(*) n, max(loaded_at) latest,"
        " CASE WHEN try_cast(kind AS int) > 3 THEN upper(name) ELSE trim(kind) END label"
        " FROM joined GROUP BY ALL HAVING count(*) > 0 ORDER BY day"
    )
    ranked = daily.withColumn(
        "rank", f.row_number().over(Window.partitionBy("name").orderBy(f.desc("total")))
    )
    ranked.coalesce(1).write.mode("append").json(f"{PLACE}/daily")
    again = spark.read.json(f"{PLACE}/daily").dropDuplicates(["day", "name"])
    again.union(again).cache().count()
    label = f.udf(lambda name: f"<{name}>")
    again.select(label("name")).collect()


if __name__ == "__main__":
    main()
