"""What people call the actions of the audit trail: "approved the order", in the reader's language.

The codes are what is stored and searched; an action that has no sentence of its own is told by its
verb, and one that nobody has words for by its code.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Promise] = {
    "aps.lock.drop": _("dropped a lock that cannot be kept"),
    "aps.lock.keep_out": _("took the operation off the plan"),
    "aps.lock.put": _("locked the operation"),
    "aps.lock.release": _("unlocked the operation"),
    "aps.plan.settings": _("changed the settings of planning"),
    "aps.run.publish": _("published a schedule"),
    "aps.run.request": _("asked for a new schedule"),
    "aps.scenario.change": _("changed the scenario"),
    "aps.scenario.create": _("began a scenario"),
    "aps.scenario.rebase": _("computed the scenario on the current plan"),
    "aps.scenario.reject": _("discarded the scenario"),
    "common.job.cancel": _("called a background job off"),
    "common.job.replay": _("ran a background job again"),
    "common.user.change": _("changed the user"),
    "common.user.create": _("created the user"),
    "common.user.create_token": _("made an API token"),
    "common.user.set_password": _("set a password"),
    "crm.demo.load": _("loaded the demo factory"),
    "crm.order.approve": _("approved the order"),
    "crm.order.cancel": _("cancelled the order"),
    "crm.order.change_quantity": _("changed a quantity"),
    "crm.order.create": _("entered the order"),
    "crm.order.edit": _("changed the lines"),
    "crm.order.hold": _("put the order on hold"),
    "crm.order.import": _("imported the order"),
    "crm.order.reject": _("sent the order back"),
    "crm.order.resume": _("took the order off hold"),
    "crm.order.retry_conversion": _("tried the failed lines again"),
    "crm.order.submit": _("submitted the order"),
    "crm.rush.apply": _("applied the rush"),
    "crm.rush.approve": _("approved the rush"),
    "crm.rush.cancel": _("withdrew the rush"),
    "crm.rush.reject": _("declined the rush"),
    "crm.rush.request": _("asked for a rush"),
    "crm.rush.simulate_anew": _("simulated the rush anew"),
    "crm.rush.submit": _("sent the rush for approval"),
    "crm.shipment.deliver": _("noted the delivery"),
    "crm.shipment.post": _("posted a shipment"),
    "erp.mrp_run.request": _("asked for planning of requirements"),
    "erp.proposal.accept": _("accepted the proposal"),
    "erp.proposal.carry_out": _("carried the proposal out"),
    "erp.proposal.override": _("decided otherwise than planning proposed"),
    "erp.proposal.refuse": _("could not carry the proposal out"),
    "erp.purchase_order.approve": _("approved the purchase order"),
    "erp.purchase_order.cancel": _("cancelled the purchase order"),
    "erp.purchase_order.change_line": _("changed a line of the purchase order"),
    "erp.purchase_order.close": _("closed the purchase order"),
    "erp.purchase_order.confirm": _("noted what the supplier promises"),
    "erp.purchase_order.draft": _("drafted the purchase order"),
    "erp.purchase_order.import": _("imported the purchase order"),
    "erp.purchase_order.order": _("ordered from the supplier"),
    "erp.purchase_order.receive": _("received goods"),
    "erp.purchase_order.remove_line": _("removed a line of the purchase order"),
    "erp.purchase_order.return": _("sent goods back to the supplier"),
    "erp.purchase_order.send": _("sent the purchase order"),
    "erp.purchase_order.send_back": _("sent the purchase order back to its buyer"),
    "erp.purchase_order.submit": _("asked for approval of the purchase order"),
    "erp.purchase_order.wish": _("noted the day that planning wants"),
    "erp.stock.adjust": _("corrected the stock"),
    "erp.stock.receive": _("put goods into stock"),
    "erp.stock.set_opening": _("entered the opening stock"),
    "erp.supply_rule.save": _("changed the rules of planning and purchasing"),
    "masterdata.changeovers.save": _("changed the changeover times"),
    "masterdata.crews.save": _("changed the crews"),
    "masterdata.work_unit.close": _("closed the machine for a time"),
    "masterdata.work_unit.open": _("opened the machine for overtime"),
    "masterdata.work_unit.ordinary": _("let the machine keep to its calendar again"),
    "mes.operation.finish": _("finished the operation"),
    "mes.operation.interrupt": _("interrupted the operation"),
    "mes.operation.report": _("reported pieces"),
    "mes.operation.resume": _("went on with the operation"),
    "mes.operation.start": _("started the operation"),
    "mes.work_order.cancel": _("cancelled the work order"),
    "mes.work_order.complete": _("completed the work order"),
    "mes.work_order.grow": _("made the work order larger"),
    "mes.work_order.hold": _("put the work order on hold"),
    "mes.work_order.move_due": _("made the work order due on another day"),
    "mes.work_order.plan": _("planned the work order"),
    "mes.work_order.prioritise": _("gave the work order another priority"),
    "mes.work_order.reduce": _("made the work order smaller"),
    "mes.work_order.release": _("released the work order"),
    "mes.work_order.replan_failed": _("could not plan what is missing"),
    "mes.work_order.resume": _("took the work order off hold"),
}
VERBS: dict[str, Promise] = {
    "activate": _("activated it"),
    "add": _("added it"),
    "change": _("changed it"),
    "create": _("created it"),
    "deactivate": _("deactivated it"),
    "delete": _("deleted it"),
    "edit": _("changed it"),
    "import": _("imported it"),
    "save": _("saved it"),
}


def said(action: str) -> str:
    """The action in the active language."""
    sentence = SENTENCES.get(action) or VERBS.get(action.rpartition(".")[2])
    return str(sentence) if sentence else action


def matching(word: str) -> list[str]:
    """The codes whose sentence in the active language holds the word."""
    wanted = word.casefold()
    return [code for code, sentence in SENTENCES.items() if wanted in str(sentence).casefold()]
