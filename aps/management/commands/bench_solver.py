"""Measure the solver on public instances, next to PyJobShop. Needs no database."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aps import solver
from aps.benchmarks import instances, peer
from aps.benchmarks.instances import Instance
from aps.solver import generator, jobshop, plant_format

ROOT = Path(__file__).resolve().parents[3]
BARS = {"fattahi": 0.5, "kacem": 0.5, "barnes": 0.5, "mk": 2.0, "ta": 5.0}
"""Mean per cent above best known that must not be passed."""
FLOORS = {
    "p50x8": 90_471,
    "p150x25-setup": 118_160,
    "p150x25-assembly": 218_590,
    "p400x40-all": 1_407_827,
    "p1000x50-all": 3_372_753,
}
"""Weighted tardiness of the best of three dispatch rules (the benchmarks' README)."""
LARGE = 100_000
SETS = (*BARS, "plants", "p1000-first", "100k")
NEED_BENCHMARKS = (*instances.FOLDERS, "plants", "p1000-first")


class Command(BaseCommand):
    """A table per set: what is known, ours, the peer's, means and the bars they must keep."""

    help = "Measure the solver on public instances, next to PyJobShop under the same limits."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=float, default=60.0, help="per instance; default: 60")
        parser.add_argument("--workers", type=int, default=2, help="default: 2")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--set", choices=(*SETS, "all"), default="all")
        parser.add_argument("--only", nargs="+", default=[], metavar="INSTANCE")
        parser.add_argument("--peer", action="store_true", default=True, dest="peer")
        parser.add_argument("--no-peer", action="store_false", dest="peer")
        parser.add_argument(
            "--benchmarks",
            type=Path,
            default=ROOT.parent / "shared" / "benchmarks",
            help="default: shared/benchmarks beside the checkout",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.options = options
        self.stdout.write(f"machine: {_machine()}; {options['workers']} workers")
        self.stdout.write(f"limit: {options['seconds']:g} s per instance, seed {options['seed']}\n")
        for name in SETS if options["set"] == "all" else (options["set"],):
            if name in NEED_BENCHMARKS and not options["benchmarks"].is_dir():
                self._skip(name, f"{options['benchmarks']} is missing")
            else:
                self._measure(name)

    def _measure(self, name: str) -> None:
        benchmarks = self.options["benchmarks"]
        try:
            if name in instances.FOLDERS:
                self._shops(name, instances.flexible(benchmarks, name))
            elif name == "ta":
                self._shops(name, instances.taillard(peer.classics()))
            elif name == "plants":
                self._plants(benchmarks)
            elif name == "p1000-first":
                self._first(benchmarks / "plants" / "p1000x50-all.json", 5.0)
            else:
                self._large()
        except (OSError, plant_format.MalformedFile, peer.NoPeer) as error:
            self._skip(name, str(error))

    def _skip(self, name: str, why: str) -> None:
        """What cannot be measured is said; in CI it is a failure."""
        sentence = f"{name} was skipped: {why.rstrip('.')}."
        if os.environ.get("CI", "").lower() == "true":
            raise CommandError(sentence)
        self.stdout.write(sentence)

    # -- shops ---------------------------------------------------------------------------------

    def _shops(self, name: str, shops: Sequence[Instance]) -> None:
        only = self.options["only"]
        rows = [self._shop(one) for one in shops if not only or one.name in only]
        if not rows:
            return
        ours = statistics.mean(row[0] for row in rows)
        bar = BARS[name]
        verdict = "kept" if ours <= bar else "MISSED"
        line = f"{name}: mean {ours:+.2f} % above best known, bar {bar} %: {verdict}"
        theirs = [row[1] for row in rows if row[1] is not None]
        if theirs:
            line += f"; PyJobShop {statistics.mean(theirs):+.2f} % ({len(theirs)} solved)"
        self.stdout.write(line + "\n")

    def _shop(self, one: Instance) -> tuple[float, float | None]:
        """A row; per cent above best known, ours and the peer's."""
        limits = {key: self.options[key] for key in ("seconds", "workers", "seed")}
        began = time.monotonic()
        ours = jobshop.solve(one.shop, clock=time.monotonic, **limits)
        seconds = time.monotonic() - began
        if violations := jobshop.validate(one.shop, ours.placements):
            raise CommandError(f"{one.name}: {violations[0]}")
        gap = 100 * (ours.makespan / one.best_known - 1)
        proven = "*" if ours.status == "optimal" else " "
        row = f"{one.name:<10} best {one.best_known:>5}  ours {ours.makespan:>5}{proven}"
        row += f" {gap:+6.2f} % {seconds:6.1f} s"
        other = None
        if self.options["peer"]:
            theirs = peer.solve(one.shop, **limits)
            if theirs.makespan is None:
                row += f"   PyJobShop  none          {theirs.seconds:6.1f} s"
            else:
                other = 100 * (theirs.makespan / one.best_known - 1)
                row += f"   PyJobShop {theirs.makespan:>5} {other:+6.2f} % {theirs.seconds:6.1f} s"
        self.stdout.write(row)
        return gap, other

    # -- plants --------------------------------------------------------------------------------

    def _plants(self, benchmarks: Path) -> None:
        shares = []
        for name, floor in FLOORS.items():
            if self.options["only"] and name not in self.options["only"]:
                continue
            found, seconds = self._plant(benchmarks, name)
            shares.append(100 * found / floor)
            verdict = "kept" if shares[-1] <= 90 else "MISSED"
            self.stdout.write(
                f"{name:<18} best rule {floor:>9,}  ours {found:>9,} = {shares[-1]:5.1f} % "
                f"(bar 90 %: {verdict}) {seconds:6.1f} s"
            )
        if shares:
            mean = statistics.mean(shares)
            verdict = "kept" if mean <= 75 else "MISSED"
            self.stdout.write(f"plants: mean {mean:.1f} % of the best rule, bar 75 %: {verdict}\n")

    def _plant(self, benchmarks: Path, name: str) -> tuple[int, float]:
        """Weighted tardiness by the benchmarks' own checker, and seconds with reading."""
        path = benchmarks / "plants" / f"{name}.json"
        began = time.monotonic()
        plant = plant_format.load(path)
        solution = solver.solve(
            plant.problem,
            seconds=self.options["seconds"] - (time.monotonic() - began),
            clock=time.monotonic,
            seed=self.options["seed"],
            workers=self.options["workers"],
        )
        seconds = time.monotonic() - began
        with tempfile.TemporaryDirectory() as folder:
            schedule = Path(folder) / "schedule.json"
            schedule.write_text(json.dumps(plant_format.dump(plant, solution)), encoding="utf-8")
            checker = benchmarks / "check_schedule.py"
            report = _run_python([str(checker), str(path), str(schedule)])
        return int(report["weighted_tardiness"]), seconds

    # -- fresh processes -----------------------------------------------------------------------

    def _first(self, path: Path, bar: float) -> None:
        report = _run_python(["-m", "aps.benchmarks.first", str(path)])
        seconds = report["read"] + report["construct"]
        kept = seconds <= bar and report["peak_mb"] <= 2048 and not report["violations"]
        self.stdout.write(
            f"{path.stem}: {report['operations']:,} operations, first schedule after "
            f"{seconds:.2f} s ({report['read']} s reading), peak {report['peak_mb']} MB, "
            f"weighted tardiness {report['weighted_tardiness']:,}, "
            f"{report['violations']} violations; bar {bar:g} s: {'kept' if kept else 'MISSED'}\n"
        )

    def _large(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"generated-{LARGE}.json"
            plant = generator.generate(operations=LARGE, seed=self.options["seed"])
            path.write_text(json.dumps(plant), encoding="utf-8")
            del plant
            self._first(path, 60.0)


def _run_python(arguments: list[str]) -> dict[str, Any]:
    """The JSON of the last line a fresh Python prints; raises ``CommandError``."""
    done = subprocess.run(  # noqa: S603 - our own modules and the benchmarks' checker
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise CommandError(f"{' '.join(arguments[:2])} failed: {(words or ['no reason'])[-1]}")
    report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        model = next(x.split(":", 1)[1].strip() for x in text.splitlines() if "model name" in x)
    except (OSError, StopIteration):
        pass
    return f"{model}, {os.cpu_count()} cores"
