"""The part of Glue's `awsglue` library that scripts use most, written anew over plain PySpark."""
