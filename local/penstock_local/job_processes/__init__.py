"""What runs of every kind share on this machine: a process, its folder, files, logs and role.

Glue jobs, EMR Serverless job runs and ECS tasks are built on it; it knows none of them.
"""
