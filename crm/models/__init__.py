from crm.models.containment import Containment, DrillResult, RecallDrill
from crm.models.notice import DelayNotice, DelayNoticeAttempt, NoticeRule
from crm.models.order import BulkApproval, Conversion, SalesOrder, SalesOrderLine
from crm.models.promise import Milestone, Projection, PromiseRevision
from crm.models.report import ReportAccess, ReportShare, TraceReport
from crm.models.rma import Rma
from crm.models.rush import RushRequest
from crm.models.shipment import Shipment, ShipmentLine
from crm.models.ticket import (
    Ticket,
    TicketCluster,
    TicketEvidence,
    TicketMacro,
    TicketMailAttempt,
    TicketMessage,
    TicketPhoto,
    TicketSymptom,
    TicketTarget,
    TicketTrait,
)

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
    "ReportAccess",
    "ReportShare",
    "Rma",
    "RushRequest",
    "SalesOrder",
    "SalesOrderLine",
    "Shipment",
    "ShipmentLine",
    "Ticket",
    "TicketCluster",
    "TicketEvidence",
    "TicketMacro",
    "TicketMailAttempt",
    "TicketMessage",
    "TicketPhoto",
    "TicketSymptom",
    "TicketTarget",
    "TicketTrait",
    "TraceReport",
]
