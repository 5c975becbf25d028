"""Codes stand in addresses, in files and on labels: what none of them can carry is refused."""

import pytest
from django.urls import reverse

from common.enums import Role
from masterdata.models import Item, Skill, Tool
from masterdata.services import imports, limits
from tests.masterdata import factories as f

BAD = ["../etc", "A/../B", "..", ".", "A/", "/A", "A//B", "..\\A", "A\u200bB", "\u202eA", "A\x07B"]
GOOD = ["A", "A-1", "A.1", "Ö 5/8", "阀体-50", "1..5", "A/B"]


@pytest.mark.parametrize("code", BAD)
def test_a_code_that_no_address_can_carry_is_refused(code):
    with pytest.raises(ValueError, match=r"code"):
        limits.check_code(code)


@pytest.mark.parametrize("code", GOOD)
def test_a_code_as_plants_have_them_is_taken(code):
    limits.check_code(code)


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["../etc", "A\u200bB"])
def test_the_forms_of_items_tools_and_skills_say_so(client_for, code):
    client, site = client_for(Role.PLANNER), f.SiteFactory()
    rows = {
        "item": {"supply": "buy", "uom": "EA", "lot_policy": "lot_for_lot", "tracking": "none"},
        "tool": {"site": site.pk, "quantity": 1},
        "skill": {},
    }
    for name, fields in rows.items():
        answer = client.post(
            reverse(f"masterdata:{name}-create"), {"code": code, "name": "X", **fields}
        )
        assert answer.status_code == 422, name
        assert "code" in answer.context["form"].errors, name
    assert [model.objects.count() for model in (Item, Tool, Skill)] == [0, 0, 0]


@pytest.mark.django_db
def test_a_record_whose_code_is_older_than_the_rule_can_still_be_edited(client_for):
    skill = f.SkillFactory(code="OLD..")
    Skill.objects.filter(pk=skill.pk).update(code="OLD\u200b")
    url = reverse("masterdata:skill-edit", args=["OLD\u200b"])
    data = {"code": "OLD\u200b", "name": "New name", "version": 1}
    assert client_for(Role.PLANNER).post(url, data).status_code == 302
    assert Skill.objects.get().name == "New name"


@pytest.mark.django_db
def test_a_file_says_so_at_the_row():
    text = "code,name,supply\n../A,X,buy\nA//B,X,buy\nGOOD,X,buy\n"
    found = imports.check(imports.RESOURCES["items"], imports.read("items.csv", text.encode()))
    assert [(bad.line, bad.column) for bad in found.bad] == [(2, "code"), (3, "code")]
    assert "between slashes" in found.bad[0].reason
