"""The form of the import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from masterdata.services.imports import RESOURCES, reading


class UploadForm(forms.Form):
    """A file and what is in it."""

    resource = forms.ChoiceField(label=_("What is in the file"))
    file = forms.FileField(label=_("CSV or XLSX file"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        resource = self.fields["resource"]
        if isinstance(resource, forms.ChoiceField):
            resource.choices = [(kind.name, kind.label) for kind in RESOURCES.values()]

    def clean_file(self) -> UploadedFile[Any]:
        """The file, refused by its size before anybody reads it."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > reading.MAX_BYTES:
            raise ValidationError(
                _("%(file)s is larger than %(limit)s MB; split it.")
                % {"file": file.name, "limit": reading.MAX_BYTES // 1_000_000}
            )
        return file
