"""What every page's frame shows: navigation by role, bell, theme, language, demo accounts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from django.conf import settings
from django.http import HttpRequest
from django.urls import (
    NoReverseMatch,
    Resolver404,
    ResolverMatch,
    get_urlconf,
    resolve,
    reverse,
)
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from common import access, selectors
from common.enums import Role
from common.models import User

THEME_COOKIE = "theme"
SIDEBAR_COOKIE = "sidebar"
_THEMES = ("light", "dark")


@dataclass(frozen=True)
class Entry:
    """One line of the navigation; it appears where the page exists and its reader may open it."""

    url_name: str
    label: StrPromise
    icon: str
    # The entry lights up on every page under this prefix of its URL.
    url: str = ""
    active: bool = False
    # Pages outside that prefix that belong to it.
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    label: StrPromise
    entries: tuple[Entry, ...]


NAVIGATION: tuple[Group, ...] = (
    Group(
        _("Sales"),
        (
            Entry("crm:order-list", _("Orders"), "clipboard-list"),
            Entry("crm:rush-list", _("Rush requests"), "bolt"),
            Entry("crm:delay-list", _("Delay notices"), "mail-exclamation"),
        ),
    ),
    Group(
        _("After-sales"),
        (
            Entry("crm:ticket-overview", _("After-sales today"), "gauge"),
            Entry("crm:tickets", _("Tickets"), "headset"),
            Entry("crm:rma-list", _("Returns"), "package-import"),
            Entry("crm:ticket-clusters", _("Complaint alerts"), "alert-hexagon"),
            Entry("crm:ticket-settings", _("Ticket settings"), "adjustments"),
        ),
    ),
    Group(
        _("Planning"),
        (
            Entry("aps:board", _("Schedule"), "timeline-event"),
            Entry("aps:scenario-list", _("Scenarios"), "git-branch", also=("aps:plan-compare",)),
            Entry("aps:capacity", _("Capacity"), "gauge"),
            Entry("aps:hours", _("Closures and overtime"), "clock"),
            Entry("aps:run-list", _("Planning runs"), "refresh"),
        ),
    ),
    Group(
        _("Shop floor"),
        (
            Entry("mes:dispatch-list", _("Dispatch list"), "list-check"),
            Entry("mes:work-order-list", _("Work orders"), "hammer"),
            Entry("mes:maintenance-list", _("Maintenance"), "tool"),
            Entry("mes:terminal-list", _("Terminals"), "device-tablet"),
            Entry("mes:badge-list", _("Badges"), "id-badge-2"),
            Entry("mes:reason-list", _("Reasons"), "list-details"),
            Entry("andon:board", _("Andon"), "bell-ringing"),
            Entry("incidents:incident-list", _("Incidents"), "urgent"),
            Entry("machines:oee", _("OEE"), "chart-bar"),
            Entry("mes:cost-list", _("Costs"), "coin"),
        ),
    ),
    Group(
        _("Quality"),
        (
            Entry("mes:nonconformances", _("Nonconformances"), "shield-x"),
            Entry("mes:check-faults", _("Checks to decide"), "ruler-measure"),
            Entry("mes:fmea", _("FMEA"), "table"),
        ),
    ),
    Group(
        _("Traceability"),
        (
            Entry("crm:trace", _("Trace"), "route"),
            Entry("crm:impact-cause", _("Suspects"), "virus-search"),
            Entry("crm:trace-shared", _("What failed units share"), "affiliate"),
            Entry("crm:drill-list", _("Recall drills"), "stopwatch"),
        ),
    ),
    Group(
        _("Supply"),
        (
            Entry("erp:stock-list", _("Stock"), "packages"),
            Entry("crm:shipment-list", _("Shipments"), "truck-delivery"),
            Entry("erp:pick-list", _("Pick lists"), "list-check"),
            Entry("erp:stock-move", _("Move goods"), "transfer"),
            Entry("erp:transfer-list", _("Transfers"), "truck"),
            Entry("erp:count-list", _("Counts"), "clipboard-check"),
            Entry("erp:bin-list", _("Bins"), "building-warehouse"),
            Entry("erp:hold-list", _("Held goods"), "lock"),
            Entry("mes:shortage-list", _("Shortages"), "alert-triangle"),
            Entry("erp:proposal-list", _("Requirements planning"), "calculator"),
            Entry("erp:purchase-list", _("Purchase orders"), "shopping-cart"),
        ),
    ),
    Group(
        _("System"),
        (
            Entry("masterdata:home", _("Master data"), "database"),
            Entry("common:job-list", _("Background jobs"), "activity"),
            Entry("common:audit-list", _("Audit trail"), "history"),
            Entry("admin:index", _("Administration"), "settings"),
            Entry("common:gallery", _("Component gallery"), "palette"),
        ),
    ),
)


def reverse_or_empty(name: str) -> str:
    """The URL of a page, empty where this installation has no such page."""
    return _reversed(name, get_urlconf() or settings.ROOT_URLCONF)


def may_open(request: HttpRequest, url: str) -> bool:
    """Whether the page's own declared permission lets this user in: the table is asked, not us."""
    match = _resolved(url, get_urlconf() or settings.ROOT_URLCONF)
    return match is not None and access.may_open(request.user, match.func, match)


# Every page of the house asks for the same few addresses, which its URL table alone decides.
@cache
def _reversed(name: str, urlconf: str) -> str:
    try:
        return reverse(name, urlconf)
    except NoReverseMatch:
        return ""


@cache
def _resolved(url: str, urlconf: str) -> ResolverMatch | None:
    try:
        return resolve(url, urlconf)
    except Resolver404:
        return None


class Shell:
    """The frame's facts, each computed only when a template asks."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @property
    def theme(self) -> str:
        """light, dark, or empty to follow the system."""
        value = self.request.COOKIES.get(THEME_COOKIE, "")
        return value if value in _THEMES else ""

    @property
    def folded(self) -> bool:
        """Whether the user folded the sidebar to its icons."""
        return self.request.COOKIES.get(SIDEBAR_COOKIE) == "folded"

    @cached_property
    def navigation(self) -> list[Group]:
        """The groups with the entries this user may open; empty groups are left out."""
        if not self.request.user.is_authenticated:
            return []
        groups = (Group(group.label, tuple(self._open(group.entries))) for group in NAVIGATION)
        return [group for group in groups if group.entries]

    def _open(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        for entry in entries:
            url = reverse_or_empty(entry.url_name)
            if url and may_open(self.request, url):
                is_here = url == self._place
                yield Entry(entry.url_name, entry.label, entry.icon, url, is_here)

    @cached_property
    def _place(self) -> str:
        """The entry's URL that this page lies under; of several the nearest."""
        path = self.request.path
        places = [
            (reverse_or_empty(name), entry.url_name)
            for group in NAVIGATION
            for entry in group.entries
            for name in (entry.url_name, *entry.also)
        ]
        nearest = max(
            (place for place in places if place[0] and path.startswith(place[0])),
            key=lambda place: len(place[0]),
            default=None,
        )
        return reverse_or_empty(nearest[1]) if nearest else ""

    @cached_property
    def urls(self) -> dict[str, str]:
        """Optional pages the frame links to, by short name; empty where missing."""
        names = {
            "home": "common:home",
            "language": "common:language-set",
            "notifications": "common:notification-list",
            "search": "common:search",
            "password": "account_change_password",
            "mfa": "mfa_index",
            "logout": "account_logout",
            "login": "account_login",
            "portal": "portal:order-list",
        }
        return {short: reverse_or_empty(name) for short, name in names.items()}

    @property
    def frame(self) -> str:
        """The template that account and error pages extend: customers keep the portal's frame."""
        user = self.request.user
        if isinstance(user, User) and user.has_role(Role.CUSTOMER):
            return "portal_base.html"
        return "base.html" if user.is_authenticated else "entrance_base.html"

    @cached_property
    def unread(self) -> int:
        """Unread notifications."""
        user = self.request.user
        return selectors.unread_count(user=user) if isinstance(user, User) else 0

    @cached_property
    def demo(self) -> bool:
        """Whether all that is shown is invented."""
        return selectors.is_demo()

    @cached_property
    def demo_accounts(self) -> Sequence[selectors.DemoAccount]:
        """The accounts the login page offers; none where the data is real."""
        return selectors.demo_accounts()

    @property
    def languages(self) -> list[tuple[str, str]]:
        """Code and the language's own name."""
        return [("en", "English"), ("zh-hans", "简体中文")]


def shell(request: HttpRequest) -> dict[str, object]:
    """``shell`` for every template."""
    return {"shell": Shell(request)}
