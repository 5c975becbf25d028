"""Status badges: colour, icon and word, never colour alone (DESIGN §7)."""

from enum import StrEnum

from django.utils.html import format_html
from django.utils.safestring import SafeString


class Tone(StrEnum):
    """What a state means to its reader; each has a colour pair in tokens.css and a sprite icon."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    RISK = "risk"
    LATE = "late"
    HOLD = "hold"


# Every state word of DESIGN §4 and of the job ledger. A word that is missing reads as planned;
# tests/common/test_ui.py walks the apps' TextChoices and names what is missing.
TONES: dict[str, Tone] = {
    word: tone
    for tone, words in {
        Tone.PLANNED: (
            "draft submitted planned waiting queued open assessed pending_approval in_process"
            " sent unknown idle off make buy defer reduce requested undecided normal low decided"
            " assigned"
        ),
        Tone.RUNNING: (
            "approved released ready setup running in_progress in_production solving confirmed"
            " ready_to_ship partly_shipped partly_received applied_partly action verification"
            " under_analysis shipped acknowledged in_transit authorised evaluated in_repair"
            " answered"
        ),
        Tone.DONE: (
            "done completed delivered closed accepted published solved applied received"
            " available consumed posted fulfilled resolved feasible on_time current active success"
            " covered verified lifted executed shown"
        ),
        Tone.RISK: (
            "at_risk risk interrupted stale expired contained returned rework warning short"
            " to_approve expedite goodwill high in_place too_few"
        ),
        Tone.LATE: (
            "late failed dead rejected declined infeasible scrapped lost danger overdue raised down"
            " urgent not_covered"
        ),
        Tone.HOLD: (
            "on_hold hold cancelled cancel superseded blocked quarantine dismissed withdrawn"
        ),
    }.items()
    for word in (tone.value, *words.split())
}


def tone_of(state: object) -> Tone:
    """The tone of a state word or of a tone's own name."""
    word = str(getattr(state, "value", state) or "").lower().replace("-", "_").replace(" ", "_")
    return TONES.get(word, Tone.PLANNED)


def badge(state: object, label: str = "", *, tone: str = "", size: str = "") -> SafeString:
    """The badge of a state. ``label`` is the word shown; a TextChoices member brings its own."""
    chosen = tone_of(tone or state)
    word = label or getattr(state, "label", "") or str(state or "").replace("_", " ").capitalize()
    return format_html(
        '<span class="status status-{}{}"><svg class="icon" aria-hidden="true">'
        '<use href="#tone-{}"/></svg><span>{}</span></span>',
        chosen.value,
        f" status-{size}" if size else "",
        chosen.value,
        word,
    )
