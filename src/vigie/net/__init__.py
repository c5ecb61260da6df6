"""The one outbound toolkit: names, own link, certificate facts, redaction. Everything that leaves Vigie uses it."""

import os
import ssl
import sys
from pathlib import Path

from vigie import __version__
from vigie.net.browser_tls import Refusal, misnamed, refusal
from vigie.net.closing import hang_up
from vigie.net.internal import GuardedResolver, NameResolver, is_internal, networks_of
from vigie.net.link import Link, has_route, is_literal, is_offline, is_private
from vigie.net.names import ascii_name, is_loopback, readable_name
from vigie.net.outbound import client, transport
from vigie.net.proxies import DIRECT, Proxies, Proxy, ProxyFault, UnusableProxyError
from vigie.net.redact import host_of, redact, redact_url
from vigie.net.resolver import Answer, Resolver, split_server
from vigie.net.secret import ADDRESS, AUTHORITIES, MASK, NO_SECRETS, SHOWN, Secret, Secrets, held_by, revealed, texts
from vigie.net.tls import (
    OLD_VERSIONS,
    ChainLimits,
    covers,
    is_trusted,
    peer_chain,
    tls_facts,
    trust_fault,
    trusted_path,
    verify_cause,
    weakness,
)
from vigie.net.web_url import WebUrl, readable_host, readable_url, web_url, without_noise

__all__ = [
    "ADDRESS",
    "AUTHORITIES",
    "DIRECT",
    "MASK",
    "NO_SECRETS",
    "OLD_VERSIONS",
    "SHOWN",
    "USER_AGENT",
    "Answer",
    "ChainLimits",
    "GuardedResolver",
    "Link",
    "NameResolver",
    "Proxies",
    "Proxy",
    "ProxyFault",
    "Refusal",
    "Resolver",
    "Secret",
    "Secrets",
    "UnusableProxyError",
    "WebUrl",
    "ascii_name",
    "cache_folder",
    "client",
    "covers",
    "hang_up",
    "has_route",
    "held_by",
    "host_of",
    "is_internal",
    "is_literal",
    "is_loopback",
    "is_offline",
    "is_private",
    "is_trusted",
    "misnamed",
    "networks_of",
    "peer_chain",
    "readable_host",
    "readable_name",
    "readable_url",
    "redact",
    "redact_url",
    "refusal",
    "revealed",
    "split_server",
    "system_ca_file",
    "texts",
    "tls_facts",
    "transport",
    "trust_fault",
    "trusted_path",
    "verify_cause",
    "weakness",
    "web_url",
    "without_noise",
]

USER_AGENT = f"Vigie/{__version__}"

_USUAL_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/opt/homebrew/etc/openssl@3/cert.pem",
)


def system_ca_file() -> str | None:
    """The trust store of this machine as one PEM file: SSL_CERT_FILE, OpenSSL's own, the usual places, then certifi's."""
    own = ssl.get_default_verify_paths().openssl_cafile
    for path in (os.environ.get("SSL_CERT_FILE"), own, *_USUAL_CA_FILES):
        if path and Path(path).is_file():
            return path
    try:
        import certifi  # comes with httpx; needed where the system keeps its trust store elsewhere (Windows)
    except ImportError:
        return None
    return certifi.where()


def cache_folder() -> Path | None:
    """Where this system keeps what may be lost at any time (XDG_CACHE_HOME, ~/.cache, ~/Library/Caches, LOCALAPPDATA); it may not exist."""
    try:
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        return None
    return base / "vigie"
