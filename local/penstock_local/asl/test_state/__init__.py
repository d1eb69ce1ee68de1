"""TestState: one state, tried out by itself, its work really done or mocked."""

from penstock_local.asl.test_state.action import StateTests, install

__all__ = ["StateTests", "install"]
