"""The audit trail for administrators and managers."""

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common import audit_words, selectors
from common.access import AuthenticatedRequest, requires

PAGE_SIZE = 100


@requires("common.view_audit")
@require_safe
def audit_list(request: AuthenticatedRequest) -> HttpResponse:
    """Who changed what, newest first; ``q`` looks in action (sentence or code), object, person."""
    entries = selectors.audit_entries()
    words = request.GET.get("q", "").replace("\x00", "").strip()
    for word in words.split():
        entries = entries.filter(
            Q(action__icontains=word)
            | Q(action__in=audit_words.matching(word))
            | Q(target_label__icontains=word)
            | Q(actor_label__icontains=word)
        )
    page = Paginator(entries, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "common/audit_list.html", {"page": page, "q": words})
