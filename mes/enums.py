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
    # With its version, as the machine calls it; it runs until the machine names another one.
    PROGRAM = "program", _("Program")


class NonconformanceSource(models.TextChoices):
    """Who noticed it."""

    TICKET = "ticket", _("Customer")
    INSPECTION = "inspection", _("Inspection")
    INCOMING = "incoming", _("Incoming inspection")
    FLOOR = "floor", _("Shop floor")
    TRACE = "trace", _("Trace")


class NonconformanceState(models.TextChoices):
    OPEN = "open", _("Open")
    CONTAINED = "contained", _("Contained")
    UNDER_ANALYSIS = "under_analysis", _("Under analysis")
    ACTION = "action", pgettext_lazy("nonconformance", "Action")
    VERIFICATION = "verification", _("Verification")
    CLOSED = "closed", _("Closed")


_NC = NonconformanceState
NONCONFORMANCE_TRANSITIONS: dict[NonconformanceState, frozenset[NonconformanceState]] = {
    _NC.OPEN: frozenset({_NC.CONTAINED}),
    # Without an 8D it is decided what becomes of the goods, and that is all.
    _NC.CONTAINED: frozenset({_NC.UNDER_ANALYSIS, _NC.ACTION}),
    _NC.UNDER_ANALYSIS: frozenset({_NC.ACTION}),
    _NC.ACTION: frozenset({_NC.VERIFICATION, _NC.UNDER_ANALYSIS}),
    # What did not help is thought over again.
    _NC.VERIFICATION: frozenset({_NC.CLOSED, _NC.UNDER_ANALYSIS}),
    _NC.CLOSED: frozenset({_NC.UNDER_ANALYSIS}),
}


class ContainmentState(models.TextChoices):
    """Suspect goods at one place: counted, checked by another person, let go at D6."""

    IN_PLACE = "in_place", _("In place")
    VERIFIED = "verified", _("Verified")
    LIFTED = "lifted", _("Lifted")


CONTAINMENT_TRANSITIONS: dict[ContainmentState, frozenset[ContainmentState]] = {
    ContainmentState.IN_PLACE: frozenset({ContainmentState.VERIFIED}),
    ContainmentState.VERIFIED: frozenset({ContainmentState.IN_PLACE, ContainmentState.LIFTED}),
    ContainmentState.LIFTED: frozenset(),
}


class DispositionKind(models.TextChoices):
    """What becomes of nonconforming goods (ISO 9000)."""

    USE_AS_IS = "use_as_is", _("Use as is")
    REWORK = "rework", _("Rework")
    REPAIR = "repair", _("Repair")
    REGRADE = "regrade", _("Regrade")
    SCRAP = "scrap", _("Scrap")
    RETURN = "return", _("Return to supplier")

    @classmethod
    def needing_concession(cls) -> list["DispositionKind"]:
        """What still does not conform afterwards."""
        return [cls.USE_AS_IS, cls.REPAIR]


class DispositionState(models.TextChoices):
    DECIDED = "decided", pgettext_lazy("disposition", "Decided")
    EXECUTED = "executed", _("Executed")


DISPOSITION_TRANSITIONS: dict[DispositionState, frozenset[DispositionState]] = {
    DispositionState.DECIDED: frozenset({DispositionState.EXECUTED}),
    DispositionState.EXECUTED: frozenset(),
}


class ConcessionState(models.TextChoices):
    REQUESTED = "requested", _("Requested")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


CONCESSION_TRANSITIONS: dict[ConcessionState, frozenset[ConcessionState]] = {
    ConcessionState.REQUESTED: frozenset({ConcessionState.APPROVED, ConcessionState.REJECTED}),
    ConcessionState.APPROVED: frozenset(),
    ConcessionState.REJECTED: frozenset({ConcessionState.REQUESTED}),
}


class Discipline(models.IntegerChoices):
    """The steps of an 8D."""

    D0 = 0, _("Emergency response")
    D1 = 1, _("Team")
    D2 = 2, _("Problem")
    D3 = 3, _("Containment")
    D4 = 4, _("Root cause and escape point")
    D5 = 5, _("Actions chosen")
    D6 = 6, _("Actions carried out")
    D7 = 7, _("Prevention")
    D8 = 8, _("Closure")


class Chain(models.TextChoices):
    """Why it happened, and why nobody noticed."""

    OCCURRENCE = "occurrence", _("Occurrence")
    ESCAPE = "escape", pgettext_lazy("8D", "Escape")


class CauseCategory(models.TextChoices):
    """The six M."""

    MAN = "man", _("People")
    MACHINE = "machine", _("Machine")
    MATERIAL = "material", _("Material")
    METHOD = "method", _("Method")
    MEASUREMENT = "measurement", _("Measurement")
    ENVIRONMENT = "environment", _("Environment")


class ActionKind(models.TextChoices):
    """ISO 9000: of the thing itself, of its cause, of causes that might come."""

    CORRECTION = "correction", _("Correction")
    CORRECTIVE = "corrective", _("Corrective action")
    PREVENTIVE = "preventive", _("Preventive action")


class ActionState(models.TextChoices):
    PLANNED = "planned", _("Planned")
    DONE = "done", _("Done")
    VERIFIED = "verified", _("Verified")
    FAILED = "failed", _("Did not help")


ACTION_TRANSITIONS: dict[ActionState, frozenset[ActionState]] = {
    ActionState.PLANNED: frozenset({ActionState.DONE}),
    ActionState.DONE: frozenset({ActionState.VERIFIED, ActionState.FAILED}),
    ActionState.VERIFIED: frozenset(),
    ActionState.FAILED: frozenset({ActionState.PLANNED}),
}


class ChangeKind(models.TextChoices):
    """What an action changes when it is carried out."""

    NOTHING = "nothing", _("Something that is done by hand")
    CHECK = "check", _("Inspection step or limit")
    INSTRUCTION = "instruction", _("Work instruction")
    SUPPLIER = "supplier", _("Supplier corrective action request")
    MAINTENANCE = "maintenance", _("Maintenance of a machine")
    FMEA = "fmea", _("Line of the FMEA")


class MaintenanceKind(models.TextChoices):
    CORRECTIVE = "corrective", pgettext_lazy("maintenance", "Corrective")
    PREVENTIVE = "preventive", pgettext_lazy("maintenance", "Preventive")
    IMPROVEMENT = "improvement", pgettext_lazy("maintenance", "Improvement")


class MaintenanceState(models.TextChoices):
    """The states of ISA-95's dispatch of maintenance."""

    OPEN = "open", pgettext_lazy("maintenance", "Open")
    ASSIGNED = "assigned", _("Assigned")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def open(cls) -> list["MaintenanceState"]:
        """States in which there is something left to do."""
        return [cls.OPEN, cls.ASSIGNED, cls.IN_PROGRESS]


_M = MaintenanceState
MAINTENANCE_TRANSITIONS: dict[MaintenanceState, frozenset[MaintenanceState]] = {
    # Assigned again: to another person.
    _M.OPEN: frozenset({_M.ASSIGNED, _M.CANCELLED}),
    _M.ASSIGNED: frozenset({_M.ASSIGNED, _M.IN_PROGRESS, _M.CANCELLED}),
    _M.IN_PROGRESS: frozenset({_M.COMPLETED}),
    _M.COMPLETED: frozenset(),
    _M.CANCELLED: frozenset(),
}


class SupplierRequestState(models.TextChoices):
    SENT = "sent", _("Sent")
    ANSWERED = "answered", _("Answered")
    ACCEPTED = "accepted", _("Accepted")


SUPPLIER_REQUEST_TRANSITIONS: dict[SupplierRequestState, frozenset[SupplierRequestState]] = {
    SupplierRequestState.SENT: frozenset({SupplierRequestState.ANSWERED}),
    # An answer that does not do is asked for again.
    SupplierRequestState.ANSWERED: frozenset(
        {SupplierRequestState.SENT, SupplierRequestState.ACCEPTED}
    ),
    SupplierRequestState.ACCEPTED: frozenset(),
}


class Metric(models.TextChoices):
    """By what it is judged whether a cause is gone."""

    COMPLAINTS = "complaints", _("Complaints of what was delivered")
    CHECK_FAULTS = "check_faults", _("Failed checks on the floor")


class Effect(models.TextChoices):
    """What the figures before and after a change say."""

    SHOWN = "shown", _("Effect shown")
    TOO_FEW = "too_few", _("Too few to tell")
    NONE = "none", _("No improvement")
