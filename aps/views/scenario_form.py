"""A scenario put together: its name and what it has otherwise, added one change at a time.

The page keeps no draft on the server: what has been added travels with the form, and is read and
checked on the plant again with each step.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from aps import policies
from aps.change_forms import FORMS, ChangeForm, Offered, line_label
from aps.enums import RunKind
from aps.forms import NameForm
from aps.models import ScheduleRun
from aps.selectors.readiness import waiting_lines
from aps.services import changes as kinds
from aps.services import inputs, scenarios
from aps.services.changes import Change
from aps.views import scenario_words
from aps.views.place import place_of, tells_of_idle_sites
from common.access import AuthenticatedRequest, requires
from common.errors import Refused, refusal
from masterdata import selectors as masterdata

MOST_CHANGES = 50
Solve = Callable[[str, Sequence[dict[str, Any]]], ScheduleRun]


@requires("aps.plan")
@require_http_methods(["GET", "HEAD", "POST"])
@tells_of_idle_sites
def scenario_create(request: AuthenticatedRequest) -> HttpResponse:
    """A new what-if; ``offer``, posted, is a list of changes that it begins with."""
    site_id = place_of(request).pk
    if site_id is None:
        return render(request, "aps/scenario_form.html", {"no_site": True})

    def solve(name: str, rows: Sequence[dict[str, Any]]) -> ScheduleRun:
        return scenarios.create(
            site_id=site_id,
            kind=RunKind.WHAT_IF,
            name=name,
            changes=rows,
            by=request.user,
            now=timezone.now(),
        )

    return _Page(request, site_id, None).answer(solve)


@requires("aps.plan")
@require_http_methods(["GET", "HEAD", "POST"])
def scenario_change(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Other changes for a scenario that is not over; it is solved anew."""
    found = ScheduleRun.objects.exclude(kind__in=[RunKind.LIVE, RunKind.EDIT, RunKind.RUSH])
    run = get_object_or_404(found, pk=pk)

    def solve(_name: str, rows: Sequence[dict[str, Any]]) -> ScheduleRun:
        return scenarios.change(run=run, changes=rows, by=request.user, now=timezone.now())

    return _Page(request, run.site_id, run).answer(solve)


class _Page:
    """One request to the form: what has been added so far, and one step with it."""

    def __init__(self, request: AuthenticatedRequest, site_id: int, run: ScheduleRun | None):
        self.request = request
        self.site_id = site_id
        self.run = run
        self.error = ""
        self.status = 200
        kind = request.POST.get("kind", "")
        self.kind = kind if kind in FORMS else next(iter(FORMS))
        # Its name is asked for at the end, not with each step.
        is_solving = request.POST.get("action") == "solve"
        self.name = NameForm(request.POST if is_solving else None, initial=request.POST.dict())
        self.changes = self._first() if request.method == "POST" else self._of_run()
        self.offered = _offered(site_id)
        self.form: ChangeForm = FORMS[self.kind](offered=self.offered)

    def answer(self, solve: Solve) -> HttpResponse:
        """Do the step that the pressed button asks for; show the page, or go to the scenario."""
        action = self.request.POST.get("action", "")
        if action == "solve" and not self.error:
            done = self._solve(solve)
            if done is not None:
                return done
        elif action == "add":
            self._add()
        elif action.startswith("remove-"):
            self._remove(action.removeprefix("remove-"))
        return self._render()

    def _solve(self, solve: Solve) -> HttpResponse | None:
        if self.run is None and not self.name.is_valid():
            self.status = 422
            return None
        name = self.run.name if self.run else self.name.cleaned_data["name"]
        try:
            run = solve(name, [one.as_json() for one in self.changes])
        except Refused as refused:
            self._refuse(str(refused))
            return None
        url = reverse("aps:scenario-detail", kwargs={"pk": run.pk})
        if self.request.htmx:  # type: ignore[attr-defined]
            return HttpResponse(status=204, headers={"HX-Redirect": url})
        return HttpResponseRedirect(url)

    def _add(self) -> None:
        self.form = FORMS[self.kind](self.request.POST, offered=self.offered)
        if not self.form.is_valid():
            self.status = 422
            return
        if len(self.changes) >= MOST_CHANGES:
            self._refuse(_("A scenario holds at most %(most)s changes.") % {"most": MOST_CHANGES})
            return
        now = timezone.now()
        try:
            wanted = [*self.changes, kinds.parse(self.form.as_change())]
            found = inputs.read(site_id=self.site_id, now=now, days=scenarios.RESOLVE_DAYS)
            self.changes = scenarios.resolve(found, wanted)
        except Refused as refused:
            self._refuse(str(refused))
            return
        self.form = FORMS[self.kind](offered=self.offered)

    def _remove(self, number: str) -> None:
        if number.isdecimal() and len(number) < 4:
            self.changes = [one for n, one in enumerate(self.changes) if n != int(number)]

    def _refuse(self, sentence: str) -> None:
        self.error, self.status = sentence, 422

    def _first(self) -> list[Change]:
        """The changes that travel with the form, or those that another page offers."""
        offer = self.request.POST.get("offer", "")
        if not offer:
            return self._read(self.request.POST.getlist("change"))
        kept, dropped = scenarios.possible(
            site_id=self.site_id, changes=self._read([offer], is_list=True), now=timezone.now()
        )
        if dropped:
            self._refuse(" ".join(dropped))
        return kept

    def _read(self, texts: Sequence[str], *, is_list: bool = False) -> list[Change]:
        """Changes in JSON, one in each text or all in one."""
        try:
            rows: list[Any] = [json.loads(text) for text in texts]
            if is_list and isinstance(rows[0], list):
                rows = rows[0]
            return kinds.parse_all(rows[:MOST_CHANGES])
        except (ValueError, RecursionError):
            self._refuse(_("The changes could not be read; add them again."))
        except Refused as refused:
            self._refuse(str(refused))
        return []

    def _of_run(self) -> list[Change]:
        return scenarios.counted(self.run) if self.run else []

    def _render(self) -> HttpResponse:
        cannot = refusal(policies.check_can_change, self.run, self.request.user) if self.run else ""
        context = {
            "run": self.run,
            "title": scenario_words.title(self.run) if self.run else "",
            "cannot": cannot,
            "name": self.name,
            "form": self.form,
            "kind": self.kind,
            "kinds": [(form.kind, form.label) for form in FORMS.values()],
            "changes": [(json.dumps(one.as_json()), one.describe()) for one in self.changes],
            "is_what_if": any(one.refusal(RunKind.WHAT_IF) for one in self.changes),
            "error": self.error,
        }
        is_part = bool(self.request.htmx)  # type: ignore[attr-defined]  # set by its middleware
        template = "aps/scenario_form.html" + ("#form" if is_part else "")
        return render(self.request, template, context, status=self.status)


def _offered(site_id: int) -> Offered:
    """Machines and order lines to choose from; a constant number of queries."""
    units = masterdata.active_units(site_id=site_id)
    rows = sorted(
        waiting_lines(site_id=site_id, now=timezone.now()).rows, key=lambda row: row.reference
    )
    items = masterdata.items_by_id({row.item_id for row in rows})
    return Offered(
        units=[(unit.code, f"{unit.code} · {unit.label}") for unit in units],
        lines=[
            (row.reference, line_label(row.reference, items[row.item_id].code, row.due_at))
            for row in rows
        ],
    )
