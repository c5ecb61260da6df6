"""What can be checked of the documents: every relative link leads somewhere, and the READMEs and the guides are each one text in two languages."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAIRS = (("README.md", "README.fr.md"), ("docs/getting-started.md", "docs/fr/demarrage.md"))
TWINS = tuple(name for pair in PAIRS for name in pair)
SKIPPED = {".venv", ".git", ".hypothesis", "node_modules", "shared"}

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OWN_WORDS = re.compile(r"^Description=.*$|<[^>]+>", re.MULTILINE)  # a unit's title, what the reader puts in
_COMMENT = re.compile(r"\s+#.*$", re.MULTILINE)


def pages(root: Path) -> Iterator[Path]:
    """Every page of the repository."""
    for path in sorted(root.rglob("*.md")):
        if not SKIPPED & set(path.relative_to(root).parts):
            yield path


def anchor(heading: str) -> str:
    """A heading's fragment, as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


def headings(text: str) -> list[tuple[int, str]]:
    """(level, words) of each heading outside of code."""
    return [(len(marks), words) for marks, words in re.findall(r"^(#+) (.+)$", _BLOCK.sub("", text), re.MULTILINE)]


def dead(path: Path, root: Path) -> Iterator[str]:
    """The links of a page that lead nowhere."""
    text = path.read_text(encoding="utf-8")
    for link in _LINK.findall(_BLOCK.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            yield f"{path.relative_to(root)}: {link} leads nowhere"
        elif fragment and fragment not in {anchor(words) for _, words in headings(target.read_text(encoding="utf-8"))}:
            yield f"{path.relative_to(root)}: {link} names no heading"


def _code(kind: str, code: str) -> str:
    """Code without what its language may change: comments, the language's own setting, and samples of prose (`text`)."""
    if kind == "text":
        return ""
    plain = _OWN_WORDS.sub("", _COMMENT.sub("", code))
    return plain.replace("language: fr", "language: en").replace("LANGUAGE=fr", "LANGUAGE=en").replace("copie.db", "copy.db")


def shape(text: str) -> dict[str, list[object]]:
    """What two languages of one text share: levels of headings, code, cells of tables, links."""
    return {
        "levels of headings": [level for level, _ in headings(text)],
        "blocks of code": [(kind, _code(kind, code)) for kind, code in _BLOCK.findall(text)],
        "cells of tables": [line.count("|") for line in text.splitlines() if line.startswith("|")],
        "links": sorted({link for link in _LINK.findall(text) if link not in TWINS}),
    }


def unlike(names: tuple[str, str], root: Path) -> Iterator[str]:
    """How the two languages of one text differ in shape."""
    first, second = ((root / name).read_text(encoding="utf-8") for name in names)
    left, right = shape(first), shape(second)
    for name, found in left.items():
        if found != right[name]:
            where = next((pair for pair in zip(found, right[name], strict=False) if pair[0] != pair[1]), (len(found), len(right[name])))
            yield f"{' and '.join(names)} differ in their {name}: {where[0]!r} against {where[1]!r}"


def faults(root: Path) -> list[str]:
    """Everything that is wrong."""
    pairs = [pair for pair in PAIRS if all((root / name).exists() for name in pair)]
    return [fault for path in pages(root) for fault in dead(path, root)] + [fault for pair in pairs for fault in unlike(pair, root)]


def main() -> int:
    """Print what is wrong; 1 when anything is."""
    found = faults(ROOT)
    print("\n".join(found) or f"links: {sum(1 for _ in pages(ROOT))} pages, every link leads somewhere, the two languages agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
