"""Which thing it is: lots and serial units, and the holds that lie on them."""

from django.conf import settings
from django.db import models
from django.db.models import Func, Q, Value
from django.db.models.functions import Upper

from traceability.enums import FIRST_KIT_ID, FIRST_UNIT_ID, IdentityState


def compared(column: str) -> Upper:
    """What of a number is compared: upper case, letters and digits only."""
    pattern = (Value("[^0-9A-Za-z]"), Value(""), Value("g"))
    return Upper(Func(column, *pattern, function="regexp_replace"))


class Identity(models.Model):
    """A number that is given once per item, for life, and what is known of what carries it.

    The id comes from a sequence of the kind's own (lots from 1, kits from 2^40, units from 2^41),
    so that one graph can hold them all.
    """

    id = models.BigAutoField(primary_key=True)
    # Found by the index of its numbers, which begins with the item.
    item = models.ForeignKey(
        "masterdata.Item", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    number = models.CharField(max_length=60)
    # What is compared: upper case, letters and digits only; the database derives it.
    number_norm = models.GeneratedField(
        expression=compared("number"),
        output_field=models.CharField(max_length=60),
        db_persist=True,
    )
    supplier = models.ForeignKey(
        "masterdata.Supplier",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    supplier_lot = models.CharField(max_length=60, blank=True)
    # The last day on which it may be used; null: it keeps.
    expires_on = models.DateField(null=True)
    made_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=IdentityState, default=IdentityState.IN_PROCESS)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number


class Lot(Identity):
    """A quantity of an item that was made or delivered together (ISA-95: material lot)."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "number_norm"], name="%(app_label)s_%(class)s_once_per_item"
            ),
            models.CheckConstraint(
                condition=~Q(number_norm=""), name="%(app_label)s_%(class)s_has_a_number"
            ),
            models.CheckConstraint(
                condition=Q(id__gte=1, id__lt=FIRST_KIT_ID),
                name="%(app_label)s_%(class)s_id_tells_the_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["number_norm"], name="lot_number_norm"),
            models.Index(fields=["supplier", "supplier_lot"], name="lot_supplier_lot"),
            models.Index(
                compared("supplier_lot"), condition=~Q(supplier_lot=""), name="lot_suppliers_number"
            ),
        ]


class SerialUnit(Identity):
    """One piece with a serial number of its own.

    Where it is now stands here in one row: ``host``, the unit that contains it, and ``document``,
    by which it last changed hands. How it came to that is in the ledger.
    """

    host = models.ForeignKey(
        "self", null=True, on_delete=models.DO_NOTHING, related_name="parts", db_index=False
    )
    document = models.ForeignKey(
        "traceability.Document",
        null=True,
        on_delete=models.PROTECT,
        related_name="units",
        db_index=False,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "number_norm"], name="%(app_label)s_%(class)s_once_per_item"
            ),
            models.CheckConstraint(
                condition=~Q(number_norm=""), name="%(app_label)s_%(class)s_has_a_number"
            ),
            models.CheckConstraint(
                condition=Q(id__gte=FIRST_UNIT_ID),
                name="%(app_label)s_%(class)s_id_tells_the_kind",
            ),
        ]
        indexes = [
            models.Index(fields=["number_norm"], name="serialunit_number_norm"),
            # A unit that is made has none of them: each would cost a write for nothing.
            *(
                models.Index(
                    fields=[name],
                    condition=Q(**{f"{name}__isnull": False}),
                    name=f"serialunit_{name}",
                )
                for name in ("supplier", "host", "document")
            ),
            # The units that were made before and after one, of the same item.
            models.Index(fields=["item", "id"], name="serialunit_in_order"),
            models.Index(
                compared("supplier_lot"),
                condition=~Q(supplier_lot=""),
                name="unit_suppliers_number",
            ),
        ]


class Hold(models.Model):
    """Why a lot or a unit is kept from everybody; several may lie on one, all must be lifted."""

    lot = models.ForeignKey(Lot, null=True, on_delete=models.PROTECT, related_name="holds")
    unit = models.ForeignKey(SerialUnit, null=True, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=200)
    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    release_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lot__isnull=True, unit__isnull=False)
                | Q(lot__isnull=False, unit__isnull=True),
                name="%(app_label)s_%(class)s_lies_on_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | ~Q(release_reason=""),
                name="%(app_label)s_%(class)s_release_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.reason
