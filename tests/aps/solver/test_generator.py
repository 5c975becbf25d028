"""Made-up plants: as large as asked, the same each time, and schedulable."""

import pytest

from aps.solver import construct, plant_format, validate
from aps.solver.generator import generate


@pytest.mark.parametrize("kind", ["realistic", "hostile"])
@pytest.mark.parametrize("seed", range(3))
def test_a_generated_plant_can_be_scheduled(kind, seed: int) -> None:
    plant = plant_format.parse(generate(operations=150, seed=seed, kind=kind))
    solution = construct(plant.problem)
    assert len(solution.placements) >= 150
    assert validate(plant.problem, solution.placements) == []


def test_the_same_seed_gives_the_same_plant() -> None:
    assert generate(operations=60, seed=4) == generate(operations=60, seed=4)
    assert generate(operations=60, seed=4) != generate(operations=60, seed=5)


def test_it_holds_assemblies_setups_and_late_orders() -> None:
    plant = generate(operations=500, kind="hostile")
    steps = [step for job in plant["jobs"] for step in job["operations"]]
    assert any(len(step["after"]) > 1 for step in steps)
    assert any(mode["minutes"] == 0 for step in steps for mode in step["machines"])
    assert plant["setup_minutes"]
    assert any(job["due"] <= job["release"] for job in plant["jobs"])
