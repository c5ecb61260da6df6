"""Reverse proxies: nginx itself reads our example and passes pages and streams on; the others are looked through."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from ruamel.yaml import YAML
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from tests._packages import program
from tests.web._served import serving

from vigie.web.forwarded import networks, origin_of

PROXIES = Path(__file__).parents[2] / "deploy/proxy"
NAME = "vigie.example.com"
MAIN = """
daemon off; pid {folder}/pid; error_log stderr warn; {user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/vigie.conf;
}}
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def installed(folder: Path, upstream: int, secure: int, plain: int) -> Path:
    """Our example with ports and a certificate of this machine, beside a main file as distributions have it."""
    pair = trustme.CA().issue_cert(NAME)
    (folder / "cert.pem").write_bytes(b"".join(one.bytes() for one in pair.cert_chain_pems))
    (folder / "key.pem").write_bytes(pair.private_key_pem.bytes())
    text = (PROXIES / "nginx.conf").read_text(encoding="utf-8")
    for ours, theirs in {
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{upstream};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "listen [::]:443 ssl;": "",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen [::]:80;": "",
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(folder / "cert.pem"),
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(folder / "key.pem"),
    }.items():
        assert ours in text
        text = text.replace(ours, theirs)
    (folder / "vigie.conf").write_text(text)
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    return main


class Upstream:
    """Says what it was asked; its stream sends a line, and the next one once it was received."""

    def __init__(self) -> None:
        self.received = asyncio.Event()

    async def page(self, request: Request) -> JSONResponse:
        origin = origin_of(request.scope, networks(["127.0.0.1"]))
        return JSONResponse(
            {"address": origin.address, "scheme": origin.scheme, "host": origin.host, "version": request.scope["http_version"]}
        )

    async def events(self, _: Request) -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            yield b"data: first\n\n"
            async with asyncio.timeout(20):
                await self.received.wait()
            yield b"data: second\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")


@pytest.mark.needs("nginx-light")
async def test_nginx_passes_pages_and_holds_no_stream_back(tmp_path: Path) -> None:
    import httpx

    upstream, secure, plain = Upstream(), free_port(), free_port()
    app = Starlette(routes=[Route("/", upstream.page), Route("/events", upstream.events), Route("/api/v1/events", upstream.events)])
    async with serving(app) as listener:
        main = installed(tmp_path, listener.port, secure, plain)
        nginx = program("nginx")
        assert nginx is not None
        run, pipe = asyncio.create_subprocess_exec, asyncio.subprocess.PIPE
        tested = await run(nginx, "-t", "-q", "-p", tmp_path, "-c", main, stderr=pipe)
        assert (await tested.communicate())[1].decode() == ""
        assert tested.returncode == 0
        process = await run(nginx, "-p", tmp_path, "-c", main)
        try:
            await _open(secure)
            base, headers = f"https://127.0.0.1:{secure}", {"host": NAME}
            async with httpx.AsyncClient(verify=False, base_url=base, headers=headers, timeout=20) as client:
                page = (await client.get("/", headers={"x-forwarded-for": "203.0.113.9"})).json()
                # Both the proxy and whoever asks are this machine here, so that the one beyond them is believed.
                assert page == {"address": "203.0.113.9", "scheme": "https", "host": NAME, "version": "1.1"}
                for path in ("/events", "/api/v1/events"):
                    upstream.received.clear()
                    async with client.stream("GET", path) as answer:
                        parts = answer.aiter_bytes()
                        assert await anext(parts) == b"data: first\n\n"  # before there is a second
                        upstream.received.set()
                        assert await anext(parts) == b"data: second\n\n"
                moved = await client.get(f"http://127.0.0.1:{plain}/alerts?x=1")
                assert (moved.status_code, moved.headers["location"]) == (301, f"https://{NAME}/alerts?x=1")
        finally:
            process.terminate()
            await process.wait()


async def _open(port: int) -> None:
    """Until somebody listens there."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)  # slow: another process listens soon, and there is no event for it
            else:
                writer.close()
                return


def test_the_others_lead_to_vigie_and_keep_its_name() -> None:
    traefik: Any = YAML(typ="safe").load((PROXIES / "traefik.yaml").read_text(encoding="utf-8"))
    balancer = traefik["http"]["services"]["vigie"]["loadBalancer"]
    router = traefik["http"]["routers"]["vigie"]

    assert balancer["servers"] == [{"url": "http://127.0.0.1:8080"}]
    assert balancer["passHostHeader"] is True
    assert router["rule"] == f"Host(`{NAME}`)"
    caddy = (PROXIES / "Caddyfile").read_text(encoding="utf-8")
    assert "reverse_proxy 127.0.0.1:8080 {" in caddy
    assert "flush_interval -1" in caddy
    assert caddy.count("{") == caddy.count("}")
    if (found := shutil.which("caddy")) is not None:
        subprocess.run([found, "validate", "--adapter", "caddyfile", "--config", str(PROXIES / "Caddyfile")], check=True)


def test_every_example_says_what_vigie_has_to_know() -> None:
    for path in PROXIES.iterdir():
        assert "trusted_proxies: [127.0.0.1]" in path.read_text(encoding="utf-8"), path.name
