"""python manage.py simulate: a day of the demo factory, so that its screens move."""

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.jobs import overview, run_due
from crm.demo.day import playing


def speed(text: str) -> float:
    """A factor above zero."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 10_000:
        raise ArgumentTypeError(f"“{text}” is not a factor from 1 (as the clock) to 10000.")
    return value


def minutes(text: str) -> int:
    """Of the factory's day."""
    if not text.isdecimal() or not 0 < int(text) <= playing.DAY_MINUTES:
        raise ArgumentTypeError(f"“{text}” is not a number of minutes up to {playing.DAY_MINUTES}.")
    return int(text)


class Command(BaseCommand):
    help = "Play a day of the demo factory beside `make run`; Ctrl-C ends the shift."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--speed",
            type=speed,
            default=playing.SPEED,
            help="factory minutes in a minute; 96: eight hours in five minutes",
        )
        parser.add_argument(
            "--minutes", type=minutes, default=playing.DAY_MINUTES, help="of the day of 480"
        )
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same choices")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        before = {
            number: signal.signal(number, lambda *_: self._stop(stop))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        # Beside `make run` its worker does the jobs; alone, this process does.
        alone = overview.depth(at=timezone.now()).dispatcher_silent
        if alone:
            self._say("No dispatcher runs: this process plans and converts by itself.")
        try:
            played = playing.play(
                say=self._say,
                seed=options["seed"],
                speed=options["speed"],
                minutes=options["minutes"],
                stop=stop,
                work=run_due if alone else lambda: None,
            )
        except playing.CannotPlay as refusal:
            raise CommandError(str(refusal)) from refusal
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if stop.is_set():
            self._say("Stopped: the shift has ended early.")
        self._say(
            f"{played.minutes} minutes of the factory's day: {played.acts} acts, "
            f"{played.refusals} left out."
        )

    def _stop(self, stop: threading.Event) -> None:
        """The shift ends after the act that is being done; a second time, at once."""
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
