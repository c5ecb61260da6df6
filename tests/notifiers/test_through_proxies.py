"""Channels and models through real proxies on loopback, with what may stand in the environment of any machine."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vigie import plugins
from vigie.clock import SystemClock
from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryError, DeliveryReason, ModelError
from vigie.llms import ModelDeps, ollama, openai
from vigie.net import Proxies, Secret
from vigie.notifiers import NotifierDeps
from vigie.notifiers.kit.http import reach
from vigie.testing.messages import sample
from vigie.testing.notifier_rigs import TestClock
from vigie.testing.ollama_server import ScriptedOllama
from vigie.testing.openai_server import ScriptedOpenAi
from vigie.testing.proxy_server import ProxyServer
from vigie.testing.webhook_server import WebhookServer

PAGE = sample(NoticeReason.OPENED, "fr")
# Of Docker and many companies: what made every chat and webhook notice fail.
COMMON = "localhost,127.0.0.1,fd07:b51a:cc66:f0::/64"
SCHEMES = ["http", "socks4", "socks4a", "socks5", "socks5h", ""]


@pytest.fixture
def deps() -> NotifierDeps:
    return NotifierDeps(TestClock(), "watch.example.com", None, 10.0)  # nothing here waits for a deadline


def channel(kind: str, url: str, deps: NotifierDeps, proxies: Proxies) -> Any:
    module = plugins.load("notifiers", kind)
    return module.build(module.Config(url=Secret(url)), replace(deps, proxies=proxies))


def environment(scheme: str, port: int, **more: str) -> Proxies:
    prefix = f"{scheme}://" if scheme else ""
    return Proxies.of({"http_proxy": f"{prefix}127.0.0.1:{port}", "NO_PROXY": COMMON, **more})


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", ["webhook", "slack", "teams"])
async def test_a_notice_goes_through_the_proxy(kind: str, scheme: str, deps: NotifierDeps) -> None:
    host = "192.0.2.7" if scheme in ("socks4", "socks5") else "hooks.example.test"  # these two would resolve a name here
    async with WebhookServer() as receiver, ProxyServer(receiver.port) as proxy:
        url = receiver.url.replace(f"127.0.0.1:{receiver.port}", f"{host}:8080")
        made = channel(kind, url, deps, environment(scheme, proxy.port))
        assert (await made.deliver(PAGE)).answer.startswith("HTTP 200")
        assert f"through the proxy 127.0.0.1:{proxy.port} (http_proxy)" in await made.examine()
        assert [one.method for one in receiver.requests] == ["POST", "HEAD"]
    assert len(proxy.asked) == 2
    assert all(host in one for one in proxy.asked)
    assert proxy.asked[0].startswith(scheme if scheme.startswith("socks") else "POST http://")


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks4a"])
async def test_tls_is_spoken_with_the_receiver_behind_the_proxy(scheme: str, deps: NotifierDeps, tmp_path: Path) -> None:
    import trustme

    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hooks.example.test").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    receiver = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with ProxyServer(receiver.sockets[0].getsockname()[1]) as proxy:
        proxies = Proxies.of({"HTTPS_PROXY": f"{scheme}://127.0.0.1:{proxy.port}"})
        made = channel("webhook", "https://hooks.example.test/secret", replace(deps, ca_file=str(tmp_path / "ca.pem")), proxies)
        assert (await made.deliver(PAGE)).answer == "HTTP 204"
    receiver.close()
    assert seen[0].startswith(b"POST /secret ")
    assert "secret" not in "".join(proxy.asked)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_login_is_sent_and_a_refused_one_is_the_proxys(scheme: str, deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver, ProxyServer(receiver.port, login=("me", "p@ss")) as proxy:
        right = Proxies.of({"all_proxy": f"{scheme}://me:p%40ss@127.0.0.1:{proxy.port}"})
        assert await channel("slack", "http://hooks.example.test/x", deps, right).deliver(PAGE)
        wrong = Proxies.of({"all_proxy": f"{scheme}://me:hush-hush@127.0.0.1:{proxy.port}"})
        with pytest.raises(DeliveryError) as failed:
            await channel("slack", "https://hooks.example.test/x", deps, wrong).deliver(PAGE)
    assert (failed.value.reason, failed.value.permanent) == (DeliveryReason.AUTH, False)
    assert "all_proxy" in failed.value.message
    assert "hush" not in f"{failed.value}{failed.value.fix}"


@pytest.mark.parametrize(
    ("environ", "reason", "words"),
    [
        ({"https_proxy": "ftp://proxy.example"}, DeliveryReason.CONFIG, "https_proxy names a kind of proxy that is not supported: ftp"),
        ({"HTTPS_PROXY": "http://me:hush@[::1"}, DeliveryReason.CONFIG, "HTTPS_PROXY does not name a host and a port"),
        ({"ALL_PROXY": "http://127.0.0.1:9"}, DeliveryReason.REFUSED, "through the proxy 127.0.0.1:9 (ALL_PROXY) refused the connection"),
        ({"ALL_PROXY": "socks5h://127.0.0.1:9"}, DeliveryReason.REFUSED, "(ALL_PROXY) refused the connection"),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_an_outcome_that_names_its_variable(
    environ: Mapping[str, str], reason: DeliveryReason, words: str, deps: NotifierDeps
) -> None:
    made = channel("webhook", "https://hooks.example.test/secret", deps, Proxies.of(environ))
    for attempt in (lambda: made.deliver(PAGE), made.examine):
        with pytest.raises(DeliveryError) as failed:
            await attempt()
        assert (failed.value.reason, failed.value.permanent) == (reason, False)
        assert words in failed.value.message
        assert "hush" not in f"{failed.value}{failed.value.fix}"


@pytest.mark.parametrize(("scheme", "refuse"), [("http", 503), ("socks5h", 4), ("socks5h", 5), ("socks4a", 1)])
async def test_a_proxy_that_refuses_the_host_is_tried_again(scheme: str, refuse: int, deps: NotifierDeps) -> None:
    async with ProxyServer(9, refuse=refuse) as proxy:
        proxies = Proxies.of({"all_proxy": f"{scheme}://127.0.0.1:{proxy.port}"})
        with pytest.raises(DeliveryError) as failed:
            await channel("teams", "https://hooks.example.test/secret", deps, proxies).deliver(PAGE)
    assert (failed.value.reason, failed.value.permanent) == (DeliveryReason.REFUSED, False)
    assert "the proxy refused the connection" in failed.value.message


async def test_a_gateway_error_of_the_proxy_fails_the_examination(deps: NotifierDeps) -> None:
    async with ProxyServer(9, refuse=503) as proxy:
        proxies = Proxies.of({"http_proxy": f"http://127.0.0.1:{proxy.port}"})
        with pytest.raises(DeliveryError, match="HTTP 503"):
            await reach(replace(deps, proxies=proxies), "http://hooks.example.test/secret")


async def test_this_machine_is_never_reached_through_a_proxy(deps: NotifierDeps) -> None:
    async with WebhookServer() as receiver, ProxyServer(receiver.port) as proxy:
        proxies = Proxies.of({"http_proxy": f"http://127.0.0.1:{proxy.port}"})
        assert await channel("webhook", receiver.url, deps, proxies).deliver(PAGE)
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
@pytest.mark.parametrize("near", [True, False])
async def test_a_model_far_away_is_asked_through_the_proxy_and_a_near_one_never(scheme: str, near: bool) -> None:
    async with ScriptedOllama() as ours, ScriptedOpenAi() as theirs, _proxy(ours) as one, _proxy(theirs) as two:
        for module, server, proxy, name in ((ollama, ours, one, "llama3"), (openai, theirs, two, "tiny")):
            far = server.url.replace("127.0.0.1", "models.example.com")
            deps = ModelDeps(SystemClock(), None, environment(scheme, proxy.port))
            model = module.build(module.Config(model=name, url=server.url if near else far, allow_remote=True), deps)
            assert await model.offered()
            await model.preload()
            assert bool(proxy.asked) is not near


@pytest.mark.parametrize("module", [ollama, openai])
async def test_a_proxy_that_cannot_be_used_is_a_fault_of_the_model_that_names_it(module: Any) -> None:
    deps = ModelDeps(SystemClock(), None, Proxies.of({"https_proxy": "gopher://x"}))
    model = module.build(module.Config(model="llama3", url="https://models.example.com/v1", allow_remote=True), deps)
    with pytest.raises(ModelError, match="https_proxy names a kind of proxy that is not supported"):
        await model.examine()


def _proxy(server: Any) -> ProxyServer:
    return ProxyServer(int(server.url.rpartition(":")[2].partition("/")[0]))
