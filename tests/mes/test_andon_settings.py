"""Who is called and why machines stand, as managers set it: counted at once, told to the audit."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from common.enums import Role
from common.models import AuditEntry, Job, Notification
from mes.enums import AndonKind
from mes.models import AndonRule, DowntimeReason, FloorReason
from mes.services import andon, andon_rules, breakdowns, reasons
from mes.services.andon_rules import Step
from tests.factories import UserFactory
from tests.mes.factories import NOW, Plant

pytestmark = pytest.mark.django_db
RULES = "/andon/rules/"
MATERIAL = RULES + "material/"
TREE, TILES = "/floor/reasons/downtime/", "/floor/reasons/"


@pytest.fixture
def plant():
    return Plant()


@pytest.fixture
def center(plant):
    return plant.units[0].work_center


@pytest.fixture
def manager(client_for):
    return client_for(Role.MANAGER)


def usual(kind=AndonKind.MATERIAL):
    return andon_rules.said(andon_rules.DEFAULTS[kind])


def steps(opened, *rows, **more):
    """What the form posts: (minutes, roles) by step."""
    data = {"opened": opened, **more}
    for place, (minutes, roles) in enumerate(rows):
        data[f"step-{place}-roles"] = roles
        if place:
            data[f"step-{place}-after"] = minutes
    return data


def test_written_steps_count_for_the_next_call_and_are_in_the_audit(plant, center, manager):
    people = {role: UserFactory(username=role, roles=[role]) for role in ("sales", "quality")}
    data = steps(usual(), (0, ["sales"]), (7, ["quality", "planner"]))
    assert manager.post(MATERIAL, data).status_code == 302
    call = andon.raise_call(
        work_unit_id=plant.units[0].pk, kind=AndonKind.MATERIAL, by=None, now=NOW
    )
    assert list(Notification.objects.values_list("user", flat=True)) == [people["sales"].pk]
    job = Job.objects.get(name="mes.escalate_call")
    assert job.run_at == NOW + timedelta(minutes=7)
    andon.escalate(call_id=call.pk, level=1, now=job.run_at)
    assert Notification.objects.filter(user=people["quality"]).exists()
    entry = AuditEntry.objects.get(action="mes.andon.rules")
    assert entry.changes == {"steps": ["", "0 sales; 7 planner, quality"]}
    assert "Sales" in manager.get(RULES).content.decode()


def test_a_work_center_has_steps_of_its_own_and_goes_back(plant, center, manager):
    own = f"{MATERIAL}?center={center.code}"
    assert manager.post(own, steps("", (0, ["planner"]))).status_code == 302
    found = andon_rules.steps(kind=AndonKind.MATERIAL, work_center_id=center.pk)
    assert found == (Step(timedelta(0), (Role.PLANNER,)),)
    elsewhere = andon_rules.steps(kind=AndonKind.MATERIAL, work_center_id=center.pk + 1)
    assert elsewhere == andon_rules.DEFAULTS[AndonKind.MATERIAL]
    page = manager.get(own).content.decode()
    assert "As everywhere again" in page
    # To take it back nothing has to be filled in.
    back = {"opened": "0 planner", "action": "reset"}
    assert manager.post(own, back).status_code == 302
    assert not AndonRule.objects.exists()
    assert AuditEntry.objects.filter(action="mes.andon.rules", reason=center.code).count() == 2


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "Say who is told at once."),
        ([(0, []), (5, ["planner"])], "Say who is told at once."),
        ([(0, ["planner"]), (5, [])], "Each step tells somebody of the staff."),
        ([(0, ["planner"]), ("", ["manager"])], "After how many minutes?"),
        ([(0, ["planner"]), (5, ["sales"]), (5, ["quality"])], "Two steps at the same minute"),
        ([(0, ["customer"])], "Select a valid choice"),
        ([(0, ["planner"]), (2000, ["sales"])], "less than or equal to 1440"),
        ([(0, ["planner"]), ("-3", ["sales"])], "greater than or equal to 1"),
    ],
)
def test_steps_that_leave_a_call_unheard_are_refused(manager, plant, rows, sentence):
    answer = manager.post(MATERIAL, steps(usual(), *rows))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not AndonRule.objects.exists()


def test_two_who_write_at_once_do_not_overwrite_each_other(manager, plant):
    assert manager.post(MATERIAL, steps(usual(), (0, ["planner"]))).status_code == 302
    stale = manager.post(MATERIAL, steps(usual(), (0, ["sales"])))
    assert stale.status_code == 422
    page = stale.content.decode()
    assert "Somebody else changed these steps meanwhile" in page
    assert 'name="opened" value="0 planner"' in page
    [row] = AndonRule.objects.all()
    assert row.roles == ["planner"]
    forgotten = manager.post(MATERIAL, {"opened": usual(), "action": "reset"})
    assert forgotten.status_code == 422
    assert AndonRule.objects.exists()


def test_a_step_that_nobody_would_hear_is_marked(manager, plant):
    page = manager.get(RULES).content.decode()
    assert "nobody has this role" in page
    for role in Role:
        if role is not Role.CUSTOMER:
            UserFactory(username=f"one-{role}", roles=[role.value])
    assert "nobody has this role" not in manager.get(RULES).content.decode()


def test_the_rules_ask_as_many_questions_however_many_there_are(
    manager, plant, center, django_assert_max_num_queries
):
    with django_assert_max_num_queries(16):
        manager.get(RULES)
    for kind in AndonKind:
        for minutes in (0, 5, 10):
            AndonRule.objects.create(
                kind=kind, work_center=center, after_minutes=minutes, roles=["planner"]
            )
    with django_assert_max_num_queries(16):
        manager.get(RULES)


def test_who_may_set_what(client_for, plant):
    for path, roles in (
        (RULES, {Role.MANAGER, Role.ADMINISTRATOR}),
        (MATERIAL, {Role.MANAGER, Role.ADMINISTRATOR}),
        (TREE, {Role.MANAGER, Role.ADMINISTRATOR, Role.SUPERVISOR}),
        (TILES, {Role.MANAGER, Role.ADMINISTRATOR, Role.SUPERVISOR}),
    ):
        for role in (
            Role.OPERATOR,
            Role.PLANNER,
            Role.SUPERVISOR,
            Role.MANAGER,
            Role.ADMINISTRATOR,
        ):
            expected = 200 if role in roles else 403
            assert client_for(role).get(path).status_code == expected, (path, role)
    for path in (RULES + "gossip/", MATERIAL + "?center=NOWHERE"):
        assert client_for(Role.MANAGER).get(path).status_code == 404
    board = reverse("andon:board")
    assert RULES in client_for(Role.MANAGER).get(board).content.decode()
    assert RULES not in client_for(Role.SUPERVISOR).get(board).content.decode()


# Why machines stand.


@pytest.fixture
def tree():
    reasons.seed()
    return {row.code: row for row in DowntimeReason.objects.all()}


def reason(**more):
    return {"code": "coolant", "name": "Coolant", "loss": "unplanned", "is_active": "on", **more}


def test_a_reason_is_added_below_another_and_offered_on_the_floor(manager, tree, plant, client_for):
    below = tree["MECHANICAL"]
    assert manager.post(TREE, reason(parent=below.pk, name_zh="冷却液")).status_code == 302
    added = DowntimeReason.objects.get(code="COOLANT")
    assert added.parent == below
    tap = {"unit": plant.units[0].code, "kind": "machine_down"}
    client_for(Role.OPERATOR).post(reverse("andon:call-raise"), tap)
    board = client_for(Role.SUPERVISOR).get(reverse("andon:board")).content.decode()
    assert "Coolant" in board
    entry = AuditEntry.objects.get(action="mes.floor.reasons")
    assert entry.changes["code"] == [None, "COOLANT"]
    assert entry.changes["parent"] == [None, "MECHANICAL"]
    assert manager.post(TREE, reason()).status_code == 422, "the code is there already"


def test_a_reason_is_changed_and_retired_with_what_was(manager, tree, plant):
    tooling = tree["TOOLING"]
    data = {
        "code": "OTHER-CODE",
        "name": "Tools",
        "loss": "unplanned",
        "customer_text": "A tool had to be made.",
    }
    assert manager.post(f"{TREE}?edit=TOOLING", data).status_code == 302
    tooling.refresh_from_db()
    assert (tooling.code, tooling.name, tooling.is_active) == ("TOOLING", "Tools", False)
    changes = AuditEntry.objects.get(action="mes.floor.reasons").changes
    assert changes["name"] == ["Tool or fixture", "Tools"]
    assert changes["is_active"] == [True, False]
    assert "code" not in changes
    assert "TOOLING" not in [branch.reason.code for branch in reasons.tree()]
    assert "Tools" in manager.get(TREE).content.decode()
    # What stood because of it keeps it.
    breakdowns.report(
        work_unit_id=plant.units[0].pk,
        estimated_ends_at=None,
        reason=tooling,
        by=None,
        now=timezone.now(),
    )


@pytest.mark.parametrize(
    ("edit", "parent", "sentence"),
    [("MECHANICAL", "ELECTRICAL", "Reasons lie below this one"), ("SPINDLE", "DRIVE", "Select a")],
)
def test_the_tree_has_two_levels(manager, tree, edit, parent, sentence):
    row = tree[edit]
    data = reason(name=row.name, parent=tree[parent].pk)
    answer = manager.post(f"{TREE}?edit={edit}", data, follow=True)
    assert sentence in answer.content.decode()
    before = row.parent_id
    row.refresh_from_db()
    assert row.parent_id == before


def test_the_services_keep_the_tree_as_well(tree):
    by = UserFactory()
    deep = DowntimeReason(code="DEEP", name="Deep", parent=tree["SPINDLE"])
    with pytest.raises(reasons.CannotSave, match="two levels"):
        reasons.save(reason=deep, by=by, now=NOW)
    renamed = tree["OTHER"]
    renamed.code = "ELSE"
    with pytest.raises(reasons.CannotSave, match="The code stays"):
        reasons.save(reason=renamed, by=by, now=NOW)
    with pytest.raises(andon_rules.CannotSave, match="too many"):
        andon_rules.save(
            kind=AndonKind.HELP,
            work_center_id=None,
            steps=[Step(timedelta(minutes=n), (Role.PLANNER,)) for n in range(5)],
            opened=usual(AndonKind.HELP),
            by=by,
            now=NOW,
        )


def test_a_tile_tells_the_audit_what_it_was(manager):
    tile = {"kind": "pause", "code": "tea", "name": "Tea", "position": 5, "is_active": "on"}
    manager.post(TILES, tile)
    row = FloorReason.objects.get(code="tea")
    manager.post(f"{TILES}?edit={row.pk}", {**tile, "name": "Tea break"})
    last = AuditEntry.objects.filter(action="mes.floor.reasons").latest("pk")
    assert last.changes == {"name": ["Tea", "Tea break"]}
