"""The form of the import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from masterdata.services.imports import RESOURCES


class UploadForm(forms.Form):
    """A file and what is in it."""

    resource = forms.ChoiceField(label=_("What is in the file"))
    file = forms.FileField(label=_("CSV or XLSX file"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        resource = self.fields["resource"]
        if isinstance(resource, forms.ChoiceField):
            resource.choices = [(kind.name, kind.label) for kind in RESOURCES.values()]
