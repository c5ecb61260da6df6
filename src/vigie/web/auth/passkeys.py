"""Passkeys (WebAuthn level 3): a login that cannot be phished, and that is both factors at once, since the user is verified.

The relying party is the host that people open: its name must be a domain or localhost, which browsers ask for, and TLS (or localhost).
"""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from vigie.accounts import Passkey, User
from vigie.web.access import Public, Role, route
from vigie.web.auth import sessions
from vigie.web.auth.account import is_fresh, owner
from vigie.web.auth.people import changed
from vigie.web.door import Pending
from vigie.web.forms import body_of, line
from vigie.web.gate import origin_in, problem
from vigie.web.hosts import name_of
from vigie.web.limits import BY_ADDRESS, place_of
from vigie.web.page import HEADERS
from vigie.web.site import Site

_BODY_BYTES = 65_536
_MAX_PASSKEYS = 20  # passkeys of one account
_NAME = 60


def routes(site: Site) -> list[BaseRoute]:
    """The routes of a site that has accounts."""
    if site.accounts is None:
        return []
    one = _Passkeys(site)
    return [
        route("/account/passkeys/options", one.add_options, needs=Role.VIEWER, methods=["POST"], name="account_passkey_options"),
        route("/account/passkeys", one.add, needs=Role.VIEWER, methods=["POST"], name="account_passkey_add"),
        route(
            "/login/passkey/options", one.login_options, needs=Public.LOGIN, methods=["POST"], name="login_passkey_options", audited=False
        ),
        route("/login/passkey", one.login, needs=Public.LOGIN, methods=["POST"], name="login_passkey"),
    ]


def party_of(request: Request, public_url: str | None) -> tuple[str, str]:
    """The relying party's id and the origin that a browser must name: by `web.public_url` where that is the host asked for."""
    host = request.headers.get("host", "")
    public = urlsplit(public_url or "")
    if public.netloc and (public.hostname or "") == (name_of(host) or ""):
        return public.hostname or "", f"{public.scheme}://{public.netloc}"
    return name_of(host) or "", f"{request.scope['scheme']}://{host}"


async def _json(request: Request) -> dict[str, Any]:
    body = await body_of(request, _BODY_BYTES)
    try:
        found = msgspec.json.decode(body or b"")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _answer(token: str, options: Any) -> Response:
    return JSONResponse({"token": token, "options": msgspec.json.decode(options_to_json(options))}, headers=HEADERS)


class _Passkeys:
    def __init__(self, site: Site) -> None:
        self._site, self._accounts, self._door = site, sessions.accounts_of(site), site.door

    async def add_options(self, request: Request) -> Response:
        """What the browser needs to make one."""
        known = await owner(self._site, request)
        if isinstance(known, Response):
            return problem(403, "log in first")
        actor, user = known
        if not await is_fresh(self._site, actor) or len(user.passkeys) >= _MAX_PASSKEYS:
            return problem(403, "log in again first, and have fewer than 20 passkeys")
        party, _ = party_of(request, self._site.access.public_url)
        options = generate_registration_options(
            rp_id=party,
            rp_name="Vigie",
            user_name=user.name,
            user_id=user.id.encode(),
            exclude_credentials=[_descriptor(one) for one in user.passkeys],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        return _answer(self._door.begin("passkey-add", user.id, challenge=options.challenge), options)

    async def add(self, request: Request) -> Response:
        """Keep the one that was made."""
        known = await owner(self._site, request)
        if isinstance(known, Response):
            return problem(403, "log in first")
        actor, user = known
        given = await _json(request)
        token = str(given.get("token", ""))
        pending = self._door.pending(token, "passkey-add")
        self._door.end(token)
        if pending is None or pending.user != user.id or not await is_fresh(self._site, actor):
            return problem(409, "that took too long; try again")
        party, origin = party_of(request, self._site.access.public_url)
        try:
            made = verify_registration_response(
                credential=given.get("credential", {}),
                expected_challenge=pending.data["challenge"],
                expected_rp_id=party,
                expected_origin=origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            return problem(422, f"the passkey was not accepted: {line(str(error))[:200]}")
        identity = bytes_to_base64url(made.credential_id)
        if await self._accounts.user_by_passkey(identity) is not None:
            return problem(409, "this passkey is known already")
        name = line(str(given.get("name", "")))[:_NAME] or "passkey"
        one = Passkey(
            identity, bytes_to_base64url(made.credential_public_key), name, self._site.now(), made.sign_count, None, _transports(given)
        )
        request.state.audit = {"name": name}
        await changed(self._accounts, user.name, lambda now: replace(now, passkeys=(*now.passkeys, one)))
        return JSONResponse({"next": "/account?done=passkey"}, headers=HEADERS)

    async def login_options(self, request: Request) -> Response:
        """What the browser needs to use one, whosever it is: nobody learns who has an account."""
        party, _ = party_of(request, self._site.access.public_url)
        options = generate_authentication_options(rp_id=party, user_verification=UserVerificationRequirement.REQUIRED)
        return _answer(self._door.begin("passkey", place=place_of(origin_in(request).address), challenge=options.challenge), options)

    async def login(self, request: Request) -> Response:
        """Log in whose it is."""
        key = ("passkey", place_of(origin_in(request).address))
        if wait := self._door.limiter.wait(key):
            return problem(429, "too many attempts", {"Retry-After": str(wait)})
        given = await _json(request)
        token = str(given.get("token", ""))
        pending = self._door.pending(token, "passkey")
        self._door.end(token)
        user = None if pending is None else await self._proven(request, given, pending)
        if user is None:
            self._door.limiter.failed(BY_ADDRESS, key)
            return problem(401, "the passkey was not accepted")
        self._door.limiter.forget(key)
        answer = JSONResponse({"next": sessions.safe_next(str(given.get("next", "/")))}, headers=HEADERS)
        return await sessions.begin(request, self._site, user, "passkey", answer)

    async def _proven(self, request: Request, given: dict[str, Any], pending: Pending) -> User | None:
        credential = given.get("credential")
        identity = credential.get("id", "") if isinstance(credential, dict) else ""
        user = await self._accounts.user_by_passkey(str(identity)) if identity else None
        known = next((one for one in user.passkeys if one.id == identity), None) if user is not None else None
        if user is None or known is None or user.disabled or not isinstance(credential, dict):
            return None
        party, origin = party_of(request, self._site.access.public_url)
        try:
            proof = verify_authentication_response(
                credential=credential,
                expected_challenge=pending.data["challenge"],
                expected_rp_id=party,
                expected_origin=origin,
                credential_public_key=base64url_to_bytes(known.public_key),
                credential_current_sign_count=known.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError):
            return None
        used = replace(known, sign_count=proof.new_sign_count, used_at=self._site.now())
        after = tuple(used if one.id == identity else one for one in user.passkeys)
        return await self._accounts.save_user(replace(user, passkeys=after))


def _descriptor(one: Passkey) -> PublicKeyCredentialDescriptor:
    known = {kind.value for kind in AuthenticatorTransport}
    ways = [AuthenticatorTransport(way) for way in one.transports if way in known]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id), transports=ways or None)


def _transports(given: dict[str, Any]) -> tuple[str, ...]:
    """How the browser says that the authenticator is reached."""
    credential = given.get("credential")
    response = credential.get("response") if isinstance(credential, dict) else None
    found = response.get("transports") if isinstance(response, dict) else None
    return tuple(str(one)[:20] for one in found[:8]) if isinstance(found, list) else ()
