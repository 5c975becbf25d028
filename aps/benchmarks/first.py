"""Run in a fresh process: the first rule's schedule of a plant, how long and how much memory.

    python -m aps.benchmarks.first PLANT.json

Prints one line of JSON: ``read`` and ``construct`` in seconds, ``peak_mb`` of the process before
anything is checked, ``operations``, ``weighted_tardiness`` and ``violations``.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from aps.solver import construct, plant_format, validate


def main() -> None:
    """Read, construct, measure, and only then validate."""
    began = time.monotonic()
    plant = plant_format.load(Path(sys.argv[1]))
    read = time.monotonic()
    solution = construct(plant.problem, max_rules=1)
    done = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "operations": len(plant.problem.operations),
                "read": round(read - began, 2),
                "construct": round(done - read, 2),
                "peak_mb": round(peak / 1024),
                "weighted_tardiness": solution.weighted_tardiness,
                "violations": len(validate(plant.problem, solution.placements)),
            }
        )
    )


if __name__ == "__main__":
    main()
