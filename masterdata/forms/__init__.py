"""Forms of the master data."""

from masterdata.forms.calendars import CalendarForm
from masterdata.forms.matrix import MatrixForm, posted_families
from masterdata.forms.money import ExchangeRateForm
from masterdata.forms.records import (
    CustomerForm,
    ItemForm,
    PriceForm,
    SiteForm,
    SkillForm,
    SupplierForm,
    ToolForm,
    WorkCenterForm,
    WorkUnitForm,
)
from masterdata.forms.rows import (
    BomLineFormSet,
    CheckFormSet,
    CrewFormSet,
    ExceptionFormSet,
    OperationFormSet,
    RateFormSet,
    RevisionForm,
    Rows,
)
from masterdata.forms.uploads import UploadForm

__all__ = [
    "BomLineFormSet",
    "CheckFormSet",
    "CalendarForm",
    "CrewFormSet",
    "CustomerForm",
    "ExceptionFormSet",
    "ExchangeRateForm",
    "ItemForm",
    "MatrixForm",
    "OperationFormSet",
    "PriceForm",
    "RateFormSet",
    "RevisionForm",
    "Rows",
    "SiteForm",
    "SkillForm",
    "SupplierForm",
    "ToolForm",
    "UploadForm",
    "WorkCenterForm",
    "WorkUnitForm",
    "posted_families",
]
