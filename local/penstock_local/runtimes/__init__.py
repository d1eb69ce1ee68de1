"""What job runs need on this machine: a Python for Python shell jobs, Java and jars for Spark."""
