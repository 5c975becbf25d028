"""Tablets at the machines, and how people sign in on them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Terminal(models.Model):
    """A device that a supervisor registered once; its cookie holds what ``digest`` is made of."""

    name = models.CharField(_("name"), max_length=60)
    site = models.ForeignKey(
        "masterdata.Site", verbose_name=_("site"), on_delete=models.PROTECT, related_name="+"
    )
    # Where it stands; whoever signs in finds that unit's work.
    work_unit = models.ForeignKey(
        "masterdata.WorkUnit",
        verbose_name=_("work unit"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    digest = models.CharField(max_length=64, unique=True)
    registered_at = models.DateTimeField()
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_seen_at = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)
    # Wrong sign-ins in a row, whoever tried; too many lock the device for a while.
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Badge(models.Model):
    """What a person signs in with on a terminal: a badge to scan, or number and PIN."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    number = models.CharField(_("number"), max_length=12, unique=True)
    # Keyed hash of what the scanner reads; null without a badge.
    digest = models.CharField(max_length=64, unique=True, null=True)
    # Of Django's password hashers; empty without a PIN.
    pin = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    issued_at = models.DateTimeField()
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    last_terminal = models.ForeignKey(
        Terminal, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number__regex=r"^[0-9]+$"),
                name="%(app_label)s_%(class)s_number_is_digits",
            ),
            models.CheckConstraint(
                condition=Q(digest__isnull=False) | ~Q(pin=""),
                name="%(app_label)s_%(class)s_opens_something",
            ),
        ]

    def __str__(self) -> str:
        return self.number
