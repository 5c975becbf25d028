"""What operations share besides machines: people with a skill, and tools."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from common.models import BilingualName


class Skill(BilingualName):
    """What somebody has learned; operations name it, crews bring it (ISA-95: personnel class)."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    # Counts edits, those of its crews too; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("skill")

    def __str__(self) -> str:
        return self.code


class Crew(models.Model):
    """So many people of a skill at a site while the calendar works: a shift's people."""

    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="crews")
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    calendar = models.ForeignKey("masterdata.Calendar", on_delete=models.PROTECT, related_name="+")
    people = models.IntegerField(_("people"))

    class Meta:
        verbose_name = _("crew")
        constraints = [
            models.UniqueConstraint(
                fields=["skill", "site", "calendar"], name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(people__gte=1), name="%(app_label)s_%(class)s_has_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill_id} {self.site_id} {self.calendar_id}"


class Tool(BilingualName):
    """A tool or fixture of which a site has so many; an operation holds one from start to end."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    quantity = models.IntegerField(_("quantity"), default=1)
    is_active = models.BooleanField(_("active"), default=True)
    # Counts edits; a form that was opened with an older one is stale.
    version = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("tool")
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=1), name="%(app_label)s_%(class)s_is_there"
            )
        ]

    def __str__(self) -> str:
        return self.code
