"""The rules of Penstock: pure functions and frozen dataclasses on the standard library alone."""
