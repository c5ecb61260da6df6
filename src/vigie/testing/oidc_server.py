"""An OpenID Connect provider on loopback: discovery, authorization with PKCE, tokens that it signs, userinfo.

It logs everybody in as `claims` says, without asking. A test bends what it says: `bend` changes an ID token, `fail` an endpoint.
"""

import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.jwk import RSAKey

from vigie.testing.webhook_server import Answer, Request, WebhookServer

CLIENT, SECRET = "vigie", "s3cret:with/signs"


class OidcServer:
    """The provider, while the context is open."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._server = WebhookServer(self._answer)
        self._codes: dict[str, dict[str, str]] = {}
        self._access: set[str] = set()
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}, auto_kid=False)
        self.claims: dict[str, Any] = {"sub": "1234", "preferred_username": "ann", "groups": ["staff"]}
        self.userinfo: dict[str, Any] = {}
        self.bend: Callable[[dict[str, Any]], dict[str, Any]] = dict
        self.fail: dict[str, Answer] = {}
        self.methods = ["client_secret_basic"]
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "k1"}

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._server.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop."""
        await self._server.__aexit__(kind, error, trace)

    @property
    def issuer(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def asked(self) -> list[str]:
        """The paths that were asked for."""
        return [one.path.partition("?")[0] for one in self._server.requests]

    def _answer(self, request: Request) -> Answer:
        path = request.path.partition("?")[0]
        if path in self.fail:
            return self.fail[path]
        handlers: dict[str, Callable[[Request], Answer]] = {
            "/.well-known/openid-configuration": lambda _: _json(self._document()),
            "/keys": lambda _: _json({"keys": [self.key.as_dict(private=False)]}),
            "/authorize": self._authorize,
            "/token": self._token,
            "/userinfo": self._userinfo,
        }
        handler = handlers.get(path)
        return Answer(404) if handler is None else handler(request)

    def _document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": self.methods,
        }

    def _authorize(self, request: Request) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        if asked.get("response_type") != "code" or asked.get("client_id") != CLIENT or asked.get("code_challenge_method") != "S256":
            return Answer(400)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return Answer(302, b"", {"Location": f"{asked['redirect_uri']}?{back}"})

    def _token(self, request: Request) -> Answer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        given = form.get("client_id", ""), form.get("client_secret", "")
        if (basic := request.headers.get("authorization", "")).startswith("Basic "):
            name, _, secret = b64decode(basic[6:]).decode().partition(":")
            given = unquote(name), unquote(secret)
        if given != (CLIENT, SECRET):
            return _json({"error": "invalid_client"}, 401)
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return _json({"error": "invalid_grant"}, 400)
        now = int(self._clock())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.claims}
        access = secrets.token_urlsafe(16)
        self._access.add(access)
        return _json({"access_token": access, "token_type": "Bearer", "id_token": jwt.encode(self.header, self.bend(claims), self.key)})

    def _userinfo(self, request: Request) -> Answer:
        known = request.headers.get("authorization", "").partition(" ")[2] in self._access
        return _json({"sub": self.claims.get("sub"), **self.userinfo}) if known else Answer(401)


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value), {"Content-Type": "application/json"})
