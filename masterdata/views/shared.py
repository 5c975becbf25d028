"""Skills with their crews, and tools: what operations share besides machines."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from common import audit
from common.access import AuthenticatedRequest, requires
from masterdata.forms import CrewFormSet, SkillForm, ToolForm
from masterdata.models import Skill, Tool
from masterdata.selectors import pages
from masterdata.services import crews
from masterdata.views import editing, row_editing


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

    def save(kept: list[dict[str, Any]], **by_whom: Any) -> None:
        crews.save(skill=skill, crews=[crews.CrewLine(**data) for data in kept], **by_whom)

    page = row_editing.RowPage(
        record=skill,
        title=_("Crews"),
        template="masterdata/crews_form.html",
        row_template="masterdata/_crew_row.html",
        save=save,
        saved=_("The crews of %(code)s are saved.") % {"code": code},
        record_url=_skill_url(skill),
    )
    return row_editing.edit(request, rows, page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def tool_create(request: AuthenticatedRequest) -> HttpResponse:
    page = editing.Page(_("New tool"), then=_tool_url)
    return editing.create(request, ToolForm(request.POST or None), page)


@requires({"GET": "masterdata.view", "POST": "masterdata.edit"})
def tool_edit(request: AuthenticatedRequest, code: str) -> HttpResponse:
    tool = get_object_or_404(Tool, code=code)
    page = editing.Page(code, then=_tool_url, extra={"history": audit.history(tool)[:10]})
    return editing.edit(request, ToolForm(request.POST or None, instance=tool), page)


def _crew_rows(skill: Skill) -> list[dict[str, object]]:
    return [
        {"site": row.site_id, "calendar": row.calendar_id, "people": row.people}
        for row in pages.crews_of(skill)
    ]


def _skill_url(skill: Skill) -> str:
    return reverse("masterdata:skill-edit", args=[skill.code])


def _tool_url(tool: Tool) -> str:
    return reverse("masterdata:tool-edit", args=[tool.code])
