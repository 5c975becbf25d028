"""One account per role, named after it; operators and customers have more."""

from datetime import datetime

from common.enums import Role
from common.models import User
from common.selectors import DEMO_PASSWORD
from masterdata.services import portal_users
from mes.services import badges

# username: (first name, language); a customer's account belongs to the customer after it.
NAMES = {
    Role.SALES: "Sara Lin",
    Role.PLANNER: "Paul Wu",
    Role.SUPERVISOR: "Susan Zhao",
    Role.OPERATOR: "Oscar Chen",
    Role.PURCHASING: "Peter Sun",
    Role.WAREHOUSE: "Wendy Hu",
    Role.QUALITY: "Quinn Gao",
    Role.AFTER_SALES: "Anna Shi",
    Role.MANAGER: "Martin Ye",
    Role.ADMINISTRATOR: "Ada Jin",
}
# More people at the machines than the one whom the login page names.
OPERATORS = {"operator-b": "Olga Ma", "operator-c": "Owen Tang"}
# username: (number, PIN); the badge says BADGE-<number>.
FLOOR = {
    "operator": ("1001", "2580"),
    "supervisor": ("1002", "1470"),
    "operator-b": ("1003", "3690"),
    "operator-c": ("1004", "9630"),
}
CUSTOMERS = {"customer": ("CUST-A", "Carol Ames"), "customer-b": ("CUST-B", "包晨")}


def create() -> dict[str, User]:
    """The accounts by username; existing ones are kept."""
    users = {role.value: _user(role.value, name, role) for role, name in NAMES.items()}
    for username, name in OPERATORS.items():
        users[username] = _user(username, name, Role.OPERATOR)
    for username, (code, name) in CUSTOMERS.items():
        users[username] = _user(username, name, Role.CUSTOMER)
        portal_users.assign(user=users[username], customer_code=code)
    return users


def give_badges(users: dict[str, User], *, now: datetime) -> None:
    """Number and PIN at terminals, for those who work there; README says them."""
    for username, (number, pin) in FLOOR.items():
        badges.issue(
            person=users[username],
            number=number,
            code=f"BADGE-{number}",
            pin=pin,
            by=users["supervisor"],
            now=now,
        )


def _user(username: str, name: str, role: Role) -> User:
    first, _space, last = name.partition(" ")
    user, created = User.objects.get_or_create(
        username=username,
        defaults={
            "first_name": first,
            "last_name": last,
            "roles": [role.value],
            "language": "zh-hans" if username == "customer-b" else "en",
        },
    )
    if created:
        user.set_password(DEMO_PASSWORD)
        user.save(update_fields=["password"])
    return user
