"""Parts of forms that several apps need."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from common import idempotency
from common.enums import Role
from common.models import User


class OnceForm(forms.Form):
    """A form that carries a key, so that sending it twice does its work once."""

    idempotency_key = forms.CharField(
        max_length=idempotency.MAX_KEY_LENGTH,
        widget=forms.HiddenInput,
        initial=idempotency.new_key,
    )


class _FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files, none too; what is in them is for the service to look at."""

    def __init__(self, *, accept: str, **kwargs: Any) -> None:
        widget = _FilesInput({"class": "form-control", "accept": accept, "multiple": True})
        super().__init__(required=False, widget=widget, **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = data if isinstance(data, list | tuple) else [data]
        cleaned = [super(FilesField, self).clean(file, initial) for file in files]
        return [file for file in cleaned if file]


class _RolesMixin(forms.ModelForm):  # type: ignore[type-arg]
    """Roles as check boxes, language as a choice."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=Role.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def clean_roles(self) -> list[str]:
        """Roles in the order of their table, which keeps the audit's differences honest."""
        chosen: set[str] = set(self.cleaned_data["roles"])
        return [role for role in Role.values if role in chosen]


class UserForm(_RolesMixin, UserChangeForm):  # type: ignore[type-arg]
    """A user as administrators edit them."""

    class Meta:
        model = User
        fields = (
            "username",
            "password",
            "first_name",
            "last_name",
            "email",
            "roles",
            "language",
            "is_active",
        )


class NewUserForm(_RolesMixin, AdminUserCreationForm):  # type: ignore[type-arg]
    """A new user, with a password or (a program, a login through an identity provider) without."""

    class Meta:
        model = User
        fields = ("username", "roles", "language")
