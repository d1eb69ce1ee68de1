"""Contracts between the template, the state machine, the functions and the AWS service models."""
