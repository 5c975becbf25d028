"""Colours, words and components of the pages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import CharField
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation

from common.context_processors import NAVIGATION, Shell
from common.enums import JobState
from common.models import User
from common.tables import DateColumn, QuantityColumn, StatusColumn, Table
from common.templatetags import ui_format, ui_icons, ui_status
from common.templatetags.ui_status import TONES, Tone

TOKENS = Path(settings.BASE_DIR) / "static/css/tokens.css"
Pair = tuple[str, str]


def tokens() -> dict[str, Pair]:
    """Each colour token as (light, dark)."""
    text = TOKENS.read_text(encoding="utf-8")
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", text)
    single = re.findall(r"--([\w-]+): (#\w{6});", text)
    return {name: (light, dark) for name, light, dark in pairs} | {n: (c, c) for n, c in single}


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("tone", list(Tone))
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_a_status_pair_reaches_seven_to_one(tone: Tone, theme: int) -> None:
    colours = tokens()
    text, ground = colours[f"status-{tone}"][theme], colours[f"status-{tone}-ground"][theme]
    assert contrast(text, ground) >= 7


TEXT_PAIRS = [
    *[(text, ground) for text in ("text", "text-muted", "brand", "danger")
      for ground in ("page", "surface", "surface-raised", "surface-sunken")],
    *[(f"status-{tone}", "surface") for tone in Tone],
    *[(f"on-{name}", name) for name in ("brand", "success", "warning", "danger", "info")],
    ("on-brand-soft", "brand-soft"), ("text-muted", "brand-soft"),
    ("side-text", "side"), ("side-muted", "side"), ("side-strong", "side-raised"),
]  # fmt: skip


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_reaches_aa_on_its_grounds(theme: int) -> None:
    colours = tokens()
    weak = {
        (text, ground): round(contrast(colours[text][theme], colours[ground][theme]), 2)
        for text, ground in TEXT_PAIRS
        if contrast(colours[text][theme], colours[ground][theme]) < 4.5
    }
    assert not weak


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("edge", ["line-strong", "focus"])
def test_edges_of_controls_and_focus_reach_three_to_one(edge: str, theme: int) -> None:
    colours = tokens()
    assert contrast(colours[edge][theme], colours["surface"][theme]) >= 3
    assert contrast(colours[edge][theme], colours["page"][theme]) >= 3


def test_colours_are_written_in_the_tokens_alone() -> None:
    # Documents on paper have no tokens: they are read without the pages' sheets.
    allowed = {"tokens.css", "error.css", "print.css", "document.css", "label.css"}
    for sheet in TOKENS.parent.glob("*.css"):
        if sheet.name not in allowed:
            text = sheet.read_text(encoding="utf-8")
            found = set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;,) ])", text))
            # Ink of the logo, white behind a QR code, and the ends of a mix.
            assert found <= {"#06262d", "#fff", "#000", "#f7fafa", "#1e282d"}, sheet.name


def states() -> set[str]:
    """Every value a status or state field of our apps can take."""
    ours = {"common", "masterdata", "traceability", "erp", "mes", "aps", "crm", "portal"}
    return {
        str(value)
        for model in apps.get_models()
        if model._meta.app_label in ours
        for field in model._meta.get_fields()
        if isinstance(field, CharField) and field.name in {"state", "status"} and field.choices
        for value, _label in field.flatchoices
    }


def test_every_state_of_every_model_has_a_tone() -> None:
    assert states() >= set(JobState.values)
    assert states() - set(TONES) == set()


def test_a_badge_has_colour_icon_and_word() -> None:
    badge = ui_status.badge("on_hold", "Held <b>")
    assert 'class="status status-hold"' in badge
    assert 'href="#tone-hold"' in badge
    assert "Held &lt;b&gt;" in badge


def test_a_badge_takes_the_word_of_a_choice() -> None:
    assert "Dead" in ui_status.badge(JobState.DEAD)
    assert "status-late" in ui_status.badge(JobState.DEAD)


def test_the_sprite_draws_every_tone() -> None:
    sprite = render_to_string("common/_sprite.html")
    assert all(f'id="tone-{tone}"' in sprite for tone in Tone)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Decimal("5000.000"), "pcs", "5,000\N{NO-BREAK SPACE}pcs"),
        (Decimal("2.500"), "kg", "2.5\N{NO-BREAK SPACE}kg"),
        (Decimal("-12"), "", "\N{MINUS SIGN}12"),
        (Decimal("0.000"), "", "0"),
        (Decimal("1E+3"), "", "1,000"),
        (None, "pcs", ""),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_quantities_are_grouped_by_thousands(
    language: str, value: Decimal | None, unit: str, text: str
) -> None:
    with translation.override(language):
        assert ui_format.quantity(value, unit) == text


def test_money_keeps_its_cents() -> None:
    assert ui_format.money(Decimal("1234.5"), "EUR") == "€1,234.50"
    assert ui_format.unit_price(Decimal("0.0125"), "EUR") == "€0.0125"
    assert ui_format.unit_price(Decimal("92.0000"), "EUR") == "€92.00"
    assert ui_format.unit_price(Decimal("100"), "CHF") == "100.00\N{NO-BREAK SPACE}CHF"
    assert ui_format.unit_price(None) == ""
    assert ui_format.money(Decimal("-3"), "CHF") == "\N{MINUS SIGN}3.00\N{NO-BREAK SPACE}CHF"


@pytest.mark.parametrize(("minutes", "text"), [(200, "3 h 20 min"), (20, "20 min"), (120, "2 h")])
def test_minutes_read_as_hours(minutes: int, text: str) -> None:
    assert ui_format.minutes(minutes).replace("\N{NO-BREAK SPACE}", " ") == text


@time_machine.travel(datetime(2026, 11, 22, 20, 0, tzinfo=UTC), tick=False)
def test_days_are_counted_in_the_sites_zone() -> None:
    # In Shanghai it is already the 23rd.
    assert ui_format.in_days(date(2026, 12, 20), "UTC") == "in 28 days"
    assert ui_format.in_days(date(2026, 12, 20), "Asia/Shanghai") == "in 27 days"
    assert ui_format.in_days(date(2026, 11, 23), "UTC") == "tomorrow"
    assert ui_format.in_days(date(2026, 11, 19), "UTC") == "3 days ago"
    assert ui_format.day(datetime(2026, 11, 22, 20, tzinfo=UTC), "Asia/Shanghai").startswith(
        "Mon 23 Nov"
    )


def test_dates_read_in_chinese() -> None:
    with translation.override("zh-hans"):
        assert ui_format.day(date(2026, 10, 14)).startswith("2026年10月14日")
        assert ui_format.moment(datetime(2026, 10, 14, 6, 30, tzinfo=UTC), "Asia/Shanghai") == (
            "2026年10月14日 14:30"
        )


def test_a_missing_icon_leaves_an_empty_box() -> None:
    assert ui_icons.svg("no-such-icon").endswith("></svg>")
    assert ui_icons.svg("../../package").endswith("></svg>")


def test_every_icon_our_templates_name_exists() -> None:
    named: set[str] = {entry.icon for group in NAVIGATION for entry in group.entries}
    for file in (Path(settings.BASE_DIR) / "templates").rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        named |= set(re.findall(r'{% icon "([a-z0-9-]+)"', text))
        named |= set(re.findall(r'<c-[a-z-]+ [^>]*\bicon="([a-z0-9-]+)"', text))
    assert named
    folder = Path(settings.BASE_DIR) / "node_modules/@tabler/icons/icons/outline"
    assert {name for name in named if not (folder / f"{name}.svg").is_file()} == set()


def test_no_template_brings_inline_script_or_style() -> None:
    for file in Path(settings.BASE_DIR).glob("**/templates/**/*.html"):
        if "node_modules" in file.parts or ".venv" in file.parts:
            continue
        text = file.read_text(encoding="utf-8")
        scripts = re.findall(r"<script\b(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", text)
        handlers = re.findall(r"<[^>]*\son(?:click|change|submit|load|input)=", text)
        assert not scripts, file
        assert not handlers, file
        assert "<style" not in text, file


def render(source: str, **context: Any) -> str:
    from django.template import engines
    from django_cotton.compiler_regex import CottonCompiler

    engine: Any = engines["django"]
    return str(engine.from_string(CottonCompiler().process(source)).render(context))


def test_components_escape_what_they_show_once() -> None:
    text = "O'Neil & <b>"
    for source in (
        '<c-card :title="text">x</c-card>',
        '<c-card title="{{ text }}">x</c-card>',
        '<c-kpi :label="text" value="1" />',
        '<c-field-row label="{{ text }}" />',
        '<c-alert :title="text">x</c-alert>',
        '<c-action url="/x" :label="text" />',
        '<c-action url="/x" label="Go" :confirm="text" :confirm_text="text" />',
        '<c-action url="/x" label="Go" disabled reason="{{ text }}" />',
        '<c-timeline-item title="{{ text }}" />',
        '<c-empty :title="text">x</c-empty>',
        '<c-status state="late" label="{{ text }}" />',
        '<c-dialog id="d" :title="text" url="/x" submit="Go" />',
    ):
        html = render(source, text=text)
        assert "O&#x27;Neil &amp; &lt;b&gt;" in html, (source, html)
        assert "&amp;amp;" not in html, (source, html)
        assert "<b>" not in html, (source, html)


def declared_attributes() -> dict[str, set[str]]:
    """The attributes of each component, from its <c-vars>."""
    found = {}
    for file in (Path(settings.BASE_DIR) / "templates/cotton").glob("*.html"):
        vars_ = re.search(r"<c-vars(.*?)/>", file.read_text(encoding="utf-8"), re.S)
        names = re.sub(r'="[^"]*"', "", vars_.group(1)) if vars_ else ""
        found[file.stem] = set(names.replace(":", "").split())
    return found


def test_pages_use_components_and_attributes_that_exist() -> None:
    """A mistyped attribute would be swallowed silently."""
    declared, used = declared_attributes(), 0
    tag = re.compile(r'<c-([a-z-]+)((?:\s+:?[\w:@.-]+(?:="[^"]*")?)*)\s*/?>')
    for file in Path(settings.BASE_DIR).glob("*/**/*.html"):
        if {"node_modules", ".venv", "var", "cotton"} & set(file.parts):
            continue
        for name, attributes in tag.findall(file.read_text(encoding="utf-8")):
            if name in {"vars", "slot"}:
                continue
            used += 1
            names = re.findall(r'\s:?([\w-]+)(?:="[^"]*")?', attributes)
            wrong = {
                each
                for each in names
                if each.replace("-", "_") not in declared[name.replace("-", "_")]
                and not each.startswith(("hx-", "data-", "aria-"))
            }
            assert not wrong, f"{file}: <c-{name}> has no {wrong}"
    assert used > 50


def test_an_unknown_reason_refuses_nothing() -> None:
    html = render('<c-action url="/x" label="Go" :reason="nothing.here" />')
    assert "<form" in html


def test_a_reason_refuses_an_action_that_would_ask_for_one() -> None:
    html = render('<c-action url="/x" label="Go" ask_reason="required" reason="Too late." />')
    assert "<dialog" not in html


def test_a_refused_action_shows_its_reason_and_sends_nothing() -> None:
    html = render('<c-action url="/ship" label="Ship" disabled reason="Nothing is made." />')
    assert "<form" not in html
    assert 'type="button"' in html
    assert html.count("Nothing is made.") == 2


def test_an_action_that_asks_for_a_reason_brings_a_dialog() -> None:
    html = render('<c-action url="/reject" label="Reject" ask_reason="required" tone="danger" />')
    assert '<form method="post" action="/reject">' in html
    assert re.search(r'<textarea[^>]*name="reason"[^>]*required', html)
    opened, dialog = re.search(r'commandfor="(.*?)"', html), re.search(r'<dialog id="(.*?)"', html)
    assert opened is not None
    assert dialog is not None
    assert opened.group(1) == dialog.group(1)


def test_a_fragment_renders_with_its_components() -> None:
    html = render_to_string("common/gallery.html#rows", {"rows": [{"number": 7, "state": "late"}]})
    assert html.strip().startswith('<tr class="row-late">')
    assert "<c-" not in html


def test_query_replaces_and_removes_parameters() -> None:
    request = RequestFactory().get("/x/?status=late&page=3")
    context = Context({"request": request})
    assert Template("{% query page=2 %}").render(context) == "?status=late&amp;page=2"
    assert Template("{% query page=None status='' %}").render(context) == "?"


class Sample(Table):
    caption = "Samples"
    row_state = "state"
    state = StatusColumn()
    due = DateColumn(relative=True)
    amount = QuantityColumn(unit="unit")


@time_machine.travel(datetime(2026, 11, 22, 8, 0, tzinfo=UTC), tick=False)
def test_a_table_names_its_cells_and_colours_its_rows() -> None:
    rows = [{"state": "late", "due": date(2026, 11, 23), "amount": Decimal("5.0"), "unit": "kg"}]
    html = Sample(rows).as_html(RequestFactory().get("/"))
    assert '<caption class="visually-hidden">Samples</caption>' in html
    assert 'data-label="Amount"' in html
    assert "row-late" in html
    assert "tomorrow" in html
    assert "5\N{NO-BREAK SPACE}kg" in html


def test_an_empty_table_says_so() -> None:
    html = Sample([], empty_text="Enter the first sample.").as_html(RequestFactory().get("/"))
    assert "Enter the first sample." in html


def shell_for(*roles: str, cookies: dict[str, str] | None = None) -> Shell:
    request = RequestFactory().get("/")
    request.user = User(username="x", roles=list(roles)) if roles else AnonymousUser()
    request.COOKIES.update(cookies or {})
    return Shell(request)


def test_the_navigation_shows_what_the_role_may_open() -> None:
    def names(*roles: str) -> set[str]:
        return {e.url_name for group in shell_for(*roles).navigation for e in group.entries}

    assert "common:audit-list" in names("administrator")
    assert "common:audit-list" not in names("operator")
    assert names("customer") == set()
    assert names() == set()


@pytest.mark.parametrize(
    ("path", "lit"),
    [
        ("/plan/", "aps:board"),
        ("/plan/compare/", "aps:scenario-list"),
        ("/plan/scenarios/", "aps:scenario-list"),
        ("/plan/capacity/", "aps:capacity"),
    ],
)
def test_the_navigation_lights_the_entry_that_a_page_belongs_to(path: str, lit: str) -> None:
    request = RequestFactory().get(path)
    request.user = User(username="x", roles=["planner"])
    entries = [entry for group in Shell(request).navigation for entry in group.entries]
    assert [entry.url_name for entry in entries if entry.active] == [lit]


def test_the_theme_cookie_takes_known_words_only() -> None:
    assert shell_for(cookies={"theme": "dark"}).theme == "dark"
    assert shell_for(cookies={"theme": '"><script>'}).theme == ""


def test_customers_keep_their_frame() -> None:
    assert shell_for("customer").frame == "portal_base.html"
    assert shell_for("sales").frame == "base.html"
    assert shell_for().frame == "entrance_base.html"


def test_a_components_attribute_names_a_value() -> None:
    """An expression is not evaluated there: it would quietly be nothing."""
    found = []
    for path in Path(settings.BASE_DIR).glob("*/templates/**/*.html"):
        for name, value in re.findall(r' (:[\w-]+)="([^"]*)"', path.read_text(encoding="utf-8")):
            words = re.sub(r"'[^']*'", "", value)
            if re.search(r"[=!<>]=|\b(?:not|and|or|in)\b", words):
                found.append(f"{path.name}: {name}={value}")
    assert found == []
