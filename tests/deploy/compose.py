"""deploy/fleet/compose.yaml as containers: its services with their commands, variables, files, users and limits, as Compose has them."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tests.deploy.containers import Container, Image

from vigie.testing.nats_server import binary
from vigie.testing.postgres_server import packaged_server, system_server

ROOT = Path(__file__).parents[2]
FLEET = ROOT / "deploy" / "fleet"
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::?([-?])([^}]*))?\}")
VIGIE = Image(
    ("vigie",), ("serve",), 10001, {"VIGIE_LISTEN": "0.0.0.0:8080", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}, "/data", 10001
)
_UNIX_SOCKETS = "/run/postgresql"
# What the entrypoint of the official image does, as its documentation says.
_POSTGRES = rf"""
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  mkdir -p "$PGDATA"; chmod 700 "$PGDATA"; printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
  initdb -D "$PGDATA" -U postgres --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust $POSTGRES_INITDB_ARGS
  rm /tmp/password; echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -c unix_socket_directories={_UNIX_SOCKETS}" start
  for file in /docker-entrypoint-initdb.d/*.sql; do
    psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc -h {_UNIX_SOCKETS} -U postgres -d postgres -f "$file"
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
fi
exec postgres -D "$PGDATA" -c "listen_addresses=*" -c unix_socket_directories={_UNIX_SOCKETS}
"""


def _image(name: str) -> Image:
    """The image that a service names, by the programs that this machine has."""
    kind = name.partition(":")[0]
    if kind == "vigie":
        return VIGIE
    if kind == "nats":
        return Image((str(binary().resolve()),))
    if kind == "nginx":  # Debian's, whose own user is another one
        return Image(("nginx", "-g", "user www-data; daemon off;"))
    bins = packaged_server() or system_server()
    assert (kind, bins is not None) == ("postgres", True), kind
    variables = {"PGDATA": "/var/lib/postgresql/18/docker", "PATH": f"{bins}:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C"}
    return Image(("sh", "-ec", _POSTGRES), (), 0, variables, "/tmp", 70)


def filled(found: Any, values: Mapping[str, str]) -> Any:
    """With what `${NAME}` means, as Compose fills it in. Raises KeyError for one that is required and not there."""
    if isinstance(found, dict):
        return {key: filled(value, values) for key, value in found.items()}
    if isinstance(found, list):
        return [filled(one, values) for one in found]
    if not isinstance(found, str):
        return found

    def value(match: "re.Match[str]") -> str:
        name, how, default = match.groups()
        if not values.get(name) and how != "-":
            raise KeyError(name)
        return values.get(name) or default or ""

    return _VARIABLE.sub(value, found)


def services() -> dict[str, dict[str, Any]]:
    """The services as they are written, anchors resolved."""
    found: dict[str, dict[str, Any]] = YAML(typ="safe").load((FLEET / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return found


def containers(values: Mapping[str, str], folder: Path, replaced: Mapping[str, Path]) -> dict[str, Container]:
    """All of it; `replaced` are files and folders in the place of those that lie beside the compose file."""
    found = {}
    for number, (name, service) in enumerate(filled(services(), values).items()):
        fixed = service.get("networks", {}).get("default", {}).get("ipv4_address")
        found[name] = _container(name, service, fixed or f"172.30.77.{130 + number}", folder / name, replaced)
    return found


def _container(name: str, service: Mapping[str, Any], address: str, folder: Path, replaced: Mapping[str, Path]) -> Container:
    image, mounts = _image(service["image"]), []
    for one in service["volumes"]:
        source, place, *how = one.split(":")
        here = replaced.get(source, FLEET / source) if source.startswith(".") else _volume(folder, image)
        mounts.append((here.resolve(), place, how == ["ro"]))
    user = service.get("user", str(image.user)).partition(":")[0]
    extra = dict(one.partition(":")[::2] for one in service.get("extra_hosts", ()))
    command = service.get("command", ())
    if service["image"].startswith("nginx"):
        command = ("-c", "/etc/nginx/nginx.conf")
    return Container(
        name, address, image, folder, tuple(command), {key: str(value) for key, value in service.get("environment", {}).items()},
        user=int(user), capabilities=tuple(service.get("cap_add", ())), read_only=service["read_only"], mounts=tuple(mounts),
        tmpfs=tuple((one.partition(":")[0], one.partition(":")[2]) for one in service.get("tmpfs", ())), hosts=extra,
        check=_check(service),
    )  # fmt: skip


def _volume(folder: Path, image: Image) -> Path:
    """A named volume as its image makes it."""
    place = folder / "volume"
    place.mkdir(parents=True, exist_ok=True)
    os.chown(place, image.owner, image.owner)
    place.chmod(0o700)
    return place


def _check(service: Mapping[str, Any]) -> tuple[str, ...]:
    """Its health check. Where busybox has wget, this machine has Python."""
    test = service.get("healthcheck", {}).get("test", ())
    if test and test[1] == "wget":
        return ("python3", "-c", f"import urllib.request; urllib.request.urlopen({test[-1]!r}, timeout=3)")
    return tuple(test[1:])
