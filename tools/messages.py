"""The texts to translate: collect them into locale/, or check that all are translated.

    python -m tools.messages [--check]

Needs no GNU gettext: Python files are read by their syntax tree, templates by Django's own
`templatize`. Translations are kept, new texts added empty, texts that are gone removed. The file
names no line numbers and is sorted, so that two branches merge.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

from tools import compile_messages, errors
from tools.errors import CannotGoOn
from tools.paths import ROOT

LANGUAGES = {"zh_Hans": "nplurals=1; plural=0;"}  # locale → its plural rule
NOT_SHOWN = {".git", ".venv", "node_modules", "var", "tests", "tools", "migrations", "deploy"}
_STRING = r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
TEMPLATE_CALL = re.compile(rf"(?<![\w.])(\w+)\({_STRING}(?:, {_STRING})?(?:, {_STRING})?")
COMPONENT_TEXT = re.compile(rf"(?<![\w.])_\({_STRING}\)")  # <c-action :label="_('Save')" />
PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]|%[sdif%]|\{\w*\}")


@dataclass(frozen=True, order=True)
class Text:
    """One text to translate; `context` and `plural` are empty where there is none."""

    text: str
    plural: str = ""
    context: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What a catalogue finds it by."""
        return (self.text, self.context)


def _from_call(function: str, arguments: list[str]) -> Text | None:
    """The text of a gettext call, if `function` is one and its texts are literal."""
    name = "gettext" if function == "_" else function.removesuffix("_lazy").removesuffix("_noop")
    match name, arguments:
        case "gettext", [text, *_]:
            return Text(text)
        case "ngettext", [text, plural, *_]:
            return Text(text, plural)
        case "pgettext", [context, text, *_]:
            return Text(text, context=context)
        case "npgettext", [context, text, plural, *_]:
            return Text(text, plural, context)
    return None


def texts_of_python(source: str) -> Iterator[Text]:
    """The texts of a Python file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            values = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            found = _from_call(name, [value for value in values if isinstance(value, str)])
            if found and found.text:
                yield found


def texts_of_template(source: str) -> Iterator[Text]:
    """The texts of a Django template, those in the attributes of components among them."""
    for attribute in COMPONENT_TEXT.finditer(source):
        yield Text(ast.literal_eval(attribute[1]))
    for call in TEMPLATE_CALL.finditer(templatize(source)):
        arguments = [ast.literal_eval(part) for part in call.groups()[1:] if part is not None]
        found = _from_call(call[1], arguments)
        if found and found.text:
            yield found


def collect(root: Path = ROOT) -> dict[Text, list[str]]:
    """Every text with the files it is in."""
    found: dict[Text, set[str]] = defaultdict(set)
    for path in _sources(root):
        read = texts_of_python if path.suffix == ".py" else texts_of_template
        for text in read(path.read_text(encoding="utf-8")):
            found[text].add(path.relative_to(root).as_posix())
    return {text: sorted(files) for text, files in sorted(found.items())}


def _sources(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.name in NOT_SHOWN:
            continue
        if path.is_dir():
            yield from _sources(path)
        elif path.suffix in {".py", ".html", ".txt"} and path.parent != ROOT:
            yield path


def catalogue(language: str, root: Path = ROOT) -> Path:
    """The file with the translations of `language`."""
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def merge(po: polib.POFile, texts: dict[Text, list[str]]) -> polib.POFile:
    """A catalogue of exactly `texts`, with the translations that `po` has for them."""
    known = {(entry.msgid, entry.msgctxt or ""): entry for entry in po}
    merged = polib.POFile(wrapwidth=10_000)
    merged.metadata = po.metadata
    for text, files in _one_per_key(texts):
        old = known.get(text.key)
        entry = polib.POEntry(
            msgid=text.text,
            msgid_plural=text.plural,
            msgctxt=text.context or None,
            occurrences=[(file, "") for file in files],
        )
        if old and bool(old.msgid_plural) == bool(text.plural):
            entry.msgstr, entry.flags = old.msgstr, old.flags
            entry.msgstr_plural, entry.tcomment = old.msgstr_plural, old.tcomment
        elif text.plural:
            entry.msgstr_plural = {0: ""}
        merged.append(entry)
    return merged


def _one_per_key(texts: dict[Text, list[str]]) -> Iterable[tuple[Text, list[str]]]:
    """A text used alone and with a plural is one entry, that with the plural."""
    chosen: dict[tuple[str, str], tuple[Text, list[str]]] = {}
    for text, files in texts.items():
        other, others = chosen.get(text.key, (text, []))
        chosen[text.key] = (max(text, other), sorted({*files, *others}))
    return chosen.values()


def faults(po: polib.POFile, texts: dict[Text, list[str]]) -> list[str]:
    """What keeps a page from being wholly translated, one line each."""
    known = {(entry.msgid, entry.msgctxt or ""): entry for entry in po}
    found = []
    for text, files in texts.items():
        entry = known.get(text.key)
        translations = [] if entry is None else [entry.msgstr, *entry.msgstr_plural.values()]
        translated = [translation for translation in translations if translation]
        if entry is None or not translated or entry.fuzzy:
            found.append(f"{files[0]}: not translated: {text.text!r}")
            continue
        allowed = {*PLACEHOLDER.findall(text.text), *PLACEHOLDER.findall(text.plural)}
        needed = set(PLACEHOLDER.findall(text.plural or text.text))
        for translation in translated:
            used = set(PLACEHOLDER.findall(translation))
            if not used <= allowed or not needed <= used:
                found.append(f"{files[0]}: placeholders differ: {text.text!r} → {translation!r}")
    return found


def main() -> int:
    """Run the command line."""
    texts = collect()
    found: list[str] = []
    for language, plural_rule in LANGUAGES.items():
        path = catalogue(language)
        po = polib.pofile(str(path), encoding="utf-8") if path.exists() else polib.POFile()
        if "--check" in sys.argv[1:]:
            found += faults(po, texts)
        else:
            po.metadata = {
                "Project-Id-Version": "Millstream",
                "Language": language,
                "MIME-Version": "1.0",
                "Content-Type": "text/plain; charset=UTF-8",
                "Content-Transfer-Encoding": "8bit",
                "Plural-Forms": plural_rule,
            }
            path.parent.mkdir(parents=True, exist_ok=True)
            merge(po, texts).save(str(path))
            missing = len(faults(merge(po, texts), texts))
            print(f"{path.relative_to(ROOT)}: {len(texts)} texts, {missing} to translate")
    if found:
        print("\n".join(found))
        raise CannotGoOn(
            f"{len(found)} texts are not well translated: `make messages`, then fill locale/ in."
        )
    return compile_messages.main()


if __name__ == "__main__":
    errors.run_main(main)
