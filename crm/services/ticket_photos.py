"""Pictures that come with a ticket: by their first bytes, small enough, served as what they are."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext as _

from crm.models import TicketMessage, TicketPhoto
from crm.models.ticket import LARGEST_PHOTO
from crm.policies_tickets import CannotAttach

MOST_PHOTOS = 8
PHOTO_TYPES = "image/jpeg,image/png,image/webp"


class _File(Protocol):
    name: str | None
    size: int | None

    def read(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that was looked at and may be kept."""

    name: str
    content_type: str
    content: bytes


def kind_of(content: bytes) -> str:
    """The type of a picture by its first bytes, empty where it is none that we take."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return ""


def photo(name: str, content: bytes) -> Photo:
    """The picture; raise CannotAttach for another kind of file, an empty or a large one."""
    told = "".join(letter for letter in name if letter.isprintable())
    shown = told.replace("\\", "/").rsplit("/", 1)[-1][-120:] or "photo"
    _check_size(shown, len(content))
    kind = kind_of(content)
    if not kind:
        raise CannotAttach(_("%(file)s is no photo: send JPEG, PNG or WebP.") % {"file": shown})
    return Photo(shown, kind, content)


def uploaded(files: Sequence[_File]) -> list[Photo]:
    """The pictures of a form; raise CannotAttach for one that is none, or too many."""
    if len(files) > MOST_PHOTOS:
        raise CannotAttach(_("Send %(most)s photos at most at once.") % {"most": MOST_PHOTOS})
    found = []
    for file in files:
        # Before anybody reads it.
        _check_size(file.name or "", file.size or 0)
        found.append(photo(file.name or "", file.read()))
    return found


def _check_size(name: str, size: int) -> None:
    if size > LARGEST_PHOTO:
        raise CannotAttach(
            _("%(file)s is larger than %(most)s MB.")
            % {"file": name, "most": LARGEST_PHOTO // 1_000_000}
        )


def keep(message: TicketMessage, photos: Sequence[Photo]) -> None:
    """Keep the pictures with the message; the same one twice is one."""
    by_digest = {hashlib.sha256(found.content).hexdigest(): found for found in photos}
    TicketPhoto.objects.bulk_create(
        TicketPhoto(
            message=message,
            name=found.name,
            content_type=found.content_type,
            size=len(found.content),
            digest=digest,
            content=found.content,
        )
        for digest, found in by_digest.items()
    )
