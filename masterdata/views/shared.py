"""Skills with their crews, and tools: what operations share besides machines."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from common import audit
from common.access import AuthenticatedRequest, requires
from common.errors import Refused
from common.permissions import allowed
from masterdata.forms import CrewFormSet, Rows, SkillForm, ToolForm
from masterdata.models import Skill, Tool
from masterdata.selectors import pages
from masterdata.services import crews
from masterdata.views import editing


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def skill_create(request: AuthenticatedRequest) -> HttpResponse:
    page = editing.Page(_("New skill"), then=_skill_url)
    return editing.create(request, SkillForm(request.POST or None), page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def skill_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """The skill and its crews."""
    skill = get_object_or_404(Skill, code=code)
    extra = {
        "skill_code": code,
        "crews": pages.crews_of(skill),
        "history": audit.history(skill)[:10],
    }
    page = editing.Page(code, template="masterdata/skill_form.html", then=_skill_url, extra=extra)
    return editing.edit(request, SkillForm(request.POST or None, instance=skill), page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def skill_crews(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """The people who bring the skill, crew by crew."""
    skill = get_object_or_404(Skill, code=code)
    rows = CrewFormSet(request.POST or None, initial=_crew_rows(skill))
    error = ""
    if request.method == "POST" and rows.is_valid():
        try:
            crews.save(
                skill=skill,
                crews=[crews.CrewLine(**data) for data in rows.kept()],
                version=editing.opened(request),
                by=request.user,
                now=timezone.now(),
            )
        except Refused as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("The crews of %(code)s are saved.") % {"code": code})
            return redirect("masterdata:skill-edit", code=code)
    return _render_crews(request, skill, rows, error)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def tool_create(request: AuthenticatedRequest) -> HttpResponse:
    page = editing.Page(_("New tool"), then=_tool_url)
    return editing.create(request, ToolForm(request.POST or None), page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def tool_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    tool = get_object_or_404(Tool, code=code)
    page = editing.Page(code, then=_tool_url, extra={"history": audit.history(tool)[:10]})
    return editing.edit(request, ToolForm(request.POST or None, instance=tool), page)


def _render_crews(
    request: AuthenticatedRequest, skill: Skill, rows: Rows, error: str
) -> HttpResponse:
    is_bad = request.method == "POST"
    context = {
        "skill": skill,
        "rows": rows,
        "error": error,
        "version": editing.opened(request) if is_bad else skill.version,
        "can_save": allowed(request.user, "masterdata.edit"),
    }
    status = editing.HTTP_UNPROCESSABLE if is_bad else 200
    return render(request, "masterdata/crews_form.html", context, status=status)


def _crew_rows(skill: Skill) -> list[dict[str, object]]:
    return [
        {"site": row.site_id, "calendar": row.calendar_id, "people": row.people}
        for row in pages.crews_of(skill)
    ]


def _skill_url(skill: Skill) -> str:
    return reverse("masterdata:skill-edit", args=[skill.code])


def _tool_url(tool: Tool) -> str:
    return reverse("masterdata:tool-edit", args=[tool.code])
