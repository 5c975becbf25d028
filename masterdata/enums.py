"""Choices of the master data."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Supply(models.TextChoices):
    """Where an item comes from."""

    MAKE = "make", _("Make")
    BUY = "buy", _("Buy")


class LotPolicy(models.TextChoices):
    """How demands become orders (APICS lot sizing)."""

    LOT_FOR_LOT = "lot_for_lot", _("Lot for lot")
    FIXED = "fixed", _("Fixed lot")
    PERIOD = "period", _("Demand of a period")


class RunBasis(models.TextChoices):
    """What the run minutes of an operation count for."""

    PER_PIECE = "per_piece", _("Per piece")
    PER_ORDER = "per_order", _("Per order")


class RateKind(models.TextChoices):
    MACHINE = "machine", _("Machine")
    LABOUR = "labour", _("Labour")
    OVERHEAD = "overhead", _("Overhead")


class Tracking(models.TextChoices):
    NONE = "none", _("None")
    LOT = "lot", _("Lot")
    SERIAL = "serial", _("Serial number")


class IssueMethod(models.TextChoices):
    """When a component is booked out for its work order."""

    AT_START = "at_start", _("At the start")
    BACKFLUSH = "backflush", _("With good pieces")
    SCAN = "scan", _("By scan")


class UploadStage(models.TextChoices):
    """How far an uploaded file is; derived, so there is no table of transitions."""

    CHECKING = "checking", _("Checking")
    CHECKED = "checked", _("Checked")
    IMPORTING = "importing", _("Importing")
    IMPORTED = "imported", _("Imported")
    UNREADABLE = "unreadable", _("Unreadable")


class CheckKind(models.TextChoices):
    """What is asked at an operation."""

    PASS = "pass", _("Pass or fail")
    MEASURE = "measure", _("Measured value")
    PARAMETER = "parameter", _("Process parameter")


class CheckFrequency(models.TextChoices):
    PER_ORDER = "per_order", _("Once per order")
    PER_PIECE = "per_piece", _("Every piece")
    EVERY_N = "every_n", _("Every so many pieces")
