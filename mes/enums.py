"""States of work orders and their operations."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class WorkOrderState(models.TextChoices):
    PLANNED = "planned", _("Planned")
    RELEASED = "released", _("Released")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    CLOSED = "closed", _("Closed")
    ON_HOLD = "on_hold", _("On hold")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def open(cls) -> list["WorkOrderState"]:
        """States in which work is still to be done."""
        return [cls.PLANNED, cls.RELEASED, cls.IN_PROGRESS, cls.ON_HOLD]


_WO = WorkOrderState
WORK_ORDER_TRANSITIONS: dict[WorkOrderState, frozenset[WorkOrderState]] = {
    _WO.PLANNED: frozenset({_WO.RELEASED, _WO.ON_HOLD, _WO.CANCELLED}),
    _WO.RELEASED: frozenset({_WO.IN_PROGRESS, _WO.ON_HOLD, _WO.CANCELLED}),
    _WO.IN_PROGRESS: frozenset({_WO.COMPLETED, _WO.ON_HOLD}),
    # What ran when it was held may be finished, and with it the work order.
    _WO.ON_HOLD: frozenset(
        {_WO.PLANNED, _WO.RELEASED, _WO.IN_PROGRESS, _WO.COMPLETED, _WO.CANCELLED}
    ),
    # Taking the last report back opens it again, and what it had cancelled (mes.services.undoing).
    _WO.COMPLETED: frozenset({_WO.CLOSED, _WO.IN_PROGRESS}),
    _WO.CLOSED: frozenset(),
    _WO.CANCELLED: frozenset(),
}


class OperationState(models.TextChoices):
    """WAITING and READY differ by readiness, which is derived and written by its service."""

    WAITING = "waiting", _("Waiting")
    READY = "ready", pgettext_lazy("operation", "Ready")
    SETUP = "setup", pgettext_lazy("operation", "Setup")
    RUNNING = "running", pgettext_lazy("operation", "Running")
    INTERRUPTED = "interrupted", _("Interrupted")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def open(cls) -> list["OperationState"]:
        return [cls.WAITING, cls.READY, cls.SETUP, cls.RUNNING, cls.INTERRUPTED]

    @classmethod
    def started(cls) -> list["OperationState"]:
        return [cls.SETUP, cls.RUNNING, cls.INTERRUPTED]


_OP = OperationState
OPERATION_TRANSITIONS: dict[OperationState, frozenset[OperationState]] = {
    _OP.WAITING: frozenset({_OP.READY, _OP.CANCELLED}),
    _OP.READY: frozenset({_OP.WAITING, _OP.SETUP, _OP.RUNNING, _OP.CANCELLED}),
    _OP.SETUP: frozenset({_OP.RUNNING, _OP.INTERRUPTED}),
    _OP.RUNNING: frozenset({_OP.INTERRUPTED, _OP.DONE}),
    _OP.INTERRUPTED: frozenset({_OP.SETUP, _OP.RUNNING, _OP.DONE, _OP.CANCELLED}),
    # Taking the last report back opens it again (mes.services.undoing).
    _OP.DONE: frozenset({_OP.INTERRUPTED}),
    _OP.CANCELLED: frozenset({_OP.WAITING}),
}


class BookingKind(models.TextChoices):
    """What time at an operation was spent on."""

    SETUP = "setup", pgettext_lazy("time", "Setup")
    RUN = "run", pgettext_lazy("time", "Run")
    PAUSE = "pause", pgettext_lazy("time", "Pause")


class ReasonKind(models.TextChoices):
    """What a reason on the terminal is asked for."""

    PAUSE = "pause", pgettext_lazy("reason", "Pause")
    SCRAP = "scrap", pgettext_lazy("reason", "Scrap")
    REWORK = "rework", pgettext_lazy("reason", "Rework")


class Decision(models.TextChoices):
    """What to do with a value outside its limits."""

    ACCEPT = "accept", _("Accepted as it is")
    REJECT = "reject", _("Rejected")


class AndonKind(models.TextChoices):
    """What somebody at a machine calls for."""

    MACHINE_DOWN = "machine_down", _("Machine down")
    MATERIAL = "material", _("Material missing")
    QUALITY = "quality", _("Quality problem")
    HELP = "help", _("Help needed")


class AndonState(models.TextChoices):
    RAISED = "raised", _("Waits for an answer")
    ACKNOWLEDGED = "acknowledged", _("Somebody is on it")
    RESOLVED = "resolved", _("Resolved")

    @classmethod
    def open(cls) -> list["AndonState"]:
        return [cls.RAISED, cls.ACKNOWLEDGED]


_AN = AndonState
ANDON_TRANSITIONS: dict[AndonState, frozenset[AndonState]] = {
    _AN.RAISED: frozenset({_AN.ACKNOWLEDGED, _AN.RESOLVED}),
    _AN.ACKNOWLEDGED: frozenset({_AN.RESOLVED}),
    _AN.RESOLVED: frozenset(),
}


class IncidentState(models.TextChoices):
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


INCIDENT_TRANSITIONS: dict[IncidentState, frozenset[IncidentState]] = {
    IncidentState.OPEN: frozenset({IncidentState.CLOSED}),
    IncidentState.CLOSED: frozenset(),
}


class EntryKind(models.TextChoices):
    """A line in the story of an incident."""

    RAISED = "raised", _("Alarm raised")
    ESCALATED = "escalated", _("Nobody answered: more people told")
    ACKNOWLEDGED = "acknowledged", _("Alarm answered")
    RESOLVED = "resolved", _("Alarm resolved")
    DOWN = "down", _("Machine down")
    INTERRUPTED = "interrupted", _("Work interrupted")
    ESTIMATED = "estimated", _("Expected back")
    OVERDUE = "overdue", _("Still down after the estimate")
    RECOVERED = "recovered", _("Machine runs again")
    CLOSED = "closed", _("Incident closed")


class LossKind(models.TextChoices):
    """Which time of a machine a stop takes (ISO 22400): planned stops lower no availability."""

    UNPLANNED = "unplanned", _("Unplanned stop")
    PLANNED = "planned", _("Planned stop")


class MachineStatus(models.TextChoices):
    """What a machine says of itself."""

    RUNNING = "running", _("Running")
    SETUP = "setup", pgettext_lazy("machine", "Setup")
    IDLE = "idle", _("Idle")
    DOWN = "down", _("Down")
    OFF = "off", _("Off")
    UNKNOWN = "unknown", _("Unknown")


class MachineEventKind(models.TextChoices):
    STATE = "state", _("State")
    COUNT = "count", _("Count")
    PARAMETER = "parameter", _("Parameter")
