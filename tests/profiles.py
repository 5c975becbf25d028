"""How long tests of chance run: briefly by default, for minutes with ``LONG_RUN=1`` (make soak)."""

import os

from hypothesis import HealthCheck, settings

IS_LONG = os.environ.get("LONG_RUN", "") not in ("", "0")


def stateful(*, examples: int, steps: int) -> settings:
    """Settings of a rule-based test; a long run has twenty times as many, twice as long."""
    return settings(
        max_examples=examples * 20 if IS_LONG else examples,
        stateful_step_count=steps * 2 if IS_LONG else steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def parallel_seconds(brief: float) -> float:
    """How long clients that run side by side go on; ``PARALLEL_SECONDS`` says otherwise."""
    return float(os.environ.get("PARALLEL_SECONDS") or (60 if IS_LONG else brief))
