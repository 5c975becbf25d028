"""Names in both languages."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class BilingualName(models.Model):
    """A name in English and, where given, in Chinese; ``label`` speaks the reader's language."""

    name = models.CharField(_("name"), max_length=200)
    name_zh = models.CharField(_("Chinese name"), max_length=200, blank=True)

    class Meta:
        abstract = True

    @property
    def label(self) -> str:
        """The name in the active language, the other one where it is missing."""
        if (get_language() or "").startswith("zh") and self.name_zh:
            return self.name_zh
        return self.name
