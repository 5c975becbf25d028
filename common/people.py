"""How people are called: who works at machines by name only for who may see it."""

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from common import permissions
from common.enums import Role
from common.models import User


def shown(person: User | None, reader: User | AnonymousUser | None) -> str:
    """The person's name; of an operator the number that the trace page says, unless the reader
    may see names or is that operator. Empty for nobody."""
    if person is None:
        return ""
    if not person.has_role(Role.OPERATOR) or permissions.allowed(reader, "crm.view_operator"):
        return str(person)
    is_own = isinstance(reader, User) and reader.pk == person.pk
    return str(person) if is_own else _("Operator No. %(number)s") % {"number": person.pk}
