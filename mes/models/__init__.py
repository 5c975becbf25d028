from mes.models.andon import (
    AndonCall,
    AndonRule,
    Downtime,
    DowntimeReason,
    Incident,
    IncidentEntry,
)
from mes.models.machine import MachineBacklog, MachineEvent, MachineState
from mes.models.operation import OperationReport, OperationUnit, WorkOrderOperation
from mes.models.work_order import WorkOrder, WorkOrderMaterial, WorkOrderPeg

__all__ = [
    "AndonCall",
    "AndonRule",
    "Downtime",
    "DowntimeReason",
    "Incident",
    "IncidentEntry",
    "MachineBacklog",
    "MachineEvent",
    "MachineState",
    "OperationReport",
    "OperationUnit",
    "WorkOrder",
    "WorkOrderMaterial",
    "WorkOrderOperation",
    "WorkOrderPeg",
]
