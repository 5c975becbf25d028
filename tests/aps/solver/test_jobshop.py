"""Job shops: known optima, proofs, determinism, and random shops under an independent check."""

import itertools
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aps.solver.jobshop import Shop, ShopProgress, solve, validate
from aps.solver.jobshop.files import parse_jsp
from aps.solver.jobshop.shop import InvalidShop
from aps.solver.problem import Placement
from tests.aps.solver.classics import FT06, FT10, LA01


def random_shop(chance: random.Random, jobs: int, machines: int, choices: int) -> Shop:
    return Shop.of(
        machines,
        [
            [
                [
                    (machine, chance.randint(0, 20))
                    for machine in chance.sample(range(machines), chance.randint(1, choices))
                ]
                for _ in range(chance.randint(1, 6))
            ]
            for _ in range(jobs)
        ],
    )


def shortest(shop: Shop) -> int:
    """By trying every order and every choice of machines."""
    routes = shop.as_lists()
    turns = [j for j, route in enumerate(routes) for _ in route]
    best = 10**9
    for order in set(itertools.permutations(turns)):
        for chosen in itertools.product(*(modes for route in routes for modes in route)):
            best = min(best, length(routes, order, chosen))
    return best


def length(routes, order, chosen) -> int:
    first = list(itertools.accumulate([0, *(len(route) for route in routes)]))
    done = [0] * len(routes)
    job_end = [0] * len(routes)
    machine_end: dict[int, int] = {}
    for job in order:
        machine, minutes = chosen[first[job] + done[job]]
        done[job] += 1
        job_end[job] = machine_end[machine] = (
            max(job_end[job], machine_end.get(machine, 0)) + minutes
        )
    return max(job_end)


@pytest.mark.parametrize(("text", "optimum"), [(FT06, 55), (LA01, 666), (FT10, 930)])
def test_a_known_optimum_is_found_and_proven(text: str, optimum: int) -> None:
    shop = parse_jsp(text).shop
    result = solve(shop, seconds=180, clock=time.monotonic, workers=2)
    assert (result.makespan, result.lower_bound, result.status) == (optimum, optimum, "optimal")
    assert validate(shop, result.placements) == []


def test_a_single_worker_proves_too() -> None:
    shop = parse_jsp(FT06).shop
    result = solve(shop, seconds=30, clock=time.monotonic)
    assert (result.makespan, result.status) == (55, "optimal")


@pytest.mark.parametrize(("workers", "jobs"), [(1, 45), (3, 45), (2, 15)])
def test_seed_and_steps_decide_the_schedule(workers: int, jobs: int) -> None:
    shop = random_shop(random.Random(5), jobs=jobs, machines=6, choices=3)

    def once(seed: int):
        return solve(
            shop, seconds=1e9, clock=lambda: 0, seed=seed, workers=workers, max_steps=30_000
        )

    first = once(1)
    assert once(1) == first
    assert once(2).placements != first.placements
    assert validate(shop, first.placements) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 6), st.integers(1, 6))
def test_random_shops_get_feasible_schedules(
    seed: int, jobs: int, machines: int, choices: int
) -> None:
    shop = random_shop(random.Random(seed), jobs, machines, min(choices, machines))
    result = solve(shop, seconds=1e9, clock=lambda: 0, seed=seed, max_steps=2_000)
    assert validate(shop, result.placements) == []
    assert result.makespan == max(p.end for p in result.placements)
    assert shop.trivial_bound <= result.lower_bound <= result.makespan


@pytest.mark.parametrize("seed", range(6))
def test_tiny_shops_get_the_schedule_that_no_other_beats(seed: int) -> None:
    chance = random.Random(seed)
    shop = Shop.of(
        2, [[[(k, chance.randint(1, 9)) for k in range(2)] for _ in range(2)] for _ in range(3)]
    )
    result = solve(shop, seconds=20, clock=time.monotonic)
    assert (result.makespan, result.status) == (shortest(shop), "optimal")


def test_progress_falls_and_the_bound_rises() -> None:
    heard: list[ShopProgress] = []
    shop = parse_jsp(FT10).shop
    solve(shop, seconds=3, clock=time.monotonic, on_progress=heard.append)
    assert heard
    lengths = [h.makespan for h in heard]
    bounds = [h.lower_bound for h in heard]
    assert lengths == sorted(lengths, reverse=True)
    assert bounds == sorted(bounds)
    assert all(h.lower_bound <= h.makespan for h in heard)


def test_it_stops_when_asked_with_the_best_so_far() -> None:
    shop = random_shop(random.Random(1), jobs=60, machines=10, choices=1)
    began = time.monotonic()
    result = solve(shop, seconds=600, clock=time.monotonic, should_stop=lambda: True, workers=2)
    assert time.monotonic() - began < 20
    assert validate(shop, result.placements) == []


def test_a_failing_listener_ends_the_threads_and_is_heard() -> None:
    def listen(progress: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        solve(parse_jsp(FT10).shop, seconds=60, clock=time.monotonic, on_progress=listen)


@pytest.mark.parametrize(
    ("machines", "jobs", "words"),
    [
        (2, [[[]]], "without a machine"),
        (2, [[[(2, 1)]]], "outside the 2"),
        (2, [[[(-1, 1)]]], "outside the 2"),
        (2, [[[(0, -1)]]], "-1"),
        (1, [[[(0, 2**30)]]], "too long"),
        (1, [], "no operation"),
        (1, [[]], "no operation"),
    ],
)
def test_what_is_no_shop_is_refused(machines, jobs, words) -> None:
    with pytest.raises(InvalidShop, match=words):
        Shop.of(machines, jobs)


def test_the_check_finds_what_is_wrong() -> None:
    shop = Shop.of(2, [[[(0, 3)], [(1, 2)]], [[(0, 4), (1, 6)]]])
    good = [Placement(0, 0, 0, 3), Placement(1, 1, 3, 5), Placement(2, 0, 3, 7)]
    assert validate(shop, good) == []
    bad = {
        "scheduled 0 times": good[:2],
        "scheduled 2 times": [*good, good[0]],
        "unknown": [*good, Placement(3, 0, 7, 8)],
        "does not take 5 on 0": [*good[:2], Placement(2, 0, 3, 8)],
        "before it may": [good[0], Placement(1, 1, 2, 4), good[2]],
        "overlap on 0": [*good[:2], Placement(2, 0, 2, 6)],
    }
    for words, placements in bad.items():
        assert any(words in violation for violation in validate(shop, placements)), words
