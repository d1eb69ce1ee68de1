"""What holds state: control table, run table, plan bucket, error queue, turns. Only here boto3."""
