"""The template tags and filters of our pages; built in, so no {% load %} is needed.

What each looks like is on the component gallery; docs/ui.md is the cheat sheet.
"""

import secrets
from datetime import date, datetime
from typing import Any

from django import template
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.template import RequestContext
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from common import people
from common.enums import Role
from common.models import User
from common.templatetags import ui_format, ui_icons, ui_status

register = template.Library()


@register.simple_tag
def icon(name: str, css_class: str = "", label: str = "", filled: bool = False) -> SafeString:
    """{% icon "truck" %}: decorative; give a label where the icon stands alone."""
    return ui_icons.svg(name, css_class=css_class, label=label, filled=filled)


@register.simple_tag
def status(state: object, label: str = "", tone: str = "", size: str = "") -> SafeString:
    """{% status order.status order.get_status_display %}: the quick twin of <c-status>."""
    return ui_status.badge(state, label, tone=tone, size=size)


@register.filter
def tone(state: object) -> str:
    """The tone's name of a state, for a class: row-{{ order.status|tone }}."""
    return ui_status.tone_of(state).value


@register.filter
def day(value: date | datetime | None, zone: str | None = None) -> str:
    """{{ order.promised_date|day }}: "Tue 14 Oct 2026"; moments in the zone given or active."""
    return ui_format.day(value, zone) if value else ""


@register.filter
def day_short(value: date | datetime | None, zone: str | None = None) -> str:
    """{{ date|day_short }}: "14 Oct", with the year where it is not this one."""
    return ui_format.day(value, zone, short=True) if value else ""


@register.filter
def person(value: User | None, reader: User | AnonymousUser | None) -> str:
    """{{ report.by|person:request.user }}: a name, of operators for who may see it only."""
    return people.shown(value, reader)


@register.filter
def moment(value: datetime | None, zone: str | None = None) -> str:
    """{{ event.at|moment }}: "14 Oct 2026, 14:30"."""
    return ui_format.moment(value, zone) if value else ""


@register.filter
def in_days(value: date | datetime | int | None, zone: str | None = None) -> str:
    """{{ date|in_days }}: "in 28 days"; a number of days is taken as it is."""
    if value is None or value == "":
        return ""
    if isinstance(value, int):
        return ui_format.days_phrase(value)
    return ui_format.in_days(value, zone)


@register.filter
def iso(value: date | datetime | None) -> str:
    """The machine's form, for <time datetime>."""
    return value.isoformat() if value else ""


@register.filter
def quantity(value: object, unit: str = "") -> str:
    """{{ line.quantity|quantity:line.unit }}: "5,000 pcs"."""
    return ui_format.quantity(value, unit)


@register.filter
def money(value: object, currency: str = "") -> str:
    """{{ line.price|money:order.currency }}: "€1,234.50"."""
    return ui_format.money(value, currency)


@register.filter
def unit_price(value: object, currency: str = "") -> str:
    """{{ line.unit_price|unit_price:order.currency }}: "€0.0125"."""
    return ui_format.unit_price(value, currency)


@register.filter
def minutes(value: object) -> str:
    """{{ operation.run_minutes|minutes }}: "3 h 20 min"."""
    return ui_format.minutes(value)


_ROLE_ICONS = {
    Role.SALES: "heart-handshake",
    Role.PLANNER: "timeline-event",
    Role.SUPERVISOR: "list-check",
    Role.OPERATOR: "tool",
    Role.PURCHASING: "shopping-cart",
    Role.WAREHOUSE: "packages",
    Role.QUALITY: "circle-check",
    Role.AFTER_SALES: "inbox",
    Role.MANAGER: "chart-bar",
    Role.ADMINISTRATOR: "settings",
}


@register.filter
def role_icon(username: str) -> str:
    """The icon of a demo account, which is named as its role; customers share one."""
    return _ROLE_ICONS.get(Role(username), "user") if username in Role.values else "user"


@register.filter
def percent(value: object) -> str:
    """A number of per cent (0–100) without decimals, for a bar's width and words."""
    try:
        return str(max(0, min(100, round(float(str(value))))))
    except ValueError:
        return "0"


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: Any) -> str:
    """The page's query string with some parameters replaced; None or "" takes one out."""
    request: HttpRequest | None = context.get("request")
    parameters = request.GET.copy() if request else None
    if parameters is None:
        return "?"
    for name, value in changes.items():
        if value is None or value == "":
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.simple_tag(takes_context=True)
def page_query(context: RequestContext, parameter: str, number: int) -> str:
    """The page's query string with the page's number set."""
    return query(context, **{parameter: number})


@register.simple_tag
def unique_id(prefix: str = "u") -> str:
    """An id no other element of the page has."""
    return f"{prefix}-{secrets.token_hex(4)}"


@register.simple_tag
def url_if_exists(name: str, *args: Any, **kwargs: Any) -> str:
    """The URL, or an empty string where no such page exists (yet)."""
    try:
        return reverse(name, args=args, kwargs=kwargs)
    except NoReverseMatch:
        return ""
