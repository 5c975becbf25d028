"""Forms of the master data."""

from masterdata.forms.calendars import CalendarForm
from masterdata.forms.records import (
    CustomerForm,
    ItemForm,
    PriceForm,
    SiteForm,
    SupplierForm,
    WorkCenterForm,
    WorkUnitForm,
)
from masterdata.forms.rows import (
    BomLineFormSet,
    ExceptionFormSet,
    OperationFormSet,
    RateFormSet,
    RevisionForm,
    Rows,
)
from masterdata.forms.uploads import UploadForm

__all__ = [
    "BomLineFormSet",
    "CalendarForm",
    "CustomerForm",
    "ExceptionFormSet",
    "ItemForm",
    "OperationFormSet",
    "PriceForm",
    "RateFormSet",
    "RevisionForm",
    "Rows",
    "SiteForm",
    "SupplierForm",
    "UploadForm",
    "WorkCenterForm",
    "WorkUnitForm",
]
