"""AWS Glue jobs as real processes: Python shell and Spark.

ministack keeps the Data Catalog, triggers and the rest of Glue; its job runs, which do not run
Spark and hand arguments over as environment variables, are replaced.
"""

from penstock_local.glue.service import install

__all__ = ["install"]
