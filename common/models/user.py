"""Who works here, and in which roles."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.enums import Role


class UserManager(BaseUserManager["User"]):
    """Makes users; ``create_superuser`` exists for Django's ``createsuperuser`` command."""

    def create_user(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "User":
        """Save a user; without a password nobody can log in as them."""
        user = self.model(username=username, email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, email: str = "", password: str | None = None, **fields: Any
    ) -> "User":
        """Save an administrator."""
        return self.create_user(
            username, email, password, **{"roles": [Role.ADMINISTRATOR], **fields}
        )


class User(AbstractBaseUser):
    """A person or a partner's program; rights come from the roles alone."""

    username = models.CharField(
        _("username"), max_length=150, unique=True, validators=[UnicodeUsernameValidator()]
    )
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    email = models.EmailField(_("email address"), blank=True)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Deactivate a person who leaves; what they did stays in the history."),
    )
    date_joined = models.DateTimeField(_("date joined"), default=timezone.now)
    roles = ArrayField(
        models.CharField(max_length=20, choices=Role.choices),
        default=list,
        blank=True,
        verbose_name=_("roles"),
    )
    language = models.CharField(_("language"), max_length=10, default="en")

    # Of the session, not of the account: a key of ``permissions.LIMITS``, set by the middleware.
    limit: str = ""

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(
                condition=Q(roles__contained_by=list(Role.values)),
                name="%(app_label)s_%(class)s_known_roles",
                violation_error_message=_("There is no such role."),
            ),
            # A customer's account must never see what staff see, whatever the tables say.
            models.CheckConstraint(
                condition=~Q(roles__contains=[Role.CUSTOMER]) | Q(roles=[Role.CUSTOMER]),
                name="%(app_label)s_%(class)s_customer_holds_no_other_role",
                violation_error_message=_("A customer's account holds no other role."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_full_name(self) -> str:
        """First and last name, empty where none is known."""
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def role_labels(self) -> list[str]:
        """The roles in the active language."""
        return [str(Role(role).label) for role in self.roles]

    def has_role(self, *roles: Role) -> bool:
        """Whether the user holds one of the roles."""
        return any(role in self.roles for role in roles)

    # Django's admin asks these three; administrators may do everything there, others nothing.

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.has_role(Role.ADMINISTRATOR)

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff
