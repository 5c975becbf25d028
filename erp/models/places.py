"""Where things lie: warehouses of a site and their bins."""

from django.db import models

from common.models import BilingualName
from erp.enums import BinKind


class Warehouse(BilingualName):
    """A store of a site. Each site has one from the start."""

    site = models.ForeignKey("masterdata.Site", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "code"], name="%(app_label)s_%(class)s_once_per_site"
            )
        ]

    def __str__(self) -> str:
        return self.code


class Bin(models.Model):
    """A place in a warehouse that has a label to scan; its kind says what it is for."""

    warehouse = models.ForeignKey(Warehouse, on_delete=models.PROTECT, related_name="bins")
    code = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=BinKind)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["warehouse", "code"], name="%(app_label)s_%(class)s_once_per_warehouse"
            )
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def label(self) -> str:
        """With its warehouse, as it is written on the place."""
        return f"{self.warehouse.code}/{self.code}"
