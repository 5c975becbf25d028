"""What the schedule is narrowed to; lives in the URL."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class BoardFilter(forms.Form):
    """Work center, order and lateness, for the board and its list alike."""

    q = forms.CharField(
        label=_("Order"),
        required=False,
        max_length=60,
        widget=forms.TextInput(
            {"type": "search", "class": "form-control", "placeholder": _("Order or item")}
        ),
    )
    center = forms.ChoiceField(
        label=_("Work center"),
        required=False,
        widget=forms.Select({"class": "form-select"}),
    )
    late = forms.BooleanField(
        label=_("Late only"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
    )

    def __init__(self, *args: Any, centers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["center"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", _("All work centers")), *centers]
