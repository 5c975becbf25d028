from crm.models.containment import Containment, DrillResult, RecallDrill
from crm.models.notice import DelayNotice, DelayNoticeAttempt, NoticeRule
from crm.models.order import BulkApproval, Conversion, SalesOrder, SalesOrderLine
from crm.models.promise import Milestone, Projection, PromiseRevision
from crm.models.rush import RushRequest
from crm.models.shipment import Shipment, ShipmentLine

__all__ = [
    "BulkApproval",
    "Containment",
    "Conversion",
    "DelayNotice",
    "DelayNoticeAttempt",
    "DrillResult",
    "Milestone",
    "NoticeRule",
    "Projection",
    "PromiseRevision",
    "RecallDrill",
    "RushRequest",
    "SalesOrder",
    "SalesOrderLine",
    "Shipment",
    "ShipmentLine",
]
