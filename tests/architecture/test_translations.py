"""The Chinese catalogue is whole and speaks the glossary's words; broken ones are found."""

import re
from collections.abc import Iterator

import polib
import pytest
from django.conf import settings
from django.utils.translation.trans_real import DjangoTranslation

from tools import compile_messages, messages
from tools.messages import Text

CHINESE = re.compile(r"[\u4e00-\u9fff]")
OPTION = re.compile(r"--[\w-]+")  # of a command
# Names, formats and column heads that are the same in both languages.
SAME = {"CSV", "Millstream", "%(kind)-24s %(created)9s %(changed)9s %(same)9s %(bad)6s"}
FORMATS = {"format of a moment", "format of a day"}
# A word of the glossary that also means something else on a screen: the head of a column.
OTHER_MEANING = {"start"}


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(messages.catalogue("zh_Hans")), encoding="utf-8")


@pytest.fixture(scope="module")
def texts() -> dict[Text, list[str]]:
    return messages.collect()


def glossary() -> dict[str, set[str]]:
    """English term → the Chinese words for it, from the table of docs/glossary.md."""
    found: dict[str, set[str]] = {}
    for row in (settings.BASE_DIR / "docs" / "glossary.md").read_text().splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) != 3 or cells[0] == "English" or not CHINESE.search(cells[1]):
            continue
        english = [word.strip() for word in re.split(r",|/", re.sub(r"\(.*?\)", "", cells[0]))]
        chinese = [word.strip() for word in re.split(r"[、／]", cells[1])]
        if len(english) == len(chinese):
            pairs = [(word, {word_zh}) for word, word_zh in zip(english, chinese, strict=True)]
        else:
            pairs = [(word, set(chinese)) for word in english]
        for word, words in pairs:
            plain = {part for one in words for part in re.split(r"[（）]", one) if part}
            found.setdefault(word.lower(), set()).update(plain)
    return found


def english_left(entry: polib.POEntry, terms: dict[str, set[str]]) -> Iterator[str]:
    """Terms of the glossary that stand in a translation in English."""
    for said in [entry.msgstr, *entry.msgstr_plural.values()]:
        bare = OPTION.sub("", messages.PLACEHOLDER.sub("", said)).lower()
        yield from (term for term in terms if re.search(rf"(?<![\w.]){term}(?![\w.])", bare))


def test_every_text_is_translated_with_its_placeholders(
    catalogue: polib.POFile, texts: dict[Text, list[str]]
) -> None:
    assert messages.faults(catalogue, texts) == []


def test_the_catalogue_holds_what_the_sources_hold_and_nothing_is_fuzzy(
    catalogue: polib.POFile, texts: dict[Text, list[str]]
) -> None:
    gone = {(entry.msgid, entry.msgctxt or "") for entry in catalogue} - {t.key for t in texts}
    assert gone == set(), "run: make messages"
    assert catalogue.fuzzy_entries() == []
    assert catalogue.obsolete_entries() == []


def test_chinese_has_one_plural_form(catalogue: polib.POFile) -> None:
    assert catalogue.metadata["Plural-Forms"] == "nplurals=1; plural=0;"
    for entry in catalogue:
        assert set(entry.msgstr_plural) == ({0} if entry.msgid_plural else set()), entry.msgid


def test_every_translation_is_chinese(catalogue: polib.POFile) -> None:
    left = [
        entry.msgid
        for entry in catalogue
        if entry.msgid not in SAME
        and entry.msgctxt not in FORMATS
        and not all(CHINESE.search(s) for s in [entry.msgstr, *entry.msgstr_plural.values()] if s)
    ]
    assert left == []


def test_no_word_of_the_glossary_is_left_in_english(catalogue: polib.POFile) -> None:
    terms = glossary()
    left = {entry.msgid: found for entry in catalogue if (found := [*english_left(entry, terms)])}
    assert left == {}


def test_a_term_is_translated_as_the_glossary_says(catalogue: polib.POFile) -> None:
    terms = glossary()
    assert terms["work order"] == {"工单"}
    assert terms["scrap"] == {"报废"}
    wrong = {
        entry.msgid: entry.msgstr
        for entry in catalogue
        if not entry.msgctxt  # where there is one, the word means something else there
        and (words := terms.get(entry.msgid.lower()))
        and entry.msgid.lower() not in OTHER_MEANING
        and not any(word in entry.msgstr for word in words)
    }
    assert wrong == {}


def test_our_words_win_over_those_of_django() -> None:
    compile_messages.main()
    chinese = DjangoTranslation("zh-hans")  # read anew: another test may have read older files
    assert chinese.gettext("Order") == "订单"
    assert chinese.gettext("Tue") == "周二"
    assert chinese.ngettext("in %(n)d day", "in %(n)d days", 28) % {"n": 28} == "28 天后"


@pytest.mark.parametrize(
    ("translation", "said"),
    [
        ('msgstr ""', "not translated"),
        ('msgstr "工单"', "placeholders differ"),
        ('msgstr "工单 %(nummer)s"', "placeholders differ"),
        ('msgstr "工单 %(number)s %(state)s"', "placeholders differ"),
    ],
)
def test_a_broken_catalogue_is_found(translation: str, said: str) -> None:
    broken = polib.pofile(f'msgid "Work order %(number)s"\n{translation}\n')
    assert said in "".join(messages.faults(broken, {Text("Work order %(number)s"): ["a.py"]}))
    fuzzy = polib.pofile('#, fuzzy\nmsgid "Work order"\nmsgstr "工单"\n')
    assert messages.faults(fuzzy, {Text("Work order"): ["a.py"]})
    whole = polib.pofile('msgid "Work order"\nmsgstr "工单"\n')
    assert messages.faults(whole, {Text("Work order"): ["a.py"]}) == []


def test_english_left_in_a_translation_is_found() -> None:
    entry = polib.POEntry(msgid="Start the work order", msgstr="开始 Work Order")
    assert [*english_left(entry, glossary())] == ["work order"]
    placed = polib.POEntry(msgid="Line %(line)s of %(work order)s", msgstr="第 %(line)s 行")
    assert [*english_left(placed, glossary())] == []


def test_texts_are_collected_wherever_they_stand() -> None:
    page = """{% load i18n %}<c-action :label="_('Plan again')" />
        <b title="{% trans 'Due' context 'job' %}">{{ name|default:_('by itself') }}</b>
        {% blocktrans count n=n %}{{ n }} day{% plural %}{{ n }} days{% endblocktrans %}"""
    assert set(messages.texts_of_template(page)) == {
        Text("Plan again"),
        Text("Due", context="job"),
        Text("by itself"),
        Text("%(n)s day", "%(n)s days"),
    }
    code = 'a = _("Late")\nb = pgettext_lazy("milestone", "Started")\nc = ngettext("a", "b", 2)\n'
    assert set(messages.texts_of_python(code)) == {
        Text("Late"),
        Text("Started", context="milestone"),
        Text("a", "b"),
    }
