"""What administrators edit in Django's admin: people and their roles."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.forms import ModelForm
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common import audit
from common.forms import NewUserForm, UserForm
from common.models import User

PASSWORDS = ("usable_password", "password1", "password2")
AUDITED = ("username", "first_name", "last_name", "email", "roles", "language", "is_active")

# Rights come from the roles alone; a token is shown by `create_token` to who may run it.
admin.site.unregister(Group)
admin.site.site_header = admin.site.site_title = _("Administration")
admin.site.site_url = "/"


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """List, create, change, deactivate. Nobody is deleted: their name is in the audit trail."""

    form = UserForm
    add_form = NewUserForm
    list_display = ("username", "first_name", "last_name", "role_names", "language", "is_active")
    list_filter = ("is_active", "language")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "language")}),
        (_("Rights"), {"fields": ("roles",)}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": (
                    "username",
                    "roles",
                    "language",
                    "usable_password",
                    "password1",
                    "password2",
                )
            },
        ),
    )
    readonly_fields = ("last_login", "date_joined")

    @admin.display(description=_("roles"))
    def role_names(self, user: User) -> str:
        """The roles in words."""
        return ", ".join(user.role_labels)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool
    ) -> None:
        """Save together with a row of the audit trail."""
        with transaction.atomic():
            old = User.objects.filter(pk=obj.pk).values(*AUDITED).first() or {}
            super().save_model(request, obj, form, change)
            audit.record(
                action="common.user.change" if change else "common.user.create",
                target=obj,
                by=_by(request),
                now=timezone.now(),
                changes=audit.difference(old, {field: getattr(obj, field) for field in AUDITED}),
            )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Set another's password; that it was done, not what was set, is in the audit trail."""
        user: User | None = self.get_object(request, unquote(id))
        if user is None:
            raise Http404
        before = user.password
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            user.refresh_from_db()
            if user.password != before:
                audit.record(
                    action="common.user.set_password",
                    target=user,
                    by=_by(request),
                    now=timezone.now(),
                )
        return response


def _by(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
