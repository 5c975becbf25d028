"""Refusals: what a business action says when it will not be done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise


class Refused(Exception):
    """Base of every ``Cannot<Verb>``; carries a translated sentence a user can act on.

    The API answers 409 with it, a page shows it as a message, a disabled button as its tooltip.
    """

    def __init__(self, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


def refusal(check: Callable[..., None], *subject: object, **facts: object) -> str:
    """Why an action is not possible now, "" if it is: the disabled button's sentence."""
    try:
        check(*subject, **facts)
    except Refused as refused:
        return str(refused)
    return ""


@contextmanager
def told(request: HttpRequest) -> Iterator[None]:
    """Turn a refusal inside the block into a message on the next page.

    Put the whole transaction inside the block, so that it is undone before the message is kept.
    """
    try:
        yield
    except Refused as refusal:
        messages.error(request, str(refusal))
