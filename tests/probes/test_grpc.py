"""gRPC health against a real server, and against servers that refuse, lie and stumble."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
import trustme
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded

from vigie import plugins
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import MissingExtra
from vigie.net import Secret
from vigie.probes.grpc import Config
from vigie.probes.kit.deps import configured
from vigie.testing.servers import Handler, Serve, answering

Look = Callable[..., Awaitable[CheckResult]]
Contexts = Callable[..., ssl.SSLContext]
TOKEN = "sesame-1234"


class Guard(grpc.ServerInterceptor):  # type: ignore[misc]  # the package ships no types
    """Lets in only who brings the token."""

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        if ("authorization", f"Bearer {TOKEN}") in details.invocation_metadata:
            return continuation(details)
        refuse = lambda _, context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?")  # noqa: E731
        return grpc.unary_unary_rpc_method_handler(refuse)


@contextmanager
def served(*, healthy: bool = True, credentials: Any = None, guards: tuple[Any, ...] = ()) -> Iterator[int]:
    """The real server on a free port, with or without the health service."""
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool, interceptors=guards)
        servicer = health.HealthServicer()
        servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        servicer.set("shop.Orders", health_pb2.HealthCheckResponse.SERVING)
        servicer.set("shop.Stock", health_pb2.HealthCheckResponse.NOT_SERVING)
        servicer.set("x" * 300, health_pb2.HealthCheckResponse.UNKNOWN)
        if healthy:
            health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        port = server.add_secure_port("127.0.0.1:0", credentials) if credentials else server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield port
        server.stop(None).wait()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as port:
        yield port


@pytest.mark.parametrize("service", ["", "shop.Orders"])
async def test_a_serving_service_is_up(look_at: Look, port: int, service: str) -> None:
    result = await look_at("grpc", port=port, service=service)

    assert (result.status, result.message) == (Status.UP, "SERVING"), result
    assert result.timings.first_byte is not None


@pytest.mark.parametrize(
    ("service", "code", "message"),
    [
        ("shop.Stock", "NOT_SERVING", "the service shop.Stock is not serving (NOT_SERVING)"),
        ("x" * 300, "UNKNOWN", f"the service {'x' * 300} is not serving (UNKNOWN)"),
        ("shop.Nothing", "NOT_FOUND", "the server does not know this service (NOT_FOUND)"),
    ],
)
async def test_a_service_that_does_not_serve_is_down(look_at: Look, port: int, service: str, code: str, message: str) -> None:
    result = await look_at("grpc", port=port, service=service)

    assert (result.status, result.cause, result.figures["code"]) == (Status.DOWN, Cause.PROTOCOL_MISMATCH, code)
    assert result.message == message


async def test_a_server_without_the_health_service(look_at: Look) -> None:
    with served(healthy=False) as port:
        result = await look_at("grpc", port=port)

    assert (result.status, result.cause) == (Status.DOWN, Cause.PROTOCOL_MISMATCH)
    assert result.message.startswith("the server does not offer the health service grpc.health.v1.Health (UNIMPLEMENTED: ")


async def test_tls_and_its_certificate(look_at: Look, authority: trustme.CA) -> None:
    cert = authority.issue_cert("127.0.0.1")
    pair = [(cert.private_key_pem.bytes(), cert.cert_chain_pems[0].bytes())]
    with served(credentials=grpc.ssl_server_credentials(pair)) as port:
        good = await look_at("grpc", port=port, tls="implicit")
        bad = await look_at("grpc", port=port, tls="implicit", host="localhost", ip=4)

    assert (good.status, good.message) == (Status.UP, "SERVING"), good
    assert good.tls is not None
    assert bad.cause is Cause.TLS_HOSTNAME


async def test_a_token_is_shown(look_at: Look) -> None:
    with served(guards=(Guard(),)) as port:
        good = await look_at("grpc", port=port, token=TOKEN, headers={"x-tenant": "shop"})
        bad = await look_at("grpc", port=port, token="another-token")

    assert good.status is Status.UP, good
    assert bad.message == "the login is refused (UNAUTHENTICATED: who are you?)"


async def test_what_speaks_no_http_2_over_tls(look_at: Look, serve: Serve, make_context: Contexts) -> None:
    async with serve(answering("HTTP/1.1 200 OK\n\n"), make_context()) as port:
        assert (await look_at("grpc", port=port, tls="implicit")).message == "the server does not agree to HTTP/2"


Answer = list[tuple[str, str]]
GOOD: Answer = [(":status", "200"), ("content-type", "application/grpc")]
END: Answer = [("grpc-status", "0")]


def answers(
    head: Answer, body: bytes = b"", trailers: Answer | None = None, *, reset: int | None = None, away: int | None = None
) -> Handler:
    """An HTTP/2 server that gives this one answer to a whole call."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        while data := await reader.read(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, StreamEnded):
                    say(connection)
            writer.write(connection.data_to_send())

    def say(connection: H2Connection) -> None:
        if reset is not None:
            connection.reset_stream(1, reset)
        elif away is not None:
            connection.close_connection(away)
        else:
            connection.send_headers(1, head, end_stream=trailers is None)
            if trailers is not None:
                connection.send_data(1, body)
                connection.send_headers(1, trailers, end_stream=True)

    return handle


@pytest.mark.parametrize(
    ("handler", "cause", "message"),
    [
        (answers([(":status", "502")]), Cause.HTTP_STATUS, "HTTP 502 instead of 200"),
        (
            answers([(":status", "200"), ("content-type", "text/html")]),
            Cause.PROTOCOL_MISMATCH,
            "the response is HTTP, but not gRPC (text/html)",
        ),
        (
            answers([*GOOD, ("grpc-status", "14"), ("grpc-message", "%C3%A9 later")]),
            Cause.PROTOCOL_MISMATCH,
            "the service is not available (UNAVAILABLE: é later)",
        ),
        (answers([*GOOD, ("grpc-status", "99")]), Cause.PROTOCOL_MISMATCH, "the call failed (99)"),
        (answers(GOOD, b"\0\0\0\0\x02\x08\x02", END), Cause.PROTOCOL_MISMATCH, "the service as a whole is not serving (NOT_SERVING)"),
        (answers(GOOD, b"\0\0\0\0\0", END), Cause.PROTOCOL_MISMATCH, "the service as a whole is not serving (UNKNOWN)"),
        (answers(GOOD, b"\0\0\0\0\x02\x10\x02", END), Cause.PROTOCOL_MISMATCH, "the response is not a health status (·······)"),
        (answers(GOOD, b"", END), Cause.PROTOCOL_MISMATCH, "the response is not a health status"),
        (answers(GOOD, reset=11), Cause.PROTOCOL_MISMATCH, "the server aborted the call (HTTP/2 error 11)"),
        (answers(GOOD, away=0), Cause.PROTOCOL_MISMATCH, "the server closed the connection (HTTP/2 error 0)"),
        (answering("HTTP/1.1 400 Bad Request\n\n"), Cause.PROTOCOL_MISMATCH, "the response is not HTTP/2 (HTTP/1.1)"),
    ],
)
async def test_other_answers_say_what_they_are(look_at: Look, serve: Serve, handler: Handler, cause: Cause, message: str) -> None:
    async with serve(handler) as port, serve(answers(GOOD, b"\0\0\0\0\x02\x08\x01", END)) as healthy:
        result = await look_at("grpc", port=port)
        assert (await look_at("grpc", port=healthy)).status is Status.UP

    assert (result.status, result.cause, result.message) == (Status.DOWN, cause, message)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_is_there", lambda name: name != "h2")
    with pytest.raises(MissingExtra) as raised:
        plugins.load("probes", "grpc")

    assert raised.value.fix == "pip install 'vigie[grpc]'"


def test_urls_and_faults_of_the_configuration() -> None:
    config = configured(Config, Config.from_url("grpcs://api.example.com/shop.Orders"))
    assert (config.target, config.service) == ("grpcs://api.example.com:443/shop.Orders", "shop.Orders")
    assert Config(host="::1").target == "grpc://[::1]:50051"
    wrongs: list[dict[str, Any]] = [
        {"headers": {"A": Secret("b")}},
        {"headers": {"grpc-x": Secret("b")}},
        {"headers": {"a": Secret("b\n")}},
        {"token": Secret("a b")},
        {"service": "x" * 2_000},
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"metadata|token|name"):
            Config(host="x", **wrong)
