"""Letters of status pages: one reader each by mail, and webhooks that never reach an internal address."""

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from vigie.errors import DeliveryError, DeliveryReason
from vigie.notifiers import NotifierDeps
from vigie.notifiers.email import Mail as Channel
from vigie.notifiers.kit.guarded import post_public
from vigie.report.letters import Mail
from vigie.testing.smtp_server import REFUSE_RECEIVERS, SmtpServer

Make = Callable[..., Channel]
LETTER = Mail(
    "reader@example.net",
    "Maison Lumen – état\r\nBcc: eve@example.net",
    "Rétabli : paiements\r\nX: y",
    "Texte – é\n",
    "<p>Texte – é</p>",
    (("List-Unsubscribe", "<https://s.example/u/1/2>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")),
)


async def test_a_letter_has_one_reader_and_its_own_headers(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder) as server:
        assert "queued" in await mail(server).send(LETTER, "public/s1/update/p1/2")
        received = server.mails[0]
    assert received.receivers == ("reader@example.net",)
    found = received.mail
    assert found["To"] == "reader@example.net"
    assert found["Bcc"] is None
    assert found["X"] is None
    assert found["List-Unsubscribe"] == "<https://s.example/u/1/2>"
    assert "Rétabli : paiements" in found["Subject"]
    assert "team@example.com" not in received.mail.as_string()
    plain = found.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("Texte – é")


async def test_a_reader_whom_the_server_refuses_is_refused_for_good(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, fault=REFUSE_RECEIVERS) as server:
        with pytest.raises(DeliveryError) as error:
            await mail(server).send(LETTER, "k")
    assert error.value.permanent


async def looked_up(*addresses: str) -> list[str]:
    return list(addresses)


@pytest.mark.parametrize("found", [("127.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("::1",), ("169.254.169.254",), ()])
async def test_a_name_that_leads_inside_is_never_connected_to(deps: NotifierDeps, found: tuple[str, ...]) -> None:
    with pytest.raises(DeliveryError) as error:
        await post_public(deps, "https://hooks.example.com/x", b"{}", {}, look_up=lambda *_: looked_up(*found))
    assert (error.value.reason, error.value.permanent) == (DeliveryReason.CONFIG, True)
    assert "/x" not in error.value.message


async def test_the_address_that_was_looked_at_is_the_one_connected_to(deps: NotifierDeps, tmp_path: Path) -> None:
    authority, heard = trustme.CA(), list[tuple[str, dict[str, Any]]]()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("hooks.example.com").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length"))
        heard.append((head, json.loads(await reader.readexactly(length))))
        status = b"302 Found\r\nLocation: https://127.0.0.1/" if "/moved" in head else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trusting = replace(deps, ca_file=str(tmp_path / "ca.pem"), timeout_seconds=5.0)
    more: dict[str, Any] = {"look_up": lambda *_: looked_up("127.0.0.1"), "allowed": lambda _: True}
    async with server:
        await post_public(trusting, f"https://hooks.example.com:{port}/x", b'{"a": 1}', {"X-Vigie-Signature": "s"}, **more)
        with pytest.raises(DeliveryError):
            await post_public(trusting, f"https://hooks.example.com:{port}/moved", b"{}", {}, **more)
        with pytest.raises(DeliveryError) as misnamed:
            await post_public(trusting, f"https://other.example.com:{port}/x", b"{}", {}, **more)
    assert misnamed.value.reason is DeliveryReason.TLS
    assert len(heard) == 2, "no redirect is followed"
    head, body = heard[0]
    assert body == {"a": 1}
    assert f"Host: hooks.example.com:{port}" in head
    assert "X-Vigie-Signature: s" in head
