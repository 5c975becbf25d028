"""Runs in the peers' environment: a shop as JSON on standard input, PyJobShop's answer as JSON."""

import json
import sys
import time

from pyjobshop import Model, Task


def main() -> None:
    """Build the model as PyJobShop's examples do, and solve it with its defaults."""
    ask = json.load(sys.stdin)
    began = time.monotonic()
    model = Model()
    machines = [model.add_machine() for _ in range(ask["machines"])]
    for route in ask["jobs"]:
        job = model.add_job()
        tasks: list[Task] = []
        for modes in route:
            task = model.add_task(job)
            for machine, minutes in modes:
                model.add_mode(task, machines[machine], minutes)
            if tasks:
                model.add_end_before_start(tasks[-1], task)
            tasks.append(task)
    result = model.solve(
        time_limit=ask["seconds"],
        display=False,
        num_workers=ask["workers"],
        random_seed=ask["seed"],
    )
    found = result.objective < float("inf")
    print(
        json.dumps(
            {
                "makespan": int(result.objective) if found else None,
                "seconds": round(time.monotonic() - began, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
