"""The corpus: pages that lie with a good status, honest ones, and honest ones into which a machine's words were planted.

`seen` is the half that was looked at while the signs were written; `scored` was written first and is only counted. A file is a
status line, headers (`vigie-cause` is the cause that it must get, `vigie-host` the host it came from), an empty line, the body.
"""

import html
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.probes._reading import Reading

from vigie.probes.kit.http.page.parse import parse

PAGES = Path(__file__).parent / "pages"
PARTS = ("seen", "scored")


@dataclass(frozen=True)
class Sample:
    name: str
    status: int
    headers: dict[str, str]
    body: bytes
    cause: str | None
    host: str

    def found(self, body: bytes | None = None) -> str | None:
        """The cause that the page gets; what came with an error status is only asked whether it is a bot wall."""
        reader = Reading()
        body = self.body if body is None else body
        if self.status < 400:
            verdict, _ = reader.read(self.status, self.headers, body, self.host)
        elif self.cause is None:
            return None  # a status that its monitor expects: nothing is judged
        else:
            verdict = reader.wall(self.status, self.headers, body, self.host)
        return None if verdict is None else verdict.cause.value


def sample(path: Path) -> Sample:
    head, _, body = path.read_bytes().partition(b"\n\n")
    first, *lines = head.decode().split("\n")
    headers = dict(line.split(": ", 1) for line in lines)
    cause, host = headers.pop("vigie-cause", None), headers.pop("vigie-host", "www.example.com")
    return Sample(path.stem, int(first.removeprefix("HTTP ")), headers, body, cause, host)


def samples(kind: str, part: str) -> list[Sample]:
    return [sample(path) for path in sorted((PAGES / kind / part).iterdir())]


@pytest.mark.parametrize("part", PARTS)
def test_no_honest_page_is_accused(part: str) -> None:
    honest = samples("healthy", part)

    accused = {page.name: cause for page in honest if (cause := page.found()) is not None}

    print(f"{part}: {len(honest) - len(accused)} of {len(honest)} honest pages left alone")  # noqa: T201 - the score
    assert len(honest) >= 80
    assert accused == {}


@pytest.mark.parametrize("part", PARTS)
def test_nine_in_ten_lies_are_found_and_every_cause_is_right(part: str) -> None:
    lies = samples("broken", part)

    found = {page.name: page.found() for page in lies}

    caught = [page for page in lies if found[page.name] is not None]
    wrong = {page.name: found[page.name] for page in caught if found[page.name] != page.cause}
    print(f"{part}: {len(caught)} of {len(lies)} lies found")  # noqa: T201 - the score
    assert len(lies) >= 80
    assert wrong == {}
    assert len(caught) >= 0.9 * len(lies)


def test_every_cause_is_in_both_halves() -> None:
    for part in PARTS:
        causes = {page.cause for page in samples("broken", part)}
        assert causes == {"content.error_page", "content.blank", "content.tampered", "http.blocked"}


PLANTED = (
    "Fatal error: Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /srv/www/index.php on line 12",
    "Error establishing a database connection",
    "Traceback (most recent call last): File &quot;app.py&quot;, line 3, in main",
    "502 Bad Gateway nginx",
    "This site is down for maintenance, we will be back soon.",
    "Hacked by Gh0stPanda",
    "This domain is for sale.",
    "All your files have been encrypted, send 0.1 BTC to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq within 72 hours.",
    "Checking your browser before accessing the site. Verify you are human.",
    "ORA-12541: TNS:no listener",
    "This account has been suspended. Contact your hosting provider.",
    "java.lang.NullPointerException at org.example.Main.run(Main.java:10)",
    "Le site est en maintenance, nous revenons bientôt.",
    "Die Seite wurde nicht gefunden.",
    "网站维护中，请稍后再访问。",
)
PARAGRAPH = re.compile(rb"(<p\b[^>]{0,80}>)([^<]{12,400})(?=<)")


@pytest.mark.parametrize("words", PLANTED)
@pytest.mark.parametrize("part", PARTS)
def test_words_in_a_paragraph_accuse_no_page(part: str, words: str) -> None:
    accused = []
    planted = 0
    for page in samples("healthy", part):
        if page.status >= 400 or "utf-8" not in page.headers.get("content-type", "utf-8").lower():
            continue
        for number, match in enumerate(PARAGRAPH.finditer(page.body)):
            body = page.body[: match.end()] + b" " + words.encode() + page.body[match.end() :]
            planted += 1
            if (cause := page.found(body)) is not None:
                accused.append((page.name, number, cause))
            if number == 3:
                break

    assert planted > 50
    assert accused == []


def beginnings() -> list[bytes]:
    """How the text of each lie begins."""
    told = []
    for part in PARTS:
        for lie in samples("broken", part):
            text = " ".join(parse(lie.body, lie.headers, lie.host).text.split())[:160]
            told += [html.escape(text).encode()] if len(text) > 8 else []
    return told


def test_the_whole_beginning_of_a_lie_in_a_paragraph_accuses_no_page() -> None:
    """Each honest page gets every seventeenth of them, beginning with another one, so that each is tried on a dozen pages."""
    accused, planted, lies = [], 0, beginnings()
    for number, page in enumerate([page for part in PARTS for page in samples("healthy", part)]):
        match = PARAGRAPH.search(page.body)
        if page.status >= 400 or match is None or "utf-8" not in page.headers.get("content-type", "utf-8").lower():
            continue
        for words in lies[number % 17 :: 17]:
            planted += 1
            body = page.body[: match.end()] + b" " + words + page.body[match.end() :]
            if (cause := page.found(body)) is not None:
                accused.append((page.name, words[:60], cause))

    assert planted > 2_000
    assert accused == []
