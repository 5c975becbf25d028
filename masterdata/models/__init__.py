from masterdata.models.calendar import Calendar, CalendarException, Shift, UnitException
from masterdata.models.item import Bom, BomLine, Item
from masterdata.models.partner import Customer, CustomerUser, Supplier, SupplierPrice
from masterdata.models.plant import CostRate, Site, WorkCenter, WorkUnit
from masterdata.models.routing import OperationAlternative, Routing, RoutingOperation
from masterdata.models.upload import ImportUpload

__all__ = [
    "Bom",
    "BomLine",
    "Calendar",
    "CalendarException",
    "CostRate",
    "Customer",
    "CustomerUser",
    "ImportUpload",
    "Item",
    "OperationAlternative",
    "Routing",
    "RoutingOperation",
    "Shift",
    "Site",
    "Supplier",
    "SupplierPrice",
    "UnitException",
    "WorkCenter",
    "WorkUnit",
]
