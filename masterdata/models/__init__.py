from masterdata.models.calendar import Calendar, CalendarException, Shift, UnitException
from masterdata.models.check import OperationCheck
from masterdata.models.item import Bom, BomLine, Item
from masterdata.models.money import ExchangeRate
from masterdata.models.partner import Customer, CustomerUser, Supplier, SupplierPrice
from masterdata.models.plant import Changeover, CostRate, Site, WorkCenter, WorkUnit
from masterdata.models.routing import OperationAlternative, Routing, RoutingOperation
from masterdata.models.shared import Crew, Skill, Tool
from masterdata.models.upload import ImportUpload

__all__ = [
    "Bom",
    "BomLine",
    "Calendar",
    "CalendarException",
    "Changeover",
    "CostRate",
    "Crew",
    "Customer",
    "CustomerUser",
    "ExchangeRate",
    "ImportUpload",
    "Item",
    "OperationAlternative",
    "OperationCheck",
    "Routing",
    "RoutingOperation",
    "Shift",
    "Site",
    "Skill",
    "Supplier",
    "SupplierPrice",
    "Tool",
    "UnitException",
    "WorkCenter",
    "WorkUnit",
]
