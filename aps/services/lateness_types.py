"""What an explanation of lateness is made of; the words are made elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aps.selectors import Bar, LateLine


class StepKind(StrEnum):
    """What a stretch of the chain goes into."""

    WORK = "work"
    OUTSIDE = "outside"  # at a subcontractor
    MACHINE = "machine"  # others are on it
    SHIFT = "shift"  # nobody works, or no shift is long enough
    CHANGEOVER = "changeover"  # the machine is made ready for its setup family
    PEOPLE = "people"  # those with its skill work for others, or are not there
    TOOL = "tool"  # others hold it
    MATERIAL = "material"
    REST = "rest"  # the pieces cool or dry after the operation before
    CHOICE = "choice"  # it could have begun: the plan put it later

    @property
    def is_wait(self) -> bool:
        return self not in (StepKind.WORK, StepKind.OUTSIDE)


@dataclass(frozen=True, slots=True)
class Step:
    """[starts_at, ends_at) of the chain, at one operation of the order's tree."""

    kind: StepKind
    starts_at: datetime
    ends_at: datetime
    bar: Bar
    # Of its machine, "" at a subcontractor.
    unit_code: str = ""
    # PEOPLE, TOOL: the code of the skill or tool.
    needed: str = ""
    # MACHINE, PEOPLE, TOOL: the order lines (or work orders) that had it, the last one last.
    others: tuple[str, ...] = ()
    # Their operations, by which they are named.
    other_bars: tuple[Bar, ...] = ()
    # MATERIAL: the last item to come, and what brings it ("" for what is not on order).
    material_code: str = ""
    reference: str = ""

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)


class HelpKind(StrEnum):
    """What would bring the end forward."""

    OVERTIME = "overtime"
    MACHINE = "machine"  # another one could do it sooner
    EXPEDITE = "expedite"  # the material
    SUPPLIER = "supplier"  # the work outside


@dataclass(frozen=True, slots=True)
class Help:
    """One way to be sooner; ``minutes`` at most, before the next constraint binds."""

    kind: HelpKind
    minutes: int
    unit_code: str = ""
    # OVERTIME: closed hours while it waits or works; MACHINE: where the other one could do it.
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    material_code: str = ""
    reference: str = ""
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chain from the end back to now; empty where the line has no time in the schedule."""

    line: LateLine
    steps: tuple[Step, ...] = ()
    helps: tuple[Help, ...] = ()

    @property
    def binding(self) -> Step | None:
        """The wait that costs the most; where nothing waits, the longest work."""
        waits = [step for step in self.steps if step.kind.is_wait]
        return max(waits or self.steps, key=lambda step: step.minutes, default=None)
