"""A binding for the libcurl that `curl_cffi` carries, which is built on BoringSSL; it covers what an exchange needs.

Only the package's extension module is loaded, none of its Python code, which would cost megabytes and 100 ms and misreads
`CURLINFO_CERTINFO`. The extension is private to the package: its version is pinned, and `tests/probes/http/test_libcurl_binding.py`
calls every function that is used here. Its callbacks exist once per process: an adapter that imports `curl_cffi` itself replaces
them, hence `is_shared`.
"""

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from vigie.probes.kit.http import libcurl

_PACKAGE, _EXTENSION = "curl_cffi", "_wrapper"
_TYPE, _LONG = 0xF00000, 0x200000  # CURLINFO_TYPEMASK, CURLINFO_LONG
_ERROR_SIZE = 256  # CURL_ERROR_SIZE
_PEM = b"Cert:"
_CALLBACKS = ("write_callback", "buffer_callback", "debug_function", "socket_function", "timer_function")
_FUNCTIONS = (
    "curl_version", "curl_slist_append", "curl_slist_free_all",
    "curl_easy_init", "curl_easy_cleanup", "_curl_easy_setopt", "curl_easy_getinfo", "curl_easy_strerror",
    "curl_multi_init", "curl_multi_cleanup", "curl_multi_setopt", "curl_multi_add_handle", "curl_multi_remove_handle",
    "curl_multi_socket_action", "curl_multi_info_read",
)  # fmt: skip


class Receiver(Protocol):
    """Receives the response; anything but None makes libcurl stop."""

    def header(self, line: bytes) -> int | None:
        """Receive one header line."""
        ...

    def body(self, chunk: bytes) -> int | None:
        """Receive a part of the body."""
        ...


class Library:
    """The loaded extension: `lib` has libcurl's functions, `ffi` makes the values that they take."""

    def __init__(self, ffi: Any, lib: Any) -> None:
        self.ffi, self.lib = ffi, lib
        self.version = str(ffi.string(lib.curl_version()).decode())
        self._install_callbacks()

    def _install_callbacks(self) -> None:
        ffi = self.ffi
        from_handle, buffer = ffi.from_handle, ffi.buffer

        def write_callback(data: Any, _one: int, length: int, easy: Any) -> int:
            return length if from_handle(easy).receiver.body(buffer(data, length)[:]) is None else 0

        def buffer_callback(data: Any, _one: int, length: int, easy: Any) -> int:
            return length if from_handle(easy).receiver.header(buffer(data, length)[:]) is None else 0

        def debug_function(_curl: Any, kind: int, data: Any, length: int, easy: Any) -> int:
            if kind == libcurl.INFOTYPE_TEXT:
                from_handle(easy).said.append(buffer(data, length)[:])
            return 0

        def socket_function(_curl: Any, fd: int, action: int, multi: Any, _data: Any) -> int:
            from_handle(multi).on_socket(fd, action)
            return 0

        def timer_function(_multi: Any, timeout_ms: int, multi: Any) -> int:
            from_handle(multi).on_timer(timeout_ms)
            return 0

        for callback in (write_callback, buffer_callback, debug_function, socket_function, timer_function):
            ffi.def_extern()(callback)


@lru_cache(1)
def library() -> Library | None:
    """The extension, loaded once; None if the package is missing or its extension lacks a function that is used here."""
    package = importlib.util.find_spec(_PACKAGE)  # finds a package without running it
    if package is None or package.submodule_search_locations is None:
        return None
    spec = importlib.machinery.PathFinder.find_spec(_EXTENSION, package.submodule_search_locations)
    if spec is None or spec.loader is None:
        return None
    try:
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (ImportError, OSError):  # built for another platform, or what it needs is missing
        return None
    known = all(hasattr(module.lib, name) for name in (*_CALLBACKS, *_FUNCTIONS))
    return Library(module.ffi, module.lib) if known else None


def is_shared() -> bool:
    """Whether other code in this process has imported the package and thereby replaced the callbacks: start no more transfers here."""
    return _PACKAGE in sys.modules


class Easy:
    """An easy handle: one transfer at a time. `receiver` gets the response, `said` the lines of verbose output."""

    __slots__ = ("_error", "_ffi", "_lib", "_lists", "_long", "_offset", "_pointer", "_self", "_set", "_setopt", "curl", "receiver", "said")

    def __init__(self, library: Library) -> None:
        ffi, self._lib = library.ffi, library.lib
        self._ffi = ffi
        # Buffers for arguments and results, allocated once: a check needs them twenty times.
        self._long, self._offset, self._pointer = ffi.new("long *"), ffi.new("int64_t *"), ffi.new("void **")
        self.curl = self._lib.curl_easy_init()
        self.receiver: Receiver | None = None
        self.said: list[bytes] = []
        self._lists: dict[int, Any] = {}
        self._set: dict[int, Any] = {}  # the current options: from one check to the next most stay the same
        self._setopt = self._lib._curl_easy_setopt  # noqa: SLF001 - the extension's name for it
        self._self, self._error = self._ffi.new_handle(self), self._ffi.new("char[]", _ERROR_SIZE)
        self.set(libcurl.ERRORBUFFER, self._error)
        for data, function, callback in (
            (libcurl.WRITEDATA, libcurl.WRITEFUNCTION, self._lib.write_callback),
            (libcurl.HEADERDATA, libcurl.HEADERFUNCTION, self._lib.buffer_callback),
            (libcurl.DEBUGDATA, libcurl.DEBUGFUNCTION, self._lib.debug_function),
        ):
            self.set(data, self._self)
            self.set(function, callback)

    def set(self, option: int, value: Any) -> None:
        """Set an option to an int, bytes (which libcurl copies) or a pointer, if it changes. Raises ValueError if libcurl refuses it."""
        if self._set.get(option) != value:
            self._refuse_failure(option, self._setopt(self.curl, option, self._place(value) if isinstance(value, int) else value))
            self._set[option] = value

    def set_lines(self, option: int, lines: Sequence[bytes]) -> None:
        """Set an option to a list, which lives until it is replaced. Raises ValueError if libcurl refuses it."""
        if self._set.get(option) == lines:
            return
        made = self._ffi.NULL
        for line in lines:
            made = self._lib.curl_slist_append(made, line)
        self._refuse_failure(option, self._setopt(self.curl, option, made))
        self._lib.curl_slist_free_all(self._lists.pop(option, self._ffi.NULL))
        self._lists[option], self._set[option] = made, lines

    def info(self, what: int) -> int:
        """A number about the last transfer."""
        found = self._long if what & _TYPE == _LONG else self._offset
        self._lib.curl_easy_getinfo(self.curl, what, found)
        return int(found[0])

    def info_text(self, what: int) -> str:
        """A text about the last transfer."""
        pointer = self._pointer
        self._lib.curl_easy_getinfo(self.curl, what, pointer)
        return "" if pointer[0] == self._ffi.NULL else str(self._ffi.string(self._ffi.cast("char *", pointer[0])).decode())

    def certificates(self) -> tuple[str, ...]:
        """The chain that the peer sent, leaf first, as PEM. `struct curl_certinfo` is a count and a pointer to an array of lists."""
        ffi, pointer = self._ffi, self._pointer
        self._lib.curl_easy_getinfo(self.curl, libcurl.CERTINFO, pointer)
        if pointer[0] == ffi.NULL:
            return ()
        count, lists = ffi.cast("int *", pointer[0])[0], ffi.cast("struct curl_slist ***", pointer[0])[1]
        return tuple([pem for at in range(count) if (pem := self._pem(lists[at])) is not None])

    def _pem(self, fields: Any) -> str | None:
        ffi, found = self._ffi, None
        while fields != ffi.NULL:
            if ffi.string(fields.data, len(_PEM)) == _PEM:
                found = ffi.string(fields.data)[len(_PEM) :].decode("latin-1")
            fields = fields.next
        return found

    def begin(self, receiver: Receiver) -> None:
        """Prepare for a transfer."""
        self.receiver, self._error[0] = receiver, b"\0"
        self.said.clear()

    def message(self, code: int) -> str:
        """The error message of the last transfer."""
        return self._ffi.string(self._error).decode(errors="replace") or self._words(code)

    def close(self) -> None:
        """Free the handle; no transfer may be in progress."""
        self._lib.curl_easy_cleanup(self.curl)
        for made in self._lists.values():
            self._lib.curl_slist_free_all(made)
        self._lists.clear()

    def _place(self, number: int) -> Any:
        self._long[0] = number
        return self._long

    def _refuse_failure(self, option: int, code: int) -> None:
        if code:
            self._set.pop(option, None)
            raise ValueError(f"option {option}: {self._words(code)}")

    def _words(self, code: int) -> str:
        return str(self._ffi.string(self._lib.curl_easy_strerror(code)).decode())


class EasyMulti:
    """Transfers side by side: a `Multi` of `Easy` handles."""

    def __init__(self, library: Library) -> None:
        self._lib, self._null = library.lib, library.ffi.NULL
        self._count, pipelining = library.ffi.new("int *"), library.ffi.new("long *", libcurl.PIPE_NOTHING)
        self._multi = self._lib.curl_multi_init()
        self._easies: dict[Any, Easy] = {}
        self._closed = False
        self._self = library.ffi.new_handle(self)
        self.on_socket: Callable[[int, int], None] = lambda fd, action: None  # noqa: ARG005 - until somebody listens
        self.on_timer: Callable[[int], None] = lambda timeout_ms: None  # noqa: ARG005 - same
        for option, value in (
            (libcurl.M_PIPELINING, pipelining),
            (libcurl.M_SOCKETDATA, self._self),
            (libcurl.M_SOCKETFUNCTION, self._lib.socket_function),
            (libcurl.M_TIMERDATA, self._self),
            (libcurl.M_TIMERFUNCTION, self._lib.timer_function),
        ):
            self._lib.curl_multi_setopt(self._multi, option, value)

    def listen(self, on_socket: Callable[[int, int], None], on_timer: Callable[[int], None]) -> None:
        """See `Multi`."""
        self.on_socket, self.on_timer = on_socket, on_timer

    def add(self, handle: Easy) -> None:
        """See `Multi`."""
        self._easies[handle.curl] = handle
        self._lib.curl_multi_add_handle(self._multi, handle.curl)

    def remove(self, handle: Easy) -> None:
        """See `Multi`."""
        self._lib.curl_multi_remove_handle(self._multi, handle.curl)
        del self._easies[handle.curl]
        if self._closed:
            self._free()

    def act(self, fd: int, bits: int) -> None:
        """See `Multi`."""
        self._lib.curl_multi_socket_action(self._multi, fd, bits, self._count)

    def ended(self) -> Iterable[tuple[Easy, int, str]]:
        """See `Multi`."""
        while (message := self._lib.curl_multi_info_read(self._multi, self._count)) != self._null:
            easy, code = self._easies[message.easy_handle], int(message.data.result)
            yield easy, code, easy.message(code) if code else ""

    def close(self) -> None:
        """Free the handle as soon as the last transfer has been removed."""
        self._closed = True
        self._free()

    def _free(self) -> None:
        if not self._easies:
            self.listen(lambda fd, action: None, lambda timeout_ms: None)  # noqa: ARG005 - nobody watches any more
            self._lib.curl_multi_cleanup(self._multi)
