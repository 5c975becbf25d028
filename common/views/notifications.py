"""The bell: what one was told."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from common import notifications, selectors
from common.access import AuthenticatedRequest, requires

PAGE_SIZE = 50


@requires("common.use_account")
@require_safe
def notification_list(request: AuthenticatedRequest) -> HttpResponse:
    """One's notifications, newest first."""
    pages = Paginator(selectors.notifications(user=request.user), PAGE_SIZE)
    page = pages.get_page(request.GET.get("page"))
    rows = [(row, notifications.text(row)) for row in page.object_list]
    return render(request, "common/notification_list.html", {"page": page, "rows": rows})


@requires("common.use_account")
@require_POST
def notification_read(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Mark one as read and go where it leads."""
    row = get_object_or_404(selectors.notifications(user=request.user), pk=pk)
    notifications.mark_read(user=request.user, now=timezone.now(), notification_id=row.pk)
    if url_has_allowed_host_and_scheme(row.url, allowed_hosts={request.get_host()}):
        return redirect(row.url)
    return redirect(reverse("common:notification-list"))


@requires("common.use_account")
@require_POST
def notification_read_all(request: AuthenticatedRequest) -> HttpResponse:
    """Mark all as read."""
    notifications.mark_read(user=request.user, now=timezone.now())
    return redirect(reverse("common:notification-list"))
