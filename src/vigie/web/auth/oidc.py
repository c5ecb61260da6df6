"""Login by an OpenID Connect provider: discovery, authorization code with PKCE, state and nonce (OpenID Connect Core, RFC 7636, RFC 9700).

What the provider says is believed once its signature, issuer, audience, time and nonce are verified; the role is decided at each login.
"""

import logging
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from vigie.accounts import Role, User
from vigie.net import UnusableProxyError
from vigie.web.access import Public, route
from vigie.web.auth import sessions
from vigie.web.auth.people import changed, is_name, new_user, tidy_name
from vigie.web.door import Pending
from vigie.web.forms import line
from vigie.web.gate import origin_in
from vigie.web.limits import place_of
from vigie.web.page import HEADERS
from vigie.web.setting import OidcSetting
from vigie.web.site import Site

log = logging.getLogger("vigie.web")

CALLBACK = "/login/oidc/callback"
_STATE_COOKIE = "vigie-oidc"
_ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]  # none that a client secret verifies
_KEPT_MS = 600_000
_LEEWAY_SECONDS = 60
_MAX_BYTES = 1_048_576


class OidcError(Exception):
    """What went wrong; `key` is the message that people see: `oidc`, `oidc_unreachable`, `oidc_refused`."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(why)
        self.key, self.why = key, why


def routes(site: Site) -> list[BaseRoute]:
    """The routes of a site that has a provider."""
    if site.accounts is None or site.access.oidc is None:
        return []
    one = _Oidc(site, site.access.oidc)
    return [
        route("/login/oidc", one.begin, needs=Public.LOGIN, name="login_oidc"),
        route(CALLBACK, one.callback, needs=Public.LOGIN, name="login_oidc_callback", audited_get=True),
    ]


class Provider:
    """What is known of a provider, asked again when it is older than ten minutes."""

    def __init__(self, setting: OidcSetting) -> None:
        self._setting = setting
        self._document: tuple[int, Mapping[str, Any]] | None = None
        self._keys: tuple[int, KeySet] | None = None

    async def document(self, now: int) -> Mapping[str, Any]:
        """The discovery document. Raises OidcError."""
        if self._document is None or now - self._document[0] > _KEPT_MS:
            found = await self.get(f"{self._setting.issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != self._setting.issuer:
                raise OidcError("oidc", f"the discovery document is of another issuer: {line(str(found.get('issuer')))[:200]}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not str(found.get(name, "")).startswith(("https://", "http://")):
                    raise OidcError("oidc", f"the discovery document has no {name}")
            self._document = (now, found)
        return self._document[1]

    async def keys(self, now: int, *, fresh: bool = False) -> KeySet:
        """The keys that it signs with. Raises OidcError."""
        if self._keys is None or fresh or now - self._keys[0] > _KEPT_MS:
            found = await self.get(str((await self.document(now))["jwks_uri"]))
            try:
                self._keys = (now, KeySet.import_key_set(found))  # type: ignore[arg-type]  # what it is not is an error that is caught
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise OidcError("oidc", f"the provider's keys cannot be read: {error}") from error
        return self._keys[1]

    async def get(self, url: str, token: str = "") -> dict[str, Any]:
        """A JSON document. Raises OidcError."""
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        return await self._ask(url, lambda client: client.get(url, headers=headers))

    async def post(self, url: str, form: Mapping[str, str], *, basic: bool) -> dict[str, Any]:
        """What a form is answered with. Raises OidcError."""
        auth = (_quoted(self._setting.client_id), _quoted(self._setting.client_secret)) if basic else None
        whole = dict(form) if basic else {**form, "client_id": self._setting.client_id, "client_secret": self._setting.client_secret}
        headers = {"Accept": "application/json"}
        return await self._ask(url, lambda client: client.post(url, data=whole, headers=headers, auth=auth))

    async def _ask(self, url: str, ask: Any) -> dict[str, Any]:
        host = line(url.partition("//")[2].partition("/")[0])[:200]
        try:
            async with self._setting.client(url) as client:
                answer: httpx.Response = await ask(client)
        except (httpx.HTTPError, httpx.InvalidURL, UnusableProxyError, OSError, ValueError) as error:
            raise OidcError("oidc_unreachable", f"{host} cannot be reached: {type(error).__name__}: {line(str(error))[:200]}") from error
        if len(answer.content) > _MAX_BYTES:
            raise OidcError("oidc", f"{host} answers more than a mebibyte")
        try:
            found = answer.json()
        except ValueError:
            found = None
        if answer.status_code != 200 or not isinstance(found, dict):
            said = found.get("error_description") or found.get("error") if isinstance(found, dict) else ""
            key = "oidc_unreachable" if answer.status_code >= 500 else "oidc"
            raise OidcError(key, f"{host} answers {answer.status_code} {line(str(said or ''))[:200]}".rstrip())
        return found


class _Oidc:
    def __init__(self, site: Site, setting: OidcSetting) -> None:
        self._site, self._setting, self._accounts = site, setting, sessions.accounts_of(site)
        self._provider = Provider(setting)

    async def begin(self, request: Request) -> Response:
        """Send somebody to the provider; what brings them back is bound to this browser."""
        next_ = sessions.safe_next(request.query_params.get("next", "/"))
        try:
            document = await self._provider.document(self._site.now())
        except OidcError as error:
            return self._failed(error)
        verifier, nonce, binding = (secrets.token_urlsafe(48) for _ in range(3))
        place = place_of(origin_in(request).address)
        state = self._site.door.begin("oidc", "", next_, place=place, verifier=verifier, nonce=nonce, binding=binding)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self._setting.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self._setting.scopes))),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        where = str(document["authorization_endpoint"])
        answer = RedirectResponse(f"{where}{'&' if '?' in where else '?'}{urlencode(query)}", 303, HEADERS)
        sessions.set_cookie(request, answer, _STATE_COOKIE, binding, 600, "/login")
        return answer

    @property
    def _redirect_uri(self) -> str:
        return self._site.access.base + CALLBACK

    def _failed(self, error: OidcError) -> Response:
        log.warning("login by %s: %s", self._setting.issuer, error.why)
        return RedirectResponse(f"/login?fault={error.key}", 303, HEADERS)

    async def callback(self, request: Request) -> Response:
        """Take somebody back from the provider."""
        asked = request.query_params
        state = asked.get("state", "")
        pending = self._site.door.pending(state, "oidc")
        self._site.door.end(state)
        bound = request.cookies.get(_STATE_COOKIE, "")
        if pending is None or not secrets.compare_digest(str(pending.data["binding"]).encode(), bound.encode("utf-8", "replace")):
            return self._failed(OidcError("again", "an answer that nobody here asked for"))
        if "code" not in asked:
            said = line(asked.get("error_description") or asked.get("error", "nothing"))[:200]
            return self._failed(OidcError("oidc", f"the provider says {said}"))
        if asked.get("iss", self._setting.issuer).rstrip("/") != self._setting.issuer:  # RFC 9207
            return self._failed(OidcError("oidc", "the answer is of another issuer"))
        try:
            user = await self._user(await self._claims(asked["code"], pending))
        except OidcError as error:
            return self._failed(error)
        answer = RedirectResponse(pending.next, 303, HEADERS)
        answer.delete_cookie(_STATE_COOKIE, path="/login")
        return await sessions.begin(request, self._site, user, "oidc", answer)

    async def _claims(self, code: str, pending: Pending) -> Mapping[str, Any]:
        """What the provider says of somebody, verified. Raises OidcError."""
        now = self._site.now()
        document = await self._provider.document(now)
        ways = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": str(pending.data["verifier"]),
        }
        answer = await self._provider.post(str(document["token_endpoint"]), form, basic="client_secret_basic" in ways)
        claims = dict(await self._verified(str(answer.get("id_token", "")), str(answer.get("access_token", "")), pending, now))
        where = str(document.get("userinfo_endpoint", ""))
        if where and answer.get("access_token") and not {"email", self._setting.claim.partition(".")[0]} <= claims.keys():
            more = await self._provider.get(where, str(answer["access_token"]))
            if more.get("sub") != claims["sub"]:
                raise OidcError("oidc", "userinfo is of somebody else")  # OpenID Connect Core §5.3.2
            claims = {**more, **claims}
        return claims

    async def _verified(self, token: str, access: str, pending: Pending, now: int) -> Mapping[str, Any]:
        try:
            try:
                read = jwt.decode(token, await self._provider.keys(now), algorithms=_ALGORITHMS)
            except (JoseError, ValueError):  # the provider may have new keys
                read = jwt.decode(token, await self._provider.keys(now, fresh=True), algorithms=_ALGORITHMS)
            expected = {
                "iss": {"essential": True, "values": [self._setting.issuer, self._setting.issuer + "/"]},
                "aud": {"essential": True, "value": self._setting.client_id},
                "nonce": {"essential": True, "value": str(pending.data["nonce"])},
            }
            params = {"client_id": self._setting.client_id, "nonce": str(pending.data["nonce"]), "access_token": access}
            claims = CodeIDToken(read.claims, read.header, expected, params)
            claims.validate(now // 1000, _LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise OidcError("oidc", f"the ID token is not valid: {type(error).__name__} {line(str(error))[:200]}") from error
        if not str(read.claims.get("sub", "")):
            raise OidcError("oidc", "the ID token names nobody")
        return read.claims

    async def _user(self, claims: Mapping[str, Any]) -> User:
        """The account of these claims, made at the first login, with the role that they give. Raises OidcError."""
        role, subject = self._role(claims), f"{self._setting.issuer}|{claims['sub']}"
        known = await self._accounts.user_by_subject(subject)
        if known is not None:
            if known.disabled:
                raise OidcError("oidc_refused", f"{known.name} is disabled")
            changed_role = await changed(self._accounts, known.name, lambda one: replace(one, role=role))
            return changed_role or known
        name = self._name(claims)
        saved = await self._accounts.save_user(new_user(name, role, self._site.now(), subject=subject))
        if saved is None:  # an account of that name is somebody's whom this provider may not vouch for
            saved = await self._accounts.save_user(new_user(f"{name}-{secrets.token_hex(3)}", role, self._site.now(), subject=subject))
        if saved is None:
            raise OidcError("oidc", "no name is free for the account")
        return saved

    def _role(self, claims: Mapping[str, Any]) -> Role:
        if self._setting.domains:
            mail = str(claims.get("email", ""))
            if claims.get("email_verified") is not True or mail.rpartition("@")[2].lower() not in self._setting.domains:
                raise OidcError("oidc_refused", f"{line(mail)[:100] or 'nobody'} is of no domain that may log in, or not verified")
        value: Any = claims
        for part in self._setting.claim.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        listed = value if isinstance(value, list) else [value]
        roles = [self._setting.roles[one] for one in listed if isinstance(one, str) and one in self._setting.roles]
        role = max(roles, default=self._setting.default_role)
        if role is None:
            raise OidcError(
                "oidc_refused", f"no value of the claim {self._setting.claim} gives a role to {line(str(claims.get('sub')))[:100]}"
            )
        return role

    def _name(self, claims: Mapping[str, Any]) -> str:
        for one in (claims.get("preferred_username"), claims.get("email"), claims.get("sub")):
            name = tidy_name(str(one or ""))
            if is_name(name):
                return name
        return f"user-{secrets.token_hex(4)}"


def _quoted(text: str) -> str:
    """RFC 6749 §2.3.1: encoded as in a form before it goes into basic authentication."""
    return urlencode({"": text})[1:]
