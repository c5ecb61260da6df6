"""The whole exception tree, and the closed lists of reasons its members carry.

VigieError
├── ConfigError          the configuration is unusable; holds every fault, with file, line, key and fix
├── StoreError           the database cannot be used; holds a StoreFault
├── AlreadyRunning       another run holds the lock
├── MissingExtra         an optional dependency is not installed; names the pip command
├── DeliveryError        a channel did not take a message; holds the retry verdict
├── BusError             the bus between servers and agents cannot be used; holds a BusFault
├── UplinkError          an agent cannot reach its servers, or is refused; holds an UplinkFault
└── ModelError           the language model gave nothing usable; holds a ModelFault

A Config says what is wrong with its values by ValueError, which a FieldError narrows to one of them.

A target's fault is never an exception: a probe turns it into a CheckResult.
"""

from dataclasses import dataclass
from enum import StrEnum


class VigieError(Exception):
    """Anything Vigie itself raises on purpose; `fix` says what the reader can do, or is empty."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a configuration: where it stands, what is wrong and how to mend it."""

    message: str
    fix: str = ""
    key: str = ""
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "")
        parts = [part for part in (place, self.key, self.message) if part]
        return ": ".join(parts) + (f" ({self.fix})" if self.fix else "")


class FieldError(ValueError):
    """What a Config's own check finds wrong below one of its keys; `at` is the way there, as in `("headers", "X-Id")`."""

    def __init__(self, at: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.at = at


class ConfigError(VigieError):
    """The configuration is unusable; every fault is listed at once. `heading` says what they have in common."""

    def __init__(self, faults: list[Fault], heading: str = "invalid configuration") -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults, self.heading = faults, heading


class StoreFault(StrEnum):
    """Why the database cannot be used."""

    CORRUPT = "corrupt"
    NEWER = "newer"
    FULL = "full"
    READ_ONLY = "read_only"
    BUSY = "busy"
    FENCED = "fenced"  # another server leads now: what this one decided does not count
    UNREACHABLE = "unreachable"
    AUTH = "auth"
    UNSUITABLE = "unsuitable"  # a server that Vigie cannot work with: its version, its encoding, what it allows
    OTHER = "other"


class StoreError(VigieError):
    """The database cannot be used; nothing that was committed is lost."""

    def __init__(self, fault: StoreFault, message: str, fix: str = "") -> None:
        super().__init__(message, fix)
        self.fault = fault


class AlreadyRunning(VigieError):  # noqa: N818 - says what is the case
    """Another run of Vigie holds the lock on this store."""


class MissingExtra(VigieError):  # noqa: N818 - names the thing that is missing
    """A kind needs a module that is not installed; `fix` names the pip command that brings it (`install` is what pip is told)."""

    def __init__(self, kind: str, module: str, install: str) -> None:
        super().__init__(f"{kind} needs the Python module {module}, which is not installed", f"pip install {install}")
        self.module = module


class DeliveryReason(StrEnum):
    """Why a channel did not take a message."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    DNS = "dns"
    TLS = "tls"
    AUTH = "auth"
    RECIPIENT = "recipient"
    RATE_LIMIT = "rate_limit"
    SERVER = "server"
    REJECTED = "rejected"
    CONFIG = "config"
    OTHER = "other"


class DeliveryError(VigieError):
    """A channel did not take a message.

    `permanent` means that trying again is useless until somebody changes something;
    `retry_after_ms` is the wait the channel asked for, if it did.
    """

    def __init__(
        self,
        reason: DeliveryReason,
        message: str,
        *,
        fix: str = "",
        permanent: bool = False,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message, fix)
        self.reason = reason
        self.permanent = permanent
        self.retry_after_ms = retry_after_ms


class UplinkFault(StrEnum):
    """Why an agent and its servers do not get on."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    AUTH = "auth"  # the token is unknown or was revoked
    REFUSED = "refused"  # what was sent is not accepted, now or later
    BUSY = "busy"
    STANDBY = "standby"  # another server evaluates, and takes in what agents measured
    VERSION = "version"  # no protocol that both speak
    OTHER = "other"


class UplinkError(VigieError):
    """An agent cannot reach its servers, or is refused. `permanent`: trying again is useless until somebody changes something."""

    def __init__(
        self, fault: UplinkFault, message: str, *, fix: str = "", permanent: bool = False, retry_after_ms: int | None = None
    ) -> None:
        super().__init__(message, fix)
        self.fault, self.permanent, self.retry_after_ms = fault, permanent, retry_after_ms


class BusFault(StrEnum):
    """Why the bus cannot be used."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    AUTH = "auth"
    RIGHTS = "rights"  # it lets us in, but not do this
    UNSUITABLE = "unsuitable"  # its version, or what it was set up to do
    DIFFERENT = "different"  # what Vigie keeps there is there, with other settings
    FULL = "full"
    TOO_LARGE = "too_large"
    BUSY = "busy"  # it decides who leads, or has too much to do
    OTHER = "other"


class BusError(VigieError):
    """The bus cannot be used. `permanent`: trying again is useless until somebody changes something."""

    def __init__(self, fault: BusFault, message: str, fix: str = "", *, permanent: bool = False) -> None:
        super().__init__(message, fix)
        self.fault, self.permanent = fault, permanent


class ModelFault(StrEnum):
    """Why the language model gave nothing usable."""

    UNREACHABLE = "unreachable"
    NOT_PULLED = "not_pulled"
    REMOTE = "remote"
    BUSY = "busy"
    TIMEOUT_FIRST_TOKEN = "timeout_first_token"  # noqa: S105 - a reason, not a password
    TIMEOUT_STALL = "timeout_stall"
    TIMEOUT_TOTAL = "timeout_total"
    CUT = "cut"
    ENDLESS = "endless"
    EMPTY = "empty"
    NOT_JSON = "not_json"
    SCHEMA = "schema"
    TRUNCATED_PROMPT = "truncated_prompt"
    AUTH = "auth"
    SERVER = "server"
    BREAKER = "breaker"
    OTHER = "other"


class ModelError(VigieError):
    """The language model gave nothing usable; the plain report is used instead."""

    def __init__(self, fault: ModelFault, message: str, fix: str = "") -> None:
        super().__init__(message, fix)
        self.fault = fault
