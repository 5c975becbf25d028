"""The table of a benchmark, with the machine it was measured on."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measured figure and the bar it is held against."""

    what: str
    measured: str
    bar: str = ""


def machine() -> str:
    """Processor, cores, memory, Python, and what else it did, in one line."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = f"load {os.getloadavg()[2]:.1f} in the last 15 minutes"
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {load}"
    )


def render(rows: list[Row]) -> str:
    """Markdown, to be read on a terminal and pasted into a page."""
    width = max(len(row.what) for row in rows)
    figure = max(len(row.measured) for row in rows + [Row("", "measured")])
    lines = [
        f"| {'what':<{width}} | {'measured':>{figure}} | bar |",
        f"|{'-' * (width + 2)}|{'-' * (figure + 1)}:|---|",
        *(f"| {row.what:<{width}} | {row.measured:>{figure}} | {row.bar} |" for row in rows),
    ]
    return "\n".join([machine(), "", *lines])


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
