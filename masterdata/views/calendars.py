"""The page of a calendar: its week as a picture, its exceptions, and what they come to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from masterdata.forms import CalendarForm, ExceptionFormSet, Rows
from masterdata.models import Calendar, CalendarException
from masterdata.selectors import pages
from masterdata.services import calendar_proposals, calendar_records, calendars
from masterdata.services.calendar_records import ExceptionLine
from masterdata.services.previews import WeekPreview, preview
from masterdata.views.editing import HTTP_UNPROCESSABLE


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def calendar_create(request: AuthenticatedRequest) -> HttpResponse:
    return _page(request, Calendar(), _("New calendar"))


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def calendar_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """The calendar; ``act=preview`` answers with the picture of what is typed, unsaved.

    ``act=moves`` answers with what planning needs to show what would move; nothing is saved.
    """
    shown = CalendarException.objects.filter(ends_at__gt=timezone.now()).order_by("starts_at")
    rules = Prefetch("exceptions", queryset=shown, to_attr="coming")
    found = Calendar.objects.prefetch_related("shifts", rules)
    return _page(request, get_object_or_404(found, code=code), code)


def _page(request: AuthenticatedRequest, calendar: Calendar, title: str) -> HttpResponse:
    is_bound = request.method == "POST"
    coming: list[CalendarException] = getattr(calendar, "coming", [])
    form = CalendarForm(request.POST if is_bound else None, instance=calendar)
    rows = ExceptionFormSet(
        request.POST if is_bound else None, initial=_rows(calendar, coming), prefix="ex"
    )
    is_valid = is_bound and form.is_valid() & rows.is_valid()
    act = request.POST.get("act", "")
    wants_preview = act in ("preview", "moves")
    if is_valid and not wants_preview:
        try:
            saved = _save(request, calendar, form, rows)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("%(code)s is saved.") % {"code": saved.code})
            return redirect("masterdata:calendar-edit", code=saved.code)
    context = {
        "calendar": calendar,
        "form": form,
        "rows": rows,
        "title": title,
        "week": _preview(form, rows, coming),
        "past": pages.past_exceptions(calendar, before=timezone.now()) if calendar.pk else 0,
        "users": pages.users_of(calendar) if calendar.pk else [],
        "can_save": allowed(request.user, "masterdata.edit"),
    }
    if act == "moves" and calendar.pk:
        context |= {"proposal": _proposal(calendar, form, rows) if is_valid else "", "asked": True}
        if request.htmx:  # type: ignore[attr-defined]  # set by its middleware
            return render(request, "masterdata/calendar_form.html#moves", context)
    elif wants_preview and request.htmx:  # type: ignore[attr-defined]  # as above
        return render(request, "masterdata/calendar_form.html#preview", context | {"oob": True})
    status = HTTP_UNPROCESSABLE if is_bound and not wants_preview else 200
    return render(request, "masterdata/calendar_form.html", context, status=status)


def _save(
    request: AuthenticatedRequest, calendar: Calendar, form: CalendarForm, rows: Rows
) -> Calendar:
    values = form.values()
    return calendar_records.save(
        calendar=Calendar.objects.get(pk=calendar.pk) if calendar.pk else Calendar(),
        values=values,
        shifts=form.shifts(),
        exceptions=_lines(rows.kept(), values["time_zone"]),
        removed=_removed(rows),
        version=form.cleaned_data["version"] or 0,
        by=request.user,
        now=timezone.now(),
    )


def _proposal(calendar: Calendar, form: CalendarForm, rows: Rows) -> str:
    """What is typed, as planning reads it, in JSON."""
    zone = form.cleaned_data["time_zone"]
    return json.dumps(
        {"kind": "calendar"}
        | calendar_proposals.written(
            calendar=Calendar.objects.get(pk=calendar.pk),
            version=form.cleaned_data["version"] or 0,
            shifts=form.shifts(),
            exceptions=_lines(rows.kept(), zone),
            removed=sorted(_removed(rows)),
            time_zone=zone,
        )
    )


def _removed(rows: Rows) -> set[int]:
    return {data["pk"] for data in _typed(rows, removed=True) if data.get("pk")}


def _preview(form: CalendarForm, rows: Rows, coming: Iterable[CalendarException]) -> WeekPreview:
    """Of what is typed, as far as it can be read; of what is stored before anybody types."""
    if not form.is_bound:
        shifts = list(form.instance.shifts.all()) if form.instance.pk else []
        return preview(shifts, list(coming), form.instance.time_zone, now=timezone.now())
    zone = form.cleaned_data.get("time_zone") or "UTC"
    lines = _lines([data for data in _typed(rows) if "starts_at" in data], zone)
    exceptions = [
        CalendarException(
            starts_at=line.starts_at, ends_at=line.ends_at, is_working=line.is_working
        )
        for line in lines
        if line.ends_at > line.starts_at
    ]
    return preview(form.shifts(), exceptions, zone, now=timezone.now())


def _typed(rows: Rows, *, removed: bool = False) -> list[dict[str, Any]]:
    """The rows that could be read, those ticked for removal or the others."""
    found = [form.cleaned_data for form in rows if hasattr(form, "cleaned_data")]
    whole = [data for data in found if data.get("starts_at") and data.get("ends_at")]
    return [data for data in (found if removed else whole) if bool(data.get("DELETE")) == removed]


def _lines(rows: Iterable[dict[str, Any]], zone_name: str) -> list[ExceptionLine]:
    zone = calendars.zone(zone_name)
    return [
        ExceptionLine(
            starts_at=data["starts_at"].replace(tzinfo=zone),
            ends_at=data["ends_at"].replace(tzinfo=zone),
            is_working=bool(data.get("is_working")),
            reason=data.get("reason") or "",
            pk=data.get("pk"),
        )
        for data in rows
    ]


def _rows(calendar: Calendar, coming: Iterable[CalendarException]) -> list[dict[str, Any]]:
    zone = calendars.zone(calendar.time_zone)

    def local(moment: datetime) -> datetime:
        return moment.astimezone(zone).replace(tzinfo=None)

    return [
        {
            "pk": row.pk,
            "starts_at": local(row.starts_at),
            "ends_at": local(row.ends_at),
            "is_working": "yes" if row.is_working else "",
            "reason": row.reason,
        }
        for row in coming
    ]
