"""Reading one page of 30 KB: with another token at every look, and byte for byte the last one.

    python -m bench.content [rounds]

The page is a shop's as they are made today: metadata, a style sheet and data in the page, responsive images, a menu, cards and
text. Figures are µs of CPU a page, the least and the middle of all rounds: of the reading itself, and of what the probing process pays
when another reads; `wait` is on the clock. Limits of a changed page are multiples of what Lexbor takes for the bare tree in the same run.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

import msgspec
from selectolax.lexbor import LexborHTMLParser

from vigie.probes.kit.http.page import Reader, Unseen
from vigie.probes.kit.http.page.look import page as look
from vigie.probes.kit.workers import Workers

SIZE, READS = 30_000, 20
CHANGED_MAX, PROBER_MAX, WAIT_MAX = 3.0, 2.0, 10.0  # times the bare tree, which takes some 60 µs on a machine that does nothing else
SAME_MAX = 5.0  # µs
HOST = "www.example.com"
HEADERS = {"content-type": "text/html; charset=utf-8"}
TOKEN = "0" * 20  # what differs between two looks
WORDS = "Every lamp is turned from ash wood in our workshop by the river and leaves it on the day it was ordered before noon."


def head() -> str:
    meta = "".join(
        f'<meta property="og:{name}" content="{WORDS[:60]}">\n' for name in ("title", "type", "url", "image", "locale", "site_name")
    )
    links = "".join(f'<link rel="preload" href="/assets/fonts/{n}.woff2" as="font" type="font/woff2" crossorigin>\n' for n in range(4))
    css = "".join(
        f".card-{n}{{display:grid;grid-template-columns:1fr 2fr;gap:1rem;padding:{n}px}}@media(min-width:{n}00px){{.c{n}{{margin:0 auto}}}}\n"
        for n in range(60)
    )
    data = '{"@context":"https://schema.org","@type":"Store","name":"Lamps","address":{"@type":"PostalAddress","addressLocality":"Aue"}}'
    tags = "window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('js',new Date());gtag('config','G-1');"
    return (
        f'<meta charset="utf-8"><meta name="csrf-token" content="{TOKEN}"><meta name="viewport" content="width=device-width,initial-scale=1">\n<title>Lamps of ash wood | Lamp Workshop</title>\n{meta}{links}'
        f'<style>{css}</style>\n<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>\n<script>{tags}</script>\n'
        f'<script type="application/ld+json">{data}</script>\n<script src="/assets/app.4f1c.js" defer></script>\n'
    )


def card(number: int) -> str:
    sizes = ", ".join(f"/media/lamps/{number}/lamp-{number}-{width}.webp {width}w" for width in (320, 640, 960, 1280))
    return (
        f'<li class="card card--product col-6 col-md-4 col-lg-3" data-sku="L-{number:04}" data-price="{number}9.00">\n'
        f'  <a class="card__link stretched-link" href="/lamps/lamp-{number}"><img class="card__image img-fluid" src="/media/lamps/{number}/lamp-{number}-320.webp" srcset="{sizes}" '
        f'sizes="(min-width: 960px) 25vw, 50vw" width="320" height="320" alt="Lamp number {number}" loading="lazy" decoding="async"></a>\n'
        f'  <h2 class="card__title h5 mt-2">Lamp number {number}</h2>\n  <p class="card__text text-muted">{WORDS}</p>\n'
        f'  <p class="card__price fw-bold">{number}9.00 <button type="button" class="btn btn-sm btn-outline-primary" data-add="L-{number:04}">Add</button></p>\n</li>\n'
    )


def page() -> bytes:
    """The page, 30,000 bytes of it."""
    menu = "".join(f'<li class="nav-item"><a class="nav-link px-3" href="/c/{n}">Rooms {n}</a></li>\n' for n in range(14))
    foot = "".join(
        f'<li><a href="{url}">Elsewhere</a></li>\n'
        for url in ("/legal", "/privacy", "/jobs", "https://www.instagram.com/lamps", "https://www.pinterest.com/lamps")
    )
    state = (
        '<script id="__DATA__" type="application/json">{"lamps":['
        + ",".join(f'{{"id":{n},"name":"Lamp {n}","stock":{n % 7},"text":"{WORDS}"}}' for n in range(36))
        + "]}</script>"
    )
    start = f'<!doctype html>\n<html lang="en">\n<head>\n{head()}</head>\n<body class="home">\n<header class="site-header"><a href="/" class="logo">Lamp Workshop</a><nav aria-label="Main"><ul class="nav">\n{menu}</ul></nav></header>\n<main id="main">\n<h1>Lamps of ash wood</h1>\n<p class="lead">{WORDS}</p>\n<ul class="row list-unstyled">\n'
    end = f'</ul>\n</main>\n<footer class="site-footer"><ul>\n{foot}</ul><form action="/letter" method="post"><label>Letter <input type="email" name="email"></label></form></footer>\n{state}\n</body>\n</html>\n'
    cards = ""
    for number in count(1):
        if len(start) + len(cards) + len(card(number)) + len(end) > SIZE:
            break
        cards += card(number)
    whole = start + cards + end
    return (whole + " " * (SIZE - len(whole))).encode()


def measure(read: Callable[[int], object], rounds: int) -> list[float]:
    """µs of CPU a read, one figure a round."""
    spent = []
    numbers = count(1)
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(READS):
            read(next(numbers))
        spent.append((time.process_time() - started) / READS * 1e6)
    return spent


def measure_elsewhere(make: Callable[[int], bytes], rounds: int) -> tuple[list[float], list[float]]:
    """µs of this process's CPU, and of waiting, for a page that the worker reads; one figure a round."""
    spent, waited, numbers = [], [], count(1)
    workers, reader = Workers(), Reader(trusted=False)

    async def ask(job: str, fields: dict[str, Any], body: bytes, *, left: float, long: bool = False) -> bytes:
        return await workers.ask(workers, job, fields, body, left=left, long=long)

    async def reads(times: int) -> None:
        for _ in range(times):
            known = reader.known(200, HEADERS, make(next(numbers)), HOST)
            if isinstance(known, Unseen):
                await reader.read(ask, known)

    with asyncio.Runner() as runner:
        runner.run(reads(READS))
        for _ in range(rounds):
            started, cpu = time.perf_counter(), time.process_time()
            runner.run(reads(READS))
            spent.append((time.process_time() - cpu) / READS * 1e6)
            waited.append((time.perf_counter() - started) / READS * 1e6)
        workers.close()
    return spent, waited


async def here(job: str, fields: dict[str, Any], body: bytes, *, left: float, long: bool = False) -> bytes:  # noqa: ARG001 - as it is asked
    """Have a page read by this process."""
    return msgspec.json.encode(look(fields, body))


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    body = page()
    trees = measure(lambda _: LexborHTMLParser(body), rounds)
    tree = min(trees)
    before, _, after = body.partition(TOKEN.encode())

    def other(number: int) -> bytes:
        return b"%b%020d%b" % (before, number, after)

    asked: dict[str, Any] = {"headers": HEADERS, "host": HOST, "digest": "0", "trusted": False, "grounds": 0}

    def read(number: int) -> None:
        asked["grounds"] = look(asked, other(number))["grounds"]

    changed = measure(read, rounds)
    ours, waited = measure_elsewhere(other, rounds)
    reader = Reader(trusted=False)
    page_of = reader.known(200, HEADERS, body, HOST)
    if isinstance(page_of, Unseen):
        asyncio.run(reader.read(here, page_of))
    same = measure(lambda _: reader.known(200, HEADERS, body, HOST), rounds)
    root = LexborHTMLParser(body).root
    elements = 0 if root is None else sum(1 for _ in root.traverse())
    print(f"page   {len(body)} bytes, {elements} elements: Lexbor's tree alone {tree:.0f} ({statistics.median(trees):.0f})")
    for name, spent, limit in (
        ("changed", changed, CHANGED_MAX * tree),
        ("prober", ours, PROBER_MAX * tree),
        ("wait", waited, WAIT_MAX * tree),
        ("same", same, SAME_MAX),
    ):
        print(
            f"page   {name:8} {min(spent):7.1f} ({statistics.median(spent):.1f})   at most {limit:.0f}   {'ok' if min(spent) <= limit else 'TOO SLOW'}"
        )


if __name__ == "__main__":
    main()
