"""The same as a state machine of Hypothesis, which shrinks what it finds to the fewest steps."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.proof.case import POOLS, check_end, random_case
from tests.unit.simulated_runs import SimulatedRuns


class AnyOrder(RuleBasedStateMachine):
    """Whatever may happen next, at each step: requests, deaths, stops, limits, lost answers."""

    runs: SimulatedRuns

    @initialize(seed=st.integers(0, 2**20))
    def plan(self, seed: int) -> None:
        self.case = random_case(Random(seed))
        self.runs = SimulatedRuns(
            self.case.jobs, self.case.will, self.case.limits, None, self.case.outside
        )

    @precondition(lambda self: self.runs.actions())
    @rule(choice=st.integers(0, 10_000), dies=st.sampled_from([False, False, False, True]))
    def go_on(self, choice: int, dies: bool) -> None:
        actions = self.runs.actions()
        action = actions[choice % len(actions)]
        invocation = action[2]
        self.runs.act(action, die=dies and invocation is not None and not invocation.is_forgotten)

    @precondition(lambda self: self.runs.actions())
    @rule(choice=st.integers(0, 10_000))
    def stop_an_execution(self, choice: int) -> None:
        child = self.runs.actions()[choice % len(self.runs.actions())][1]
        if child.phase in ("arriving", "running", "settling"):
            self.runs.kill(child)

    @precondition(lambda self: self.runs.actions())
    @rule(choice=st.integers(0, 10_000))
    def lose_an_answer(self, choice: int) -> None:
        child = self.runs.actions()[choice % len(self.runs.actions())][1]
        if child.phase == "settling":
            self.runs.settle_again(child)

    @precondition(lambda self: self.runs.actions())
    @rule(choice=st.integers(0, 10_000))
    def let_a_turn_come_too_late(self, choice: int) -> None:
        child = self.runs.actions()[choice % len(self.runs.actions())][1]
        if child.phase == "arriving":
            self.runs.time_out(child)

    @rule(pool=st.sampled_from(POOLS), limit=st.integers(0, 3))
    def change_a_limit(self, pool: str, limit: int) -> None:
        self.runs.change_limit(pool, limit)

    @rule(pool=st.sampled_from(POOLS))
    def sweep(self, pool: str) -> None:
        self.runs.gate.sweep(pool)

    def teardown(self) -> None:
        if hasattr(self, "runs"):
            try:
                check_end(self.case, self.runs, Random(0))
            finally:
                self.runs.end_invocations()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=500,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
