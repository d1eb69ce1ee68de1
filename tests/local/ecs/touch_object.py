"""A command of a task: puts an object whose name it is given."""

import sys

import boto3

boto3.client("s3").put_object(Bucket="jobs", Key=sys.argv[1], Body="")
