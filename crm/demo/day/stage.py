"""What all who play share: the people, the factory's clock, and a voice."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from common.enums import Role
from common.errors import Refused
from common.models import User

BEGINS = 6 * 60


@dataclass
class Stage:
    """One performance; ``minute`` counts the factory's minutes since the day began."""

    site_id: int
    users: dict[str, User]
    chance: random.Random
    say: Callable[[str], None]
    now: Callable[[], datetime]
    # Factory minutes between two looks at everything.
    step: int = 5
    minute: int = 0
    acts: int = 0
    refusals: int = 0
    _said: set[tuple[str, str]] = field(default_factory=set)

    def by(self, role: Role) -> User:
        """The demo's account of a role."""
        return self.users[role.value]

    def tell(self, sentence: str) -> None:
        """One line, at the factory's time."""
        hours, minutes = divmod(BEGINS + self.minute, 60)
        self.say(f"{hours % 24:02}:{minutes:02}  {sentence}")

    def act(self, what: str, service: Callable[..., Any], **arguments: Any) -> Any:
        """Do it and say so; None where it is refused, which is said once with the reason."""
        try:
            done = service(**arguments, now=self.now())
        except Refused as refusal:
            self.refused(what, str(refusal))
            return None
        self.acts += 1
        self.tell(what)
        return done if done is not None else True

    def refused(self, what: str, reason: str) -> None:
        """Say why something is left, once a day."""
        self.refusals += 1
        if (what, reason) not in self._said:
            self._said.add((what, reason))
            self.tell(f"{what}: skipped. {reason}")
