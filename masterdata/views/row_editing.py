"""What the pages of a record's rows share (crews, rates): show them, save all, or say why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from common.access import AuthenticatedRequest
from common.errors import Refused
from common.permissions import allowed
from masterdata.forms import Rows
from masterdata.models import Skill, WorkCenter
from masterdata.views import editing


@dataclass(frozen=True)
class RowPage:
    """How the rows of one record are shown and saved."""

    record: Skill | WorkCenter
    title: str
    # Extends rows_form.html with the columns, and what stands beside the button for one more row.
    template: str
    row_template: str
    # Takes the kept rows and, by name: version, by, now. Raises Refused.
    save: Callable[..., object]
    saved: str
    # The page of the record.
    record_url: str


def edit(request: AuthenticatedRequest, rows: Rows, page: RowPage) -> HttpResponse:
    """Show the rows, or write what was typed and go back to the record."""
    error = ""
    if request.method == "POST" and rows.is_valid():
        try:
            page.save(
                rows.kept(), version=editing.opened(request), by=request.user, now=timezone.now()
            )
        except Refused as refusal:
            error = str(refusal)
        else:
            messages.success(request, page.saved)
            return redirect(page.record_url)
    return _show(request, rows, page, error)


def _show(request: AuthenticatedRequest, rows: Rows, page: RowPage, error: str) -> HttpResponse:
    is_bad = request.method == "POST"
    list_url, list_label = editing.LISTS[type(page.record)]
    context: dict[str, Any] = {
        "page": page,
        "rows": rows,
        "error": error,
        "list_url": list_url,
        "list_label": list_label,
        "version": editing.opened(request) if is_bad else page.record.version,
        "can_save": allowed(request.user, "masterdata.edit"),
    }
    status = editing.HTTP_UNPROCESSABLE if is_bad else 200
    return render(request, page.template, context, status=status)
