"""The TLS probe against real servers, a throwaway authority, its OCSP responder and its revocation list, all on loopback."""

import asyncio
import contextlib
import datetime as dt
import random
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from tests.probes._authority import CLIENT_ONLY, OCSP_SIGNING, Holder, House, context_of, issue
from tests.probes._fuzz import in_time, seeds

from vigie.config import one_monitor
from vigie.core.model import Cause, CheckResult, Status
from vigie.errors import ConfigError
from vigie.net import hang_up
from vigie.probes import tls
from vigie.probes.kit.deps import ProbeDeps, configured
from vigie.probes.tls import revocation
from vigie.testing.probe_suite import told
from vigie.testing.servers import Serve, serving

Deps = Callable[[], ProbeDeps]
Contexts = Callable[..., ssl.SSLContext]
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
COMPROMISED = x509.ReasonFlags.key_compromise


async def hold(reader: Reader, _: Writer) -> None:
    await reader.read()


async def look(deps: ProbeDeps, port: int, timeout: int = 5_000, **keys: Any) -> CheckResult:
    return await tls.build(configured(tls.Config, {"host": "127.0.0.1", "port": port, **keys}), deps).check(timeout)


@pytest.fixture
def deps(make_deps: Deps) -> ProbeDeps:
    return make_deps()


@dataclass
class Scene:
    """A server whose certificate names the house's services."""

    port: int
    house: House
    leaf: Holder
    between: Holder
    ca_file: str

    async def look(self, deps: ProbeDeps, **keys: Any) -> CheckResult:
        return await look(deps, self.port, ca_file=self.ca_file, **keys)


@contextlib.asynccontextmanager
async def scene(folder: Path, *, by: str = "ocsp", above: dict[str, Any] | None = None, **leaf: Any) -> AsyncIterator[Scene]:
    root = issue("Root", authority=True, days=900)
    house = House(root)
    async with serving(house.serve) as at:
        url = f"http://127.0.0.1:{at}/"
        urls: dict[str, Any] = {"ocsp_url": url if "ocsp" in by else None, "crl_url": f"{url}list" if "list" in by else None}
        between = issue("Between", root, authority=True, **{"days": 90, **(above or {}), **(urls if "above" in by else {})})
        if "above" not in by:
            house.issuer = between
        holder = issue("shop.test", between, **({} if "above" in by else urls), **leaf)
        ca = folder / "root.pem"
        ca.write_bytes(root.certificate.public_bytes(Encoding.PEM))
        async with serving(hold, context_of(holder, folder)) as port:
            yield Scene(port, house, holder, between, str(ca))


async def test_a_healthy_certificate_is_up_with_what_it_says(deps: ProbeDeps, tmp_path: Path) -> None:
    async with scene(tmp_path, by="ocsp list") as one:
        result = await one.look(deps)

    assert (result.status, result.figures["revocation"]) == (Status.UP, "good"), result
    assert result.message == "TLSv1.3, certificate of shop.test by Between, 60 days left"
    assert result.tls is not None
    assert len(result.tls.chain) == 2
    assert one.house.asked == ["ocsp"]


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"days": -2, "begins": -30}, Cause.TLS_EXPIRED),
        ({"begins": 2, "days": 30}, Cause.TLS_NOT_YET_VALID),
        ({"names": ("shop.test",)}, Cause.TLS_HOSTNAME),
        ({"trusted": False}, Cause.TLS_UNTRUSTED),
        ({"days": 3}, Cause.TLS_EXPIRING),
    ],
)
async def test_a_certificate_is_judged(
    serve: Serve, deps: ProbeDeps, make_context: Contexts, options: dict[str, Any], cause: Cause
) -> None:
    names = options.pop("names", ())
    async with serve(hold, make_context(*names, **options)) as port:
        result = await look(deps, port)
        unjudged = await look(deps, port, insecure=True)

    assert result.cause is cause
    assert result.status is (Status.DEGRADED if cause is Cause.TLS_EXPIRING else Status.DOWN)
    assert unjudged.status is (Status.DEGRADED if options.get("days", 99) < 14 else Status.UP)
    assert "revocation" not in unjudged.figures


async def test_the_name_asked_for_may_differ_from_the_host(serve: Serve, deps: ProbeDeps, make_context: Contexts) -> None:
    asked: list[str | None] = []
    context = make_context("shop.test", "www.shop.test")
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with serve(hold, context) as port:
        named = await look(deps, port, server_name="shop.test", names=["www.shop.test"])
        unnamed = await look(deps, port, server_name="shop.test", sni=False)
        more = await look(deps, port, server_name="shop.test", names=["api.shop.test"])

    assert [one.status for one in (named, unnamed)] == [Status.UP, Status.UP]
    assert asked[:2] == ["shop.test", None]
    assert (more.cause, more.message) == (Cause.TLS_HOSTNAME, "the certificate is not for api.shop.test")


async def test_a_name_with_foreign_letters_is_spelt_as_certificates_do(serve: Serve, deps: ProbeDeps, make_context: Contexts) -> None:
    async with serve(hold, make_context("xn--bcher-kva.test", "www.xn--bcher-kva.test")) as port:
        result = await look(deps, port, server_name="bücher.test", names=["www.Bücher.test"])

    assert result.status is Status.UP, result


async def test_pins_are_compared(deps: ProbeDeps, tmp_path: Path) -> None:
    async with scene(tmp_path, by="") as one:
        print_ = one.leaf.certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        good = await one.look(deps, fingerprint=["0" * 64, print_], issuer="test's house")
        other = await one.look(deps, fingerprint="0" * 64)
        issuer = await one.look(deps, issuer="Elsewhere")
        alone = await look(deps, one.port, insecure=True, fingerprint=print_)

    assert (good.status, good.figures["revocation"], alone.status) == (Status.UP, "none", Status.UP)
    assert (other.status, other.cause) == (Status.DOWN, Cause.TLS_UNTRUSTED)
    assert "not the pinned one" in other.message
    assert (issuer.cause, issuer.message) == (
        Cause.TLS_UNTRUSTED,
        "the certificate was issued by \"Between, Test's House\", expected 'Elsewhere'",
    )


async def test_an_authority_that_ends_first_is_told(deps: ProbeDeps, tmp_path: Path) -> None:
    async with scene(tmp_path, by="", above={"days": 5}) as one:
        result = await one.look(deps)
        less = await one.look(deps, tls_days=4)

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_EXPIRING)
    assert result.message == "'Between', an authority of the chain, has 5 days left, fewer than 14"
    assert (result.figures["authority"], result.figures["days_left"]) == ("Between", 5)
    assert less.status is Status.UP


async def test_what_a_server_sends_beside_the_way_is_not_judged(deps: ProbeDeps, tmp_path: Path) -> None:
    stray = issue("Stray", authority=True, days=-3)
    async with scene(tmp_path, by="") as one:
        one.leaf.issuer = Holder(one.between.certificate, one.between.key, Holder(stray.certificate, stray.key, one.between.issuer))
        async with serving(hold, context_of(one.leaf, tmp_path)) as port:
            result = await look(deps, port, ca_file=one.ca_file)

    assert result.tls is not None
    assert [found.subject for found in result.tls.chain] == ["shop.test", "Between", "Stray"]
    assert result.status is Status.UP


async def test_an_older_version_than_asked_is_weak(serve: Serve, deps: ProbeDeps, make_context: Contexts) -> None:
    context = make_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serve(hold, context) as port, serve(hold, make_context()) as newest:
        plain = await look(deps, port)
        strict = await look(deps, port, min_version="1.3")
        good = await look(deps, newest, min_version="1.3")

    assert (plain.status, good.status) == (Status.UP, Status.UP)
    assert (strict.status, strict.cause) == (Status.DEGRADED, Cause.TLS_WEAK)
    assert strict.message == "TLSv1.2 is older than TLSv1.3"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_an_obsolete_version_is_refused_and_a_short_key_weak(
    serve: Serve, deps: ProbeDeps, make_context: Contexts, weak_context: tuple[ssl.SSLContext, Path]
) -> None:
    old = make_context()
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    context, pem = weak_context
    async with serve(hold, old) as port, serve(hold, context) as short:
        assert (await look(deps, port)).cause is Cause.TLS_HANDSHAKE
        assert (await look(deps, short, ca_file=str(pem))).cause is Cause.TLS_WEAK


async def test_a_weak_authority_is_told(deps: ProbeDeps, tmp_path: Path) -> None:
    async with scene(tmp_path, by="", above={"rsa_bits": 1024}) as one:
        result = await one.look(deps)

    assert (result.status, result.cause) == (Status.DEGRADED, Cause.TLS_WEAK)
    assert result.message == "'Between', an authority of the chain: the key is short (RSA 1024)"


async def test_a_certificate_for_clients_serves_no_server(deps: ProbeDeps, tmp_path: Path) -> None:
    async with scene(tmp_path, by="", uses=CLIENT_ONLY) as one:
        result = await one.look(deps)

    assert (result.status, result.cause) == (Status.DOWN, Cause.TLS_UNTRUSTED)
    assert result.message == "the certificate is not meant for servers"


@pytest.mark.parametrize("by", ["ocsp", "list", "ocsp above", "list above"])
async def test_a_revoked_certificate_is_down(deps: ProbeDeps, tmp_path: Path, by: str) -> None:
    async with scene(tmp_path, by=by) as one:
        taken_back = one.between if "above" in by else one.leaf
        one.house.revoked[taken_back.certificate.serial_number] = COMPROMISED
        result = await one.look(deps)
        off = await one.look(deps, revocation="off")

    assert (result.status, result.cause) == (Status.DOWN, Cause.TLS_UNTRUSTED)
    what = "'Between, Test's House'" if "above" in by else "the certificate"
    assert "was revoked 12 days ago (keyCompromise)" in result.message, what
    assert (result.figures["revoked_days"], result.figures["reason"]) == (12, "keyCompromise")
    assert ("authority" in result.figures) == ("above" in by)
    assert off.status is Status.UP


@pytest.mark.parametrize("by", ["ocsp", "list"])
async def test_a_neighbour_of_a_revoked_one_is_up(deps: ProbeDeps, tmp_path: Path, by: str) -> None:
    async with scene(tmp_path, by=by) as one:
        one.house.revoked[12_345] = COMPROMISED
        result = await one.look(deps, revocation="hard")

    assert (result.status, result.figures["revocation"]) == (Status.UP, "good")


@pytest.mark.parametrize("by", ["ocsp", "list"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("silent", "did not answer within"),
        ("garbage", "not OCSP|cannot be read"),
        ("large", "longer than"),
        ("old", "too old"),
        ("early", "too old"),
        ("forged", "not signed by the issuer|not the issuer's"),
    ],
)
async def test_an_answer_that_proves_nothing_is_no_failure_unless_asked(
    deps: ProbeDeps, tmp_path: Path, stopwatch: Callable[[], float], monkeypatch: pytest.MonkeyPatch, by: str, fault: str, words: str
) -> None:
    changes: dict[str, Callable[[bytes], bytes | None]] = {
        "silent": lambda _: None,
        "garbage": lambda _: b"\x30\x82nothing",
        "large": lambda _: b"x" * 100_001,
    }
    monkeypatch.setattr(revocation, "_MAX_CRL", 100_000)
    async with scene(tmp_path, by=by) as one:
        one.house.revoked[one.leaf.certificate.serial_number] = COMPROMISED
        one.house.change = changes.get(fault, one.house.change)
        one.house.updated = {"old": dt.timedelta(days=-9), "early": dt.timedelta(hours=3)}.get(fault, one.house.updated)
        if fault == "forged":
            one.house.signer = issue("Between", authority=True)
        soft = await one.look(deps, timeout=1_200)
        took = stopwatch()
        asked = len(one.house.asked)
        hard = await one.look(deps, timeout=1_200, revocation="hard")

    assert (soft.status, soft.figures["revocation"]) == (Status.UP, "unknown"), soft
    assert took < 1.2 + 1
    assert soft.timings.total is not None
    assert soft.timings.total < 1_000  # the authority's slowness is not the service's
    assert (hard.status, hard.cause) == (Status.DOWN, Cause.TLS_UNTRUSTED)
    assert any(part in hard.message for part in words.split("|")), hard.message
    assert len(one.house.asked) == asked == 1  # what was learnt is kept for a while


async def test_whom_the_issuer_lets_sign_is_believed_and_others_are_not(make_deps: Deps, tmp_path: Path) -> None:
    async with scene(tmp_path) as one:
        one.house.revoked[one.leaf.certificate.serial_number] = COMPROMISED
        one.house.signer = issue("Responder", one.between, uses=OCSP_SIGNING)
        believed = await one.look(make_deps())
        one.house.signer = issue("Responder", one.between)
        without_permission = await one.look(make_deps())
        one.house.signer = issue("Responder", one.between, uses=OCSP_SIGNING, days=-2)
        expired = await one.look(make_deps())

    assert believed.cause is Cause.TLS_UNTRUSTED
    assert (without_permission.figures["revocation"], expired.figures["revocation"]) == ("unknown", "unknown")


async def test_a_silent_responder_leaves_time_for_the_list(deps: ProbeDeps, tmp_path: Path) -> None:
    async with scene(tmp_path, by="ocsp list") as one:
        one.house.revoked[one.leaf.certificate.serial_number] = COMPROMISED
        one.house.change = lambda body: None if len(one.house.asked) == 1 else body
        result = await one.look(deps, timeout=3_000)

    assert one.house.asked == ["ocsp", "list"]
    assert result.cause is Cause.TLS_UNTRUSTED


async def test_a_list_of_other_certificates_proves_nothing(make_deps: Deps, tmp_path: Path) -> None:
    def scope(**values: Any) -> x509.IssuingDistributionPoint:
        usual: dict[str, Any] = {
            "full_name": None, "relative_name": None, "only_contains_user_certs": False, "only_contains_ca_certs": False,
            "only_some_reasons": None, "indirect_crl": False, "only_contains_attribute_certs": False,
        }  # fmt: skip
        return x509.IssuingDistributionPoint(**{**usual, **values})

    async with scene(tmp_path, by="list") as one:
        found = []
        for values in (
            {"only_contains_ca_certs": True},
            {"full_name": [x509.UniformResourceIdentifier("http://elsewhere.test/")]},
            {"only_contains_user_certs": True},
        ):
            one.house.scope = scope(**values)
            found.append((await one.look(make_deps())).figures["revocation"])

    assert found == ["unknown", "unknown", "good"]


async def test_nobody_listens(deps: ProbeDeps, unused_port: int) -> None:
    assert (await look(deps, unused_port)).cause is Cause.TCP_REFUSED


async def test_plain_text_on_a_tls_port(serve: Serve, deps: ProbeDeps) -> None:
    async def greet(reader: Reader, writer: Writer) -> None:
        writer.write(b"220 hello\r\n")
        await writer.drain()
        await reader.read()

    async with serve(greet) as port:
        result = await look(deps, port)

    assert (result.status, result.cause) == (Status.DOWN, Cause.TLS_HANDSHAKE)


@pytest.mark.parametrize("seed", seeds(12))
async def test_whatever_becomes_of_the_handshake_it_is_told(serve: Serve, deps: ProbeDeps, make_context: Contexts, seed: int) -> None:
    """A real server behind somebody who flips, cuts, repeats and delays its bytes."""
    chance = random.Random(seed)

    async def mangle(reader: Reader, writer: Writer) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", real)
        back.write(await reader.read(65_536))
        data = bytearray(await there.read(65_536))
        hang_up(back.transport)
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        data = data[: chance.choice((len(data), chance.randrange(len(data))))] * chance.choice((1, 1, 2))
        half = chance.randrange(len(data) + 1)
        writer.write(data[:half])
        await asyncio.sleep(chance.choice((0, 0.05)))
        writer.write(data[half:])
        if chance.random() < 0.5:
            await reader.read()

    async with serve(hold, make_context()) as real, serve(mangle) as port:
        result = await in_time(look(deps, port, timeout=300), 300)

    told(result)
    assert result.status in (Status.UP, Status.DOWN)  # TLS may be done before the bytes go wrong


def test_a_url_stands_for_a_monitor() -> None:
    plain = one_monitor({"url": "tls://shop.test"})
    mail = one_monitor({"url": "tls://[::1]?starttls=smtp&min_version=1.3", "revocation": "off"})

    assert (plain.monitor.kind, plain.monitor.target, plain.monitor.host) == ("tls", "tls://shop.test:443", "shop.test")
    assert (mail.monitor.target, mail.config.reveal().effective_port) == ("tls://[::1]:25?starttls=smtp", 25)
    assert (mail.config.reveal().min_version, mail.config.reveal().revocation) == ("1.3", "off")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "tls://shop.test?starttls=gopher"}, "'gopher' is not a STARTTLS protocol; write one of smtp"),
        ({"url": "tls://shop.test/path"}, "cannot have a path"),
        ({"type": "tls", "host": "shop.test", "fingerprint": "AB:CD"}, "is not a SHA-256 fingerprint"),
        ({"type": "tls", "host": ""}, "is not a host"),
        ({"type": "tls", "host": "shop.test", "names": ["a b"]}, "is not a host"),
    ],
)
def test_what_cannot_be_read_is_said(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        one_monitor(values)

    assert words in str(raised.value)
