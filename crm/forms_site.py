"""The choice of a site, on forms of offices that work for several."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from masterdata import selectors as masterdata


class AtSiteForm(forms.Form):
    """Asks for the site where there are several; empty: where the items are made.

    It is not called ``site``: a POST of that name would move all pages there.
    """

    at_site = forms.ChoiceField(
        label=_("Site"), required=False, widget=forms.Select({"class": "form-select"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = masterdata.sites()
        if len(sites) < 2:
            del self.fields["at_site"]
            return
        choices = [("", _("Where it is made")), *((s.code, s.label) for s in sites)]
        self.fields["at_site"].choices = choices  # type: ignore[attr-defined]  # a choice field

    @property
    def site_code(self) -> str:
        """What was chosen."""
        return str(self.cleaned_data.get("at_site") or "")
