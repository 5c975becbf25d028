"""States of sales orders, their lines and what happens to them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class OrderState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SUBMITTED = "submitted", _("Submitted")
    APPROVED = "approved", _("Approved")
    IN_PRODUCTION = "in_production", _("In production")
    READY_TO_SHIP = "ready_to_ship", _("Ready to ship")
    PARTLY_SHIPPED = "partly_shipped", _("Partly shipped")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")
    CLOSED = "closed", _("Closed")
    ON_HOLD = "on_hold", _("On hold")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def open(cls) -> list["OrderState"]:
        """Approved and not yet wholly shipped: states with dates that move."""
        return [cls.APPROVED, cls.IN_PRODUCTION, cls.READY_TO_SHIP, cls.PARTLY_SHIPPED]


_O = OrderState
ORDER_TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    _O.DRAFT: frozenset({_O.SUBMITTED, _O.CANCELLED}),
    # Rejection sends a submitted order back to draft, with the reason.
    _O.SUBMITTED: frozenset({_O.APPROVED, _O.DRAFT, _O.ON_HOLD, _O.CANCELLED}),
    _O.APPROVED: frozenset(
        {
            _O.IN_PRODUCTION,
            _O.READY_TO_SHIP,
            _O.PARTLY_SHIPPED,
            _O.SHIPPED,
            _O.ON_HOLD,
            _O.CANCELLED,
        }
    ),
    _O.IN_PRODUCTION: frozenset(
        {_O.READY_TO_SHIP, _O.PARTLY_SHIPPED, _O.SHIPPED, _O.ON_HOLD, _O.CANCELLED}
    ),
    _O.READY_TO_SHIP: frozenset(
        {_O.IN_PRODUCTION, _O.PARTLY_SHIPPED, _O.SHIPPED, _O.ON_HOLD, _O.CANCELLED}
    ),
    _O.PARTLY_SHIPPED: frozenset({_O.SHIPPED, _O.ON_HOLD, _O.CLOSED}),
    _O.SHIPPED: frozenset({_O.DELIVERED}),
    _O.DELIVERED: frozenset({_O.CLOSED}),
    _O.CLOSED: frozenset(),
    _O.ON_HOLD: frozenset(
        {
            _O.SUBMITTED,
            _O.APPROVED,
            _O.IN_PRODUCTION,
            _O.READY_TO_SHIP,
            _O.PARTLY_SHIPPED,
            _O.CANCELLED,
        }
    ),
    _O.CANCELLED: frozenset(),
}


class ConversionState(models.TextChoices):
    """How far a line is on its way to work orders."""

    NONE = "none", _("Not asked for")
    WAITING = "waiting", _("Waiting")
    CONVERTED = "converted", _("Converted")
    FAILED = "failed", _("Failed")


class PromiseCause(models.TextChoices):
    """Why a promised date came to be what it is."""

    FIRST = "first", _("First promise")
    CUSTOMER_CHANGE = "customer_change", _("Change by the customer")
    RESCHEDULE = "reschedule", _("New plan")
    RUSH = "rush", _("Rush order")
    CORRECTION = "correction", _("Correction")


class ProjectionCause(models.TextChoices):
    """Why the projected day of a line is another one than before."""

    CONVERSION = "conversion", _("Order planned")
    CAPACITY = "capacity", _("Hours or machines changed")
    MATERIAL = "material", _("Material changed")
    ORDERS = "orders", _("Orders changed")
    REPORT = "report", _("Progress on the floor")
    RUSH = "rush", _("Rush order")
    MANUAL = "manual", _("Planned by hand")
    CHANGE = "change", _("New plan")


class RushState(models.TextChoices):
    """A request to make room for a line; a draft is being simulated."""

    DRAFT = "draft", _("Being simulated")
    ASSESSED = "assessed", _("Assessed")
    PENDING = "pending_approval", _("Waits for approval")
    APPROVED = "approved", _("Approved")
    APPLIED = "applied", _("Applied")
    REJECTED = "rejected", _("Rejected")
    STALE = "stale", _("Out of date")
    CANCELLED = "cancelled", _("Cancelled")

    @classmethod
    def open(cls) -> list["RushState"]:
        """Not decided, or approved and not in the plan yet."""
        return [*cls.undecided(), cls.APPROVED]

    @classmethod
    def undecided(cls) -> list["RushState"]:
        return [cls.DRAFT, cls.ASSESSED, cls.PENDING, cls.STALE]


_RS = RushState
RUSH_TRANSITIONS: dict[RushState, frozenset[RushState]] = {
    _RS.DRAFT: frozenset({_RS.ASSESSED, _RS.CANCELLED, _RS.REJECTED}),
    _RS.ASSESSED: frozenset({_RS.PENDING, _RS.STALE, _RS.CANCELLED, _RS.REJECTED}),
    _RS.PENDING: frozenset({_RS.APPROVED, _RS.REJECTED, _RS.STALE, _RS.CANCELLED}),
    # A line without work orders is applied by its conversion.
    _RS.APPROVED: frozenset({_RS.APPLIED, _RS.CANCELLED}),
    _RS.APPLIED: frozenset(),
    _RS.REJECTED: frozenset(),
    # It is simulated anew.
    _RS.STALE: frozenset({_RS.DRAFT, _RS.CANCELLED, _RS.REJECTED}),
    _RS.CANCELLED: frozenset(),
}


class MilestoneKind(models.TextChoices):
    SUBMITTED = "submitted", _("Submitted")
    APPROVED = "approved", _("Approved")
    WORK_ORDERS_CREATED = "work_orders_created", _("Work orders created")
    SCHEDULED = "scheduled", _("Scheduled")
    STARTED = "started", pgettext_lazy("milestone", "Started")
    FINISHED = "finished", _("Finished")
    SHIPPED = "shipped", _("Shipped")
    DELIVERED = "delivered", _("Delivered")


class NoticeState(models.TextChoices):
    """What became of a notice that a delivery comes on another day."""

    DRAFT = "draft", _("Draft")
    SENT = "sent", pgettext_lazy("notice", "Sent")
    DISMISSED = "dismissed", _("Not sent")
    # The date came back before anybody was told.
    WITHDRAWN = "withdrawn", _("No longer true")


_NS = NoticeState
NOTICE_TRANSITIONS: dict[NoticeState, frozenset[NoticeState]] = {
    _NS.DRAFT: frozenset({_NS.SENT, _NS.DISMISSED, _NS.WITHDRAWN}),
    _NS.SENT: frozenset(),
    _NS.DISMISSED: frozenset(),
    _NS.WITHDRAWN: frozenset(),
}


class TicketState(models.TextChoices):
    """A complaint of a customer; while it waits for them or is resolved, its clock stands."""

    OPEN = "open", pgettext_lazy("ticket", "Open")
    WAITING = "waiting", _("Waits for the customer")
    RESOLVED = "resolved", pgettext_lazy("ticket", "Resolved")
    CLOSED = "closed", pgettext_lazy("ticket", "Closed")

    @classmethod
    def live(cls) -> list["TicketState"]:
        """Something is still to be done, by us or by the customer."""
        return [cls.OPEN, cls.WAITING]


_T = TicketState
# A customer who writes again opens it again, whatever it was.
TICKET_TRANSITIONS: dict[TicketState, frozenset[TicketState]] = {
    _T.OPEN: frozenset({_T.WAITING, _T.RESOLVED}),
    _T.WAITING: frozenset({_T.OPEN, _T.RESOLVED}),
    _T.RESOLVED: frozenset({_T.OPEN, _T.CLOSED}),
    _T.CLOSED: frozenset({_T.OPEN}),
}


class TicketChannel(models.TextChoices):
    """How it reached us."""

    AGENT = "agent", _("After-sales")
    PORTAL = "portal", _("Portal")
    EMAIL = "email", _("E-mail")


class TicketPriority(models.TextChoices):
    URGENT = "urgent", _("Urgent")
    HIGH = "high", pgettext_lazy("priority", "High")
    NORMAL = "normal", pgettext_lazy("priority", "Normal")
    LOW = "low", pgettext_lazy("priority", "Low")


class MessageKind(models.TextChoices):
    """Who says it to whom."""

    FROM_CUSTOMER = "in", _("From the customer")
    TO_CUSTOMER = "out", _("To the customer")
    NOTE = "note", _("Internal note")


class TraitKind(models.TextChoices):
    """What complaints may have in common."""

    LOT = "lot", _("Lot")
    WORK_UNIT = "work_unit", _("Machine")
    SYMPTOM = "symptom", _("Symptom")


class WarrantyDecision(models.TextChoices):
    UNDECIDED = "undecided", _("Not decided")
    COVERED = "covered", _("Covered by warranty")
    GOODWILL = "goodwill", _("Goodwill")
    NOT_COVERED = "not_covered", _("Not covered")


class RmaState(models.TextChoices):
    """A return from its authorisation to what became of it."""

    REQUESTED = "requested", pgettext_lazy("return", "Requested")
    AUTHORISED = "authorised", _("Authorised")
    RECEIVED = "received", pgettext_lazy("return", "Received")
    EVALUATED = "evaluated", _("Evaluated")
    IN_REPAIR = "in_repair", _("In repair")
    CLOSED = "closed", pgettext_lazy("return", "Closed")
    CANCELLED = "cancelled", pgettext_lazy("return", "Cancelled")

    @classmethod
    def open(cls) -> list["RmaState"]:
        return [cls.REQUESTED, cls.AUTHORISED, cls.RECEIVED, cls.EVALUATED, cls.IN_REPAIR]


_RMA = RmaState
RMA_TRANSITIONS: dict[RmaState, frozenset[RmaState]] = {
    _RMA.REQUESTED: frozenset({_RMA.AUTHORISED, _RMA.CANCELLED}),
    _RMA.AUTHORISED: frozenset({_RMA.RECEIVED, _RMA.CANCELLED}),
    _RMA.RECEIVED: frozenset({_RMA.EVALUATED}),
    _RMA.EVALUATED: frozenset({_RMA.IN_REPAIR, _RMA.CLOSED}),
    _RMA.IN_REPAIR: frozenset({_RMA.CLOSED}),
    _RMA.CLOSED: frozenset(),
    _RMA.CANCELLED: frozenset(),
}


class RmaFinding(models.TextChoices):
    """What the evaluation of what came back says."""

    CONFIRMED = "confirmed", _("Fault confirmed")
    NO_FAULT = "no_fault", _("No fault found")
    MISUSE = "misuse", _("Misuse")


class RmaDisposition(models.TextChoices):
    """What the customer gets."""

    REPAIR = "repair", pgettext_lazy("return", "Repair")
    REPLACE = "replace", pgettext_lazy("return", "Replace")
    REFUND = "refund", _("Refund")
    REJECT = "reject", pgettext_lazy("return", "Reject")


class ReportTier(models.TextChoices):
    """How much of a product's history a customer is told; each tier tells more."""

    BASIC = "basic", _("Basic")
    STANDARD = "standard", pgettext_lazy("tier", "Standard")
    EXTENDED = "extended", _("Extended")

    def reaches(self, other: "ReportTier") -> bool:
        """Whether this tier tells what the other one tells."""
        order = list(ReportTier)
        return order.index(self) >= order.index(other)
