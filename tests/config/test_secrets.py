"""Whatever comes out of `${NAME}` is seen where it is revealed, and nowhere else."""

import json
import logging
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import pytest

from vigie import logs, plugins
from vigie.buses.process import Assign, frame, read_down
from vigie.config import Desired, load
from vigie.config.convert import enc_hook
from vigie.config.shown import schema, shown
from vigie.core.model import CheckResult, Status
from vigie.errors import ConfigError, DeliveryError, DeliveryReason
from vigie.net import Secret, Secrets
from vigie.ports import Receipt
from vigie.probes.kit.deps import configured
from vigie.probes.kit.masked_probe import MaskedProbe

# Texts that a key takes only in a certain form; every other one takes the marker as it is.
FORMS: dict[str, str] = {
    "url": "https://h.test/MARKER/page?key=MARKER", "proxy": "http://user:MARKER@proxy.test:3128", "host_key": "",
    "rdap_server": "https://h.test/MARKER/", "rdap_list": "https://h.test/MARKER/", "command": "program MARKER", "status": "",
    "fingerprint": "", "trust_anchors": "", "answers": "", "rcode": "NXDOMAIN", "json": "$.MARKER==x", "to": "MARKER@site.test",
    "sender": "MARKER@site.test", "server_name": "", "names": "", "save": "$.MARKER", "regex": "MARKER", "min_version": "", "info": "",
}  # fmt: skip
# What is shown on purpose (its field is marked so), or can hold no secret at all; the docstrings of the fields say why.
OPEN = {
    "host",
    "resolver",
    "ca_file",
    "server_public_key",
    "name",
    "record",
    "domain",
    "cron",
    "timezone",
    "lookup",
    "database",
    "topic",
    "service",
    "model",
    "method",
    "type",
}
LEAST: dict[str, dict[str, Any]] = {
    "heartbeat": {"period": "1d"}, "imap": {"tls": "implicit"}, "smtp": {"tls": "implicit"}, "dns": {"name": "shop.test"},
    "icmp": {}, "tcp": {"port": 1}, "domain": {"domain": "shop.test"}, "exec": {}, "steps": {},
}  # fmt: skip
MARKER = "q7Zk-marker-9"


def is_text(kind: Any) -> bool:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind in (str, Secret) or any(part in (str, Secret) for part in get_args(kind) if get_origin(kind) is not Literal)


def one_key_each(kind: str, struct: type[msgspec.Struct]) -> Iterator[tuple[str, Any]]:
    """Every key that takes a text, a list of texts or texts by name, with the marker in it."""
    for one in msgspec.structs.fields(struct):
        name, bare = one.encode_name, one.type
        while get_origin(bare) is Annotated:
            bare = get_args(bare)[0]
        if name in OPEN or FORMS.get(name, "x") == "":
            continue
        if get_origin(bare) is dict and Secret in get_args(bare):
            yield name, {"x-thing": "MARKER"}
        elif get_origin(bare) is list and get_args(bare)[0] is str:
            yield name, [FORMS.get(name, "MARKER")]
        elif is_text(bare):
            yield name, FORMS.get(name, "MARKER")


def cases() -> Iterator[Any]:
    for kind in plugins.kinds("probes"):
        struct = plugins.load("probes", kind, complete=False).Config
        least = {"type": kind, **({"host": "h.test"} if "host" in struct.__struct_fields__ else {}), **LEAST.get(kind, {})}
        least |= {"url": "https://h.test/"} if kind in ("http", "browser") else {"url": "wss://h.test/"} if kind == "websocket" else {}
        least |= {"command": "program"} if kind == "exec" else {"steps": [{"url": "https://h.test/"}]} if kind == "steps" else {}
        least |= {"token": "a-token-of-the-test"} if kind == "heartbeat" else {}
        for key, value in one_key_each(kind, struct):
            more = (
                {"user": "u", "password": "p-of-the-test"}
                if key in ("user", "password", "query", "expect") and "user" in struct.__struct_fields__
                else {}
            )
            more |= {"query": "SELECT 1"} if key == "expect" and kind in ("mysql", "postgres") else {}
            form = value.replace("https", "wss") if kind == "websocket" and isinstance(value, str) else value
            yield pytest.param({"monitors": [{**least, **more, key: form}]}, id=f"{kind}.{key}")
    steps = {
        "type": "steps",
        "steps": [{"url": "https://h.test/", "headers": {"x-a": "MARKER"}, "body": "MARKER", "expect": {"keyword": "MARKER"}}],
    }
    yield pytest.param({"monitors": [steps]}, id="steps.steps")
    for key in ("send", "expect", "regex"):
        exchange = [{"send": "x", key: "MARKER"}] if key != "send" else [{"send": "AUTH MARKER"}]
        yield pytest.param({"monitors": [{"type": "tcp", "host": "h.test", "port": 1, "exchange": exchange}]}, id=f"tcp.exchange.{key}")
    for auth in ({"bearer": "MARKER"}, {"basic": {"user": "MARKER", "password": "MARKER"}}):
        yield pytest.param({"monitors": [{"url": "https://h.test/", "auth": auth}]}, id=f"http.auth.{next(iter(auth))}")
    for name, value in {"keyword": "MARKER", "reject_keyword": ["MARKER"], "type": "MARKER", "json": {"$.a": "MARKER"}}.items():
        yield pytest.param({"monitors": [{"url": "https://h.test/", "expect": {name: value}}]}, id=f"http.expect.{name}")
    for action in ({"fill": {"into": "#a", "secret": "MARKER"}}, {"fill": {"into": "#a", "text": "MARKER"}}, {"expect_text": "MARKER"}):
        yield pytest.param(
            {"monitors": [{"type": "browser", "url": "https://h.test/", "actions": [action]}]}, id=f"browser.{next(iter(action))}"
        )
    yield pytest.param({"monitors": ["https://me:MARKER@h.test/MARKER?MARKER#MARKER"]}, id="a url alone")
    yield pytest.param({"monitors": ["postgres://u:MARKER@h.test/shop"]}, id="a url that stands for keys")
    mail = {"type": "email", "to": "a@site.test", "sender": "v@site.test", "host": "mail.test", "password": "p-of-the-test"}
    hook = {"type": "webhook", "url": "https://hooks.test/x"}
    for key in ("to", "sender", "username", "password"):
        yield pytest.param({"notify": {"one": {**mail, key: FORMS.get(key, "MARKER")}}}, id=f"email.{key}")
    for kind in ("slack", "teams", "webhook"):
        yield pytest.param({"notify": {"one": {"type": kind, "url": "https://hooks.test/services/MARKER"}}}, id=f"{kind}.url")
    yield pytest.param({"notify": {"one": {**hook, "secret": "MARKER"}}}, id="webhook.secret")
    yield pytest.param({"notify": {"one": {**hook, "headers": {"X-A": "Bearer MARKER"}}}}, id="webhook.headers")
    for key, value in {"token": "MARKER", "url": "http://me:MARKER@localhost:1/MARKER/v1", "prompt": "say MARKER"}.items():
        llm = {"provider": "openai", "model": "tiny", "url": "http://localhost:1/v1", key: value}
        yield pytest.param({"llm": llm}, id=f"openai.{key}")


def written(values: dict[str, Any], how: str) -> str:
    whole = {"monitors": ["https://a.test/"], "llm": {"provider": "none"}, **values}
    return json.dumps(whole).replace("MARKER", how)


def read(folder: Path, text: str) -> Desired:
    (folder / "vigie.yaml").write_text(text)
    return load(None, {"X": MARKER}, folder)


@pytest.mark.parametrize("how", ["${X}", "${NOT_SET:-" + MARKER + "}"])
@pytest.mark.parametrize("values", list(cases()))
def test_what_comes_out_of_a_variable_is_shown_nowhere(values: dict[str, Any], how: str, tmp_path: Path) -> None:
    found = read(tmp_path, written(values, how))

    logs.start(file=tmp_path / "log", json=False, level="info", max_bytes=1_000_000, keep=1, secrets=found.secrets, console=False)
    everything = [found, *found.monitors, *found.channels.values(), found.llm, *(one.spec for one in found.monitors)]
    log = logging.getLogger("vigie.test")
    for one in everything:
        log.info("%s %r", one, one)
    log.info("the server said %s", MARKER)  # as an exception of a library would
    logs.stop()
    names = [text for one in found.monitors for text in (one.monitor.id, one.monitor.name, one.monitor.target)]
    seen = "\n".join([repr(everything), str(everything), shown(found), json.dumps(schema()), *names, (tmp_path / "log").read_text()])

    assert MARKER.lower() not in seen.lower()
    assert any(MARKER in one.reveal() for one in found.secrets)
    with pytest.raises(TypeError):
        msgspec.json.encode([one.reveal() for one in found.secrets] and list(found.secrets))


@pytest.mark.parametrize("values", list(cases()))
def test_the_pipe_to_the_prober_carries_it(values: dict[str, Any], tmp_path: Path) -> None:
    """The one place where it leaves the process as it is, for the child that sends it."""
    found = read(tmp_path, written(values, "${X}"))
    if "monitors" not in values:
        return
    body = frame(Assign(1, [one.spec for one in found.monitors], []))[4:]
    there = read_down(body)

    assert MARKER.encode() in body
    assert isinstance(there, Assign)
    assert MARKER not in repr(there)
    for one, spec in zip(found.monitors, there.specs, strict=True):
        assert configured(type(one.config.reveal()), spec.options) == one.config.reveal()


def test_a_secret_masks_itself_and_is_frozen() -> None:
    one = Secret("open sesame")

    assert f"{one} {one!r} {one!s} {one:>20} %s" % one == "*** *** *** *** ***"
    assert one == Secret("open sesame") != Secret("open sesamf")
    assert one != "open sesame"
    assert (hash(one), bool(one), bool(Secret(""))) == (hash(Secret("open sesame")), True, False)
    assert pickle.loads(pickle.dumps(one)).reveal() == "open sesame"
    assert msgspec.json.encode({"a": one}, enc_hook=enc_hook) == b'{"a":"***"}'
    with pytest.raises(AttributeError):
        one._text = "x"
    with pytest.raises(TypeError):
        json.dumps(one)


def test_a_literal_secret_is_one_too(tmp_path: Path) -> None:
    """Values under keys that are secret by meaning, without any variable."""
    text = """
monitors:
  - {url: https://a.test/, headers: {X-Api-Key: literal-key-1, Accept: application/json}, body: literal-body-2}
  - {type: exec, command: check_thing, env: {ANYTHING: literal-env-3, LANG: de_DE.UTF-8}}
  - {url: "https://me:literal-pass-4@b.test/"}
llm: {provider: openai, model: tiny, url: "http://me:literal-pass-5@localhost:1/v1", token: literal-token-6}
"""
    found = read(tmp_path, text)
    everything = found.secrets.mask(text) + shown(found) + repr(found)

    for number in range(1, 7):
        assert not [word for word in everything.split() if word.endswith(f"-{number}") and "literal" in word]
    assert "application/json" in found.secrets.mask(text)
    assert "de_DE.UTF-8" in found.secrets.mask(text)


def test_what_people_know_a_thing_by_stays_readable(tmp_path: Path) -> None:
    """A host, a name, a model: masked, nobody could tell which service is down."""
    (tmp_path / "vigie.yaml").write_text(
        'monitors: [{url: "https://${HOST}/health"}, {type: tcp, host: "${HOST}", port: "${PORT}", name: "${NAME}"}, "${SITE}"]\n'
        'llm: {provider: ollama, model: "${MODEL}"}\nstore: "${DIR}/x.db"\n'
    )
    values = {
        "HOST": "shop.test",
        "PORT": "5432",
        "NAME": "Boutique",
        "MODEL": "llama3",
        "DIR": "data",
        "SITE": "https://me:pass-99@site.test/a/b?t=c-77",
    }
    found = load(None, values, tmp_path)

    assert [(one.monitor.id, one.monitor.target) for one in found.monitors] == [
        ("shop-test", "https://shop.test/health"),
        ("boutique", "tcp://shop.test:5432"),
        ("site-test", "https://site.test/***?t=***"),
    ]
    line = "shop.test Boutique 5432 llama3 data/x.db https://site.test/"
    assert found.secrets.mask(line) == line
    assert found.secrets.mask("me:pass-99 c-77") == "me:*** c-77".replace("c-77", "***")


def test_a_fault_never_quotes_what_came_out_of_a_variable(tmp_path: Path) -> None:
    text = 'monitors: [{url: "https://a.test/", method: "${X} x", timeout: "${X}"}, {type: tcp, host: "a b ${X}", port: "${X}"}]\ntimezone: "${X}"\n'
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)

    assert len(raised.value.faults) >= 4
    assert MARKER not in str(raised.value)


async def test_results_channels_and_models_are_masked_whatever_they_say() -> None:
    from vigie.engine.masking import MaskedModel, MaskedNotifier

    secrets, words = Secrets([Secret(MARKER)]), f"the server said {MARKER}"

    class Chatty:
        name = "chatty"

        async def check(self, timeout_ms: int) -> CheckResult:
            return CheckResult("a", 1, Status.UP, None, words, figures={"said": words, "count": 1}, advice=(words,))

        async def deliver(self, message: Any) -> Receipt:
            raise DeliveryError(DeliveryReason.SERVER, words, fix=words)

        async def examine(self) -> str:
            return words

        async def preload(self) -> None:
            raise RuntimeError(words)

    model: Any = Chatty()
    assert MARKER not in repr(await MaskedProbe(model, secrets).check(1))
    assert MARKER not in await MaskedNotifier(model, secrets).examine() + await MaskedModel(model, secrets).examine()
    for call in (MaskedNotifier(model, secrets).deliver(model), MaskedModel(model, secrets).preload()):
        with pytest.raises((DeliveryError, RuntimeError)) as raised:
            await call
        assert MARKER not in f"{raised.value} {raised.value!r} {getattr(raised.value, 'fix', '')}"


def test_the_password_of_a_store_is_one_and_its_path_is_none(tmp_path: Path) -> None:
    from vigie.config.secrets import of_store
    from vigie.config.variables import Variables
    from vigie.config.yaml import read as parse

    values = Variables({"PW": "pw-of-store-1", "DIR": "/data/vigie"}, "")
    for written, wanted in {"postgres://me:${PW}@db.test/vigie": {"pw-of-store-1"}, "${DIR}/vigie.db": set(), "vigie.db": set()}.items():
        tree = parse(f"store: {json.dumps(written)}\n", "file", values)
        assert {one.reveal() for one in of_store(tree, tree.value["store"])} == wanted
