"""What the tests of notifiers share: a mail server, a receiver of webhooks, and channels that use them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vigie.config.convert import dec_hook
from vigie.notifiers import NotifierDeps
from vigie.notifiers.email import Config, Mail, build
from vigie.planning.duration import Duration
from vigie.testing.notifier_rigs import TestClock
from vigie.testing.smtp_server import SmtpServer


@pytest.fixture
def deps() -> NotifierDeps:
    return NotifierDeps(TestClock(), "watch.example.com", None, 0.4)


@pytest.fixture
def mail(deps: NotifierDeps) -> Callable[..., Mail]:
    """A mail channel to a server, with settings changed at will."""

    def make(server: SmtpServer, **changed: Any) -> Mail:
        settings: dict[str, Any] = {
            "to": ["team@example.com"],
            "sender": "vigie@example.com",
            "host": "localhost",
            "port": server.port,
            "tls": server.tls,
            "password": server.password,
            "ca_file": str(server.ca_file) if server.tls != "none" else None,
            "timeout": Duration(400),
        }
        return build(msgspec.convert(settings | changed, Config, dec_hook=dec_hook), deps)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
