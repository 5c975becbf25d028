"""Who may do what: one table from permission code to roles.

A code is ``<app>.<verb>_<noun>``. Whoever adds a view adds its row here; a code that is not in
the table raises, so a typing error cannot open a door. Administrators hold every right except
the portal's, which belongs to customers alone; ``_row`` adds them.
"""

from django.contrib.auth.models import AnonymousUser

from common.enums import Role
from common.models import User

STAFF = frozenset(Role) - {Role.CUSTOMER}
PORTAL = frozenset({Role.CUSTOMER})
EVERYONE = frozenset(Role)


def _row(*roles: Role) -> frozenset[Role]:
    return frozenset({*roles, Role.ADMINISTRATOR})


_ORDER_READERS = _row(
    Role.SALES,
    Role.PLANNER,
    Role.SUPERVISOR,
    Role.PURCHASING,
    Role.WAREHOUSE,
    Role.QUALITY,
    Role.AFTER_SALES,
    Role.MANAGER,
)

PERMISSIONS: dict[str, frozenset[Role]] = {
    # One's own account: home, language, password, second factor, notifications.
    "common.use_account": EVERYONE,
    "common.use": STAFF,
    "common.manage_jobs": _row(),
    "common.manage_users": _row(),
    "common.view_audit": _row(Role.MANAGER),
    "common.view_schema": EVERYONE,
    "masterdata.view": STAFF,
    "masterdata.edit": _row(Role.PLANNER),
    "masterdata.edit_customer": _row(Role.PLANNER, Role.SALES),
    "masterdata.edit_supplier": _row(Role.PLANNER, Role.PURCHASING),
    "masterdata.import": _row(),
    "erp.view_stock": STAFF - {Role.OPERATOR},
    "erp.receive_stock": _row(Role.WAREHOUSE),
    "erp.adjust_stock": _row(Role.WAREHOUSE),
    "erp.view_purchasing": _row(
        Role.PURCHASING, Role.PLANNER, Role.WAREHOUSE, Role.QUALITY, Role.MANAGER
    ),
    "erp.edit_purchase_order": _row(Role.PURCHASING),
    "erp.approve_purchase_order": _row(Role.PURCHASING, Role.MANAGER),
    "erp.view_planning": _row(Role.PLANNER, Role.PURCHASING, Role.MANAGER),
    "erp.plan_supply": _row(Role.PLANNER, Role.PURCHASING),
    "erp.move_stock": _row(Role.WAREHOUSE),
    # From bin to bin of a site; out of quarantine it takes erp.release_hold besides.
    "erp.relocate_stock": _row(Role.WAREHOUSE, Role.QUALITY),
    "erp.count_stock": _row(Role.WAREHOUSE),
    # Of what leaves quarantine by a count, whoever holds erp.release_hold besides.
    "erp.approve_count": _row(Role.WAREHOUSE, Role.MANAGER, Role.QUALITY),
    "erp.hold_stock": _row(Role.WAREHOUSE, Role.QUALITY, Role.SUPERVISOR),
    "erp.release_hold": _row(Role.QUALITY),
    "erp.view_cost": _row(Role.MANAGER, Role.PURCHASING, Role.PLANNER),
    "mes.view_work_order": STAFF,
    "mes.view_dispatch": STAFF,
    "mes.release_work_order": _row(Role.PLANNER, Role.SUPERVISOR),
    "mes.close_work_order": _row(Role.PLANNER, Role.MANAGER),
    "mes.execute_operation": _row(Role.OPERATOR, Role.SUPERVISOR),
    # Registering devices, issuing badges and PINs.
    "mes.manage_floor": _row(Role.SUPERVISOR),
    # The tiles of reasons on the terminal, and why machines stand.
    "mes.manage_reasons": _row(Role.SUPERVISOR, Role.MANAGER),
    # Who is told of a call, and who next while nobody answers.
    "mes.manage_andon": _row(Role.MANAGER),
    # What to do with a measured value outside its limits.
    "mes.decide_check": _row(Role.SUPERVISOR, Role.QUALITY),
    # Lets work start though its pieces waited longer than the routing allows.
    "mes.overrule_wait": _row(Role.SUPERVISOR),
    # Any time; the own last report, at once, whoever made it.
    "mes.undo_report": _row(Role.SUPERVISOR),
    "mes.view_andon": STAFF,
    "mes.raise_andon": _row(
        Role.OPERATOR, Role.SUPERVISOR, Role.PLANNER, Role.QUALITY, Role.WAREHOUSE
    ),
    "mes.answer_andon": _row(
        Role.SUPERVISOR, Role.PLANNER, Role.QUALITY, Role.WAREHOUSE, Role.PURCHASING, Role.MANAGER
    ),
    # A machine is down, until when, and runs again.
    "mes.report_breakdown": _row(Role.OPERATOR, Role.SUPERVISOR, Role.PLANNER),
    "mes.send_machine_events": _row(Role.OPERATOR, Role.SUPERVISOR),
    # Nonconformances and 8Ds: reading, reporting one, working on it.
    "mes.view_quality": STAFF,
    "mes.report_nonconformance": _row(
        Role.OPERATOR, Role.SUPERVISOR, Role.QUALITY, Role.WAREHOUSE, Role.AFTER_SALES
    ),
    "mes.manage_quality": _row(Role.QUALITY),
    # Another person than who did it says that it is well.
    "mes.verify_quality": _row(Role.QUALITY, Role.SUPERVISOR, Role.MANAGER),
    "mes.approve_concession": _row(Role.QUALITY, Role.MANAGER),
    # Sends requests to suppliers and notes what they answer.
    "mes.answer_supplier_request": _row(Role.QUALITY, Role.PURCHASING),
    # Work on machines: reading, planning it, doing it (parts, time, what was done).
    "mes.view_maintenance": _row(
        Role.OPERATOR,
        Role.SUPERVISOR,
        Role.PLANNER,
        Role.QUALITY,
        Role.PURCHASING,
        Role.WAREHOUSE,
        Role.MANAGER,
    ),
    "mes.plan_maintenance": _row(Role.SUPERVISOR, Role.PLANNER, Role.QUALITY),
    "mes.do_maintenance": _row(Role.OPERATOR, Role.SUPERVISOR),
    "mes.view_oee": _row(Role.MANAGER, Role.SUPERVISOR, Role.PLANNER),
    "aps.view_schedule": STAFF - {Role.OPERATOR},
    "aps.plan": _row(Role.PLANNER),
    "crm.view_order": _ORDER_READERS,
    "crm.view_notice": _row(Role.SALES, Role.PLANNER, Role.SUPERVISOR, Role.MANAGER),
    "crm.send_notice": _row(Role.SALES),
    "crm.edit_order": _row(Role.SALES),
    "crm.submit_order": _row(Role.SALES),
    "crm.approve_order": _row(Role.SALES, Role.MANAGER),
    "crm.hold_order": _row(Role.SALES, Role.PLANNER, Role.MANAGER),
    "crm.cancel_order": _row(Role.SALES, Role.MANAGER),
    "crm.check_promise": _row(Role.SALES, Role.PLANNER, Role.MANAGER),
    "crm.request_rush": _row(Role.SALES, Role.PLANNER),
    "crm.decide_rush": _row(Role.PLANNER, Role.SUPERVISOR),
    "crm.ship": _row(Role.WAREHOUSE),
    "crm.deliver": _row(Role.WAREHOUSE, Role.SALES),
    # The life of a lot or unit, what a cause reached, and recall drills.
    "crm.view_trace": _row(Role.AFTER_SALES, Role.QUALITY, Role.MANAGER),
    # Who stood at the machine, by name; others see a number (common.people).
    "crm.view_operator": _row(Role.QUALITY, Role.MANAGER, Role.SUPERVISOR),
    # All that a cause reached, with one click; lifting it takes erp.release_hold.
    "crm.contain": _row(Role.AFTER_SALES, Role.QUALITY),
    # Events that others recorded of what they deliver.
    "crm.import_trace": _row(Role.QUALITY, Role.PURCHASING),
    "crm.run_drill": _row(Role.AFTER_SALES, Role.QUALITY, Role.MANAGER),
    "crm.view_ticket": _row(
        Role.AFTER_SALES, Role.QUALITY, Role.SALES, Role.SUPERVISOR, Role.MANAGER
    ),
    "crm.edit_ticket": _row(Role.AFTER_SALES, Role.QUALITY),
    # Also: replies to the customer, and the report on a product's history.
    "crm.answer_ticket": _row(Role.AFTER_SALES),
    "crm.decide_return": _row(Role.AFTER_SALES, Role.MANAGER),
    "crm.handle_return": _row(Role.AFTER_SALES, Role.WAREHOUSE, Role.QUALITY),
    # Symptoms, texts, times, and who is told how much.
    "crm.manage_tickets": _row(Role.AFTER_SALES, Role.MANAGER),
    "portal.view": PORTAL,
}


# What a session may do at most, whatever roles its user holds. A badge that lies on a table opens
# the floor and nothing else.
LIMITS: dict[str, frozenset[str]] = {
    "floor": frozenset(
        {
            "common.use",
            "mes.view_dispatch",
            "mes.view_work_order",
            "mes.execute_operation",
            "mes.overrule_wait",
            "mes.undo_report",
            "mes.decide_check",
            "mes.view_andon",
            "mes.raise_andon",
            "mes.answer_andon",
            "mes.report_breakdown",
        }
    ),
}


def allowed(user: User | AnonymousUser | None, code: str) -> bool:
    """Whether roles and session of the user hold the right; raises KeyError for an unknown code."""
    roles = PERMISSIONS[code]
    if not isinstance(user, User) or not user.is_active:
        return False
    if user.limit and code not in LIMITS[user.limit]:
        return False
    return not roles.isdisjoint(user.roles)
