"""The `penstock` command: what a person does with a pipeline, on AWS or on this machine."""
