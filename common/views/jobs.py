"""Background jobs, for administrators: what waits, what died and why, and what to do about it."""

import json
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from common import audit, job_operators
from common.access import AuthenticatedRequest, requires
from common.enums import JobState
from common.errors import Refused, told
from common.jobs import overview
from common.models import Job

PAGE_SIZE = 50


@requires("common.manage_jobs")
@require_safe
def job_list(request: AuthenticatedRequest) -> HttpResponse:
    """Depth of the ledger and its jobs, filtered by ``state`` and ``name``."""
    state, name = request.GET.get("state", ""), request.GET.get("name", "").replace("\x00", "")
    found = overview.jobs(state=state, name=name)
    context = {
        "depth": overview.depth(at=timezone.now()),
        "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
        "names": overview.names(),
        "states": JobState.choices,
        "state": state,
        "name": name,
    }
    return render(request, "common/job_list.html", context)


@requires("common.manage_jobs")
@require_safe
def job_detail(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """One job with its arguments, its attempts and their errors, and what was done to it."""
    job = get_object_or_404(Job.objects.select_related("actor", "merged_into"), pk=pk)
    context = {
        "job": job,
        "arguments": json.dumps(job.arguments, indent=2, ensure_ascii=False),
        "attempts": job.attempts.order_by("-attempt"),
        "history": audit.history(job),
        "why_no_replay": _refusal(job_operators.check_can_replay, job),
        "why_no_cancel": _refusal(job_operators.check_can_cancel, job),
    }
    return render(request, "common/job_detail.html", context)


@requires("common.manage_jobs")
@require_POST
def job_replay(request: AuthenticatedRequest, pk: int) -> HttpResponseRedirect:
    """Run a dead job again."""
    job = get_object_or_404(Job, pk=pk)
    with told(request):
        job_operators.replay(job=job, by=request.user, now=timezone.now())
        messages.success(request, _("The job will be tried again."))
    return redirect("common:job-detail", pk=pk)


@requires("common.manage_jobs")
@require_POST
def job_cancel(request: AuthenticatedRequest, pk: int) -> HttpResponseRedirect:
    """Call a waiting or dead job off."""
    job = get_object_or_404(Job, pk=pk)
    reason = request.POST.get("reason", "").strip()
    with told(request):
        job_operators.cancel(job=job, by=request.user, now=timezone.now(), reason=reason)
        messages.success(request, _("The job is cancelled."))
    return redirect("common:job-detail", pk=pk)


@requires("common.manage_jobs")
@require_POST
def job_replay_dead(request: AuthenticatedRequest) -> HttpResponseRedirect:
    """Run every dead job again, or those of one name."""
    name = request.POST.get("name", "")
    count = job_operators.replay_dead(name=name, by=request.user, now=timezone.now())
    text = ngettext("%d job will be tried again.", "%d jobs will be tried again.", count)
    messages.success(request, text % count)
    return redirect("common:job-list")


def _refusal(check: Any, job: Job) -> str:
    """Why the action would be refused; empty where it would not."""
    try:
        check(job)
    except Refused as refusal:
        return str(refusal)
    return ""
