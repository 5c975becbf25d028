"""Pages of after-sales; part of the namespace ``crm``."""

from django.urls import path

from crm.views import (
    rmas,
    ticket_actions,
    ticket_overview,
    ticket_reports,
    ticket_settings,
    tickets,
)

TICKETS = [
    path("", tickets.ticket_list, name="tickets"),
    path("overview/", ticket_overview.overview, name="ticket-overview"),
    path("new/", tickets.ticket_create, name="ticket-create"),
    path("lookup/", tickets.ticket_lookup, name="ticket-lookup"),
    path("customers/", tickets.customer_lookup, name="ticket-customers"),
    path("mail/", tickets.mail_import, name="ticket-mail"),
    path("alerts/", ticket_settings.cluster_list, name="ticket-clusters"),
    path("alerts/<int:pk>/", ticket_settings.cluster_detail, name="ticket-cluster"),
    path("alerts/<int:pk>/settle/", ticket_settings.cluster_settle, name="ticket-cluster-settle"),
    path("settings/", ticket_settings.settings_page, name="ticket-settings"),
    path("settings/times/", ticket_settings.target_set, name="ticket-target-set"),
    path("settings/access/", ticket_settings.access_set, name="ticket-access-set"),
    path(
        "settings/symptoms/new/",
        ticket_settings.row_edit,
        {"kind": "symptom"},
        name="ticket-symptom-create",
    ),
    path(
        "settings/symptoms/<int:pk>/",
        ticket_settings.row_edit,
        {"kind": "symptom"},
        name="ticket-symptom-edit",
    ),
    path(
        "settings/texts/new/",
        ticket_settings.row_edit,
        {"kind": "macro"},
        name="ticket-macro-create",
    ),
    path(
        "settings/texts/<int:pk>/",
        ticket_settings.row_edit,
        {"kind": "macro"},
        name="ticket-macro-edit",
    ),
    path("<str:number>/", tickets.ticket_detail, name="ticket"),
    path("<str:number>/describe/", ticket_actions.ticket_describe, name="ticket-describe"),
    path("<str:number>/reply/", ticket_actions.ticket_reply, name="ticket-reply"),
    path("<str:number>/note/", ticket_actions.ticket_note, name="ticket-note"),
    path("<str:number>/take/", ticket_actions.ticket_take, name="ticket-take"),
    path("<str:number>/move/<slug:step>/", ticket_actions.ticket_move, name="ticket-move"),
    path("<str:number>/warranty/", ticket_actions.ticket_warranty, name="ticket-warranty"),
    path("<str:number>/freeze/", ticket_actions.ticket_freeze, name="ticket-freeze"),
    path(
        "<str:number>/lists/<int:pk>/",
        ticket_actions.ticket_evidence_file,
        name="ticket-evidence",
    ),
    path("<str:number>/photos/<int:pk>/", ticket_actions.ticket_photo, name="ticket-photo"),
    path("<str:number>/return/", rmas.rma_request, name="rma-request"),
    path("<str:number>/report/", ticket_reports.report_send, name="report-send"),
    path("<str:number>/report/preview.pdf", ticket_reports.report_preview, name="report-preview"),
    path("<str:number>/reports/<str:report>.pdf", ticket_reports.report_pdf, name="report-pdf"),
    path(
        "<str:number>/reports/<str:report>/share/",
        ticket_reports.report_share,
        name="report-share",
    ),
    path("<str:number>/links/<int:pk>/revoke/", ticket_reports.share_revoke, name="share-revoke"),
]
RETURNS = [
    path("", rmas.rma_list, name="rma-list"),
    path("<str:number>/", rmas.rma_detail, name="rma"),
    path("<str:number>/decide/<slug:step>/", rmas.rma_decide, name="rma-decide"),
    path("<str:number>/handle/<slug:step>/", rmas.rma_handle, name="rma-handle"),
]
# Open to whoever has the address.
REPORTS = [
    path("verify/<str:code>/", ticket_reports.report_verify, name="report-verify"),
    path("shared/<str:secret>/", ticket_reports.report_shared, name="report-shared"),
]
