"""Read the settings' environment variables; a wrong value fails loudly with its name."""

import os
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def flag(name: str, *, default: bool) -> bool:
    """The variable as yes or no."""
    value = os.environ.get(name, "").strip().lower()
    if value == "":
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")


def words(name: str, *, default: str) -> list[str]:
    """The variable as a comma-separated list."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def database(url: str) -> dict[str, object]:
    """Django's DATABASES entry for postgresql://user:password@host:port/name?host=/socket/dir."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgresql://user:password@host:5432/millstream."
        )
    query = parse_qs(parts.query)
    return {
        "ENGINE": "config.postgres",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [unquote(parts.hostname or "")])[0],
        "PORT": query.get("port", [str(parts.port or "")])[0],
    }


def celery_broker(redis_url: str) -> str:
    """Celery's name for a Redis URL: unix:///path?db=1 is redis+socket:///path?virtual_host=1."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    number = parse_qs(query).get("db", ["0"])[0]
    return f"redis+socket://{path}?virtual_host={number}"


@dataclass(frozen=True)
class Mail:
    """Where mail goes: Django's backend of that name and what it needs."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False
    folder: str = ""


def mail(url: str) -> Mail:
    """What smtp://user:password@host:587, smtps://host, file:///folder or "" (the log) mean."""
    if not url:
        return Mail("console")
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path.strip("/"):
        return Mail("filebased", folder=unquote(parts.path))
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL must look like smtp://user:password@host:587.")
    tls = parts.scheme == "smtps"
    return Mail(
        "smtp",
        host=parts.hostname,
        port=parts.port or (465 if tls else 587),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=not tls and parse_qs(parts.query).get("tls") != ["0"],
        tls=tls,
    )
