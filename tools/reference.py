"""Writes docs/configuration.md, docs/cli.md and the tables of docs/templates.md and docs/api.md from the program itself; `--check` fails when a page is stale."""

import inspect
import re
import sys
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import typer
from typer.testing import CliRunner

from vigie import cli, plugins
from vigie.config import model, planned, templates
from vigie.config.alert import Alert
from vigie.config.convert import enc_hook, struct_of
from vigie.config.streak import Streak
from vigie.core.notification import NoticeReason
from vigie.net import Secret
from vigie.planning.duration import Duration
from vigie.report.variables import VARIABLES as VARIABLES_OF
from vigie.web.api import openapi
from vigie.web.metrics import catalogue

DOCS = Path(__file__).parent.parent / "docs"
_PLANNED = (planned.Maintenance, planned.Override, planned.OnCall)
NOTE = "Written by `make docs` from the program; do not edit.\n"


def default(field: msgspec.structs.FieldInfo) -> str:
    """The default as YAML would have it."""
    if field.required:
        return "required"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if isinstance(value, Duration | Streak):
        return f"`{value}`"
    if isinstance(value, msgspec.Struct) or value in ([], {}, (), None):
        return "–"
    return f"`{msgspec.json.encode(value, enc_hook=enc_hook).decode()}`"


def meta(kind: Any) -> tuple[str, str]:
    """(description, examples) of an annotation."""
    for part in get_args(kind)[1:]:
        if isinstance(part, msgspec.Meta):
            examples = ", ".join(f"`{msgspec.json.encode(one).decode()}`" for one in part.examples or [])
            return part.description or "", examples
    return "", ""


def words(kind: Any) -> str:
    """A type in words."""
    if hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    if struct_of(kind) is not None and not get_args(kind):
        return "keys below"
    if kind is Any:
        return "text or keys"
    if get_origin(kind) is None:
        return {
            Duration: "duration",
            Streak: "number or duration",
            str: "text",
            Secret: "secret text",
            int: "number",
            bool: "true or false",
        }.get(kind, getattr(kind, "__name__", str(kind)))
    if "Literal" in str(get_origin(kind)):
        return " or ".join(f"`{choice}`" for choice in get_args(kind))
    names = {str: "text", int: "number", Duration: "duration"}
    parts = [names.get(part, words(part)) for part in get_args(kind) if part is not type(None)]
    if get_origin(kind) in (list, tuple):
        return f"list of {parts[0]}"
    if get_origin(kind) is dict:
        return "keys with values"
    return " or ".join(dict.fromkeys(parts))


VARIABLES = {
    "VIGIE_CONFIG": "The configuration file, when `--config` does not name one.",
    "EMAIL_SENDER": "Sender of mails, and the login when a password is set.",
    "EMAIL_PASSWORD": "Password of that login; for Gmail an app password. Left out altogether: the server is a relay that needs no login.",
    "EMAIL_RECEIVER": "Receivers, separated by commas.",
    "SMTP_SERVER": "Mail server.",
    "SMTP_PORT": "Its port: 587 means STARTTLS, 465 TLS from the start; 587 when not set, and without a `vigie.yaml` and a password 25.",
    "SMTP_CA_FILE": "PEM file of a private authority of the mail server.",
    "SMTP_TLS": "`starttls`, `implicit`, `opportunistic` or `none`, as `tls` of a mail channel.",
    "SMTP_HELO": "The name that greets the mail server, as `helo` of a mail channel.",
    "SSL_CERT_FILE": "PEM file of trusted authorities, for checks and channels; the system's when not set.",
    "https_proxy": "Proxy for what Vigie sends to `https:` addresses (also `HTTPS_PROXY`); see below.",
    "http_proxy": "Proxy for what Vigie sends to `http:` addresses, in lower case only.",
    "all_proxy": "Proxy for both, where no other is set (also `ALL_PROXY`).",
    "no_proxy": "Hosts and networks that are reached directly (also `NO_PROXY`).",
    "OLLAMA_HOST": "Where Ollama listens, as Ollama's own tools read it: `gpu.lan`, `127.0.0.1:11434`, `https://…`.",
    "OLLAMA_MODEL": "The model, `llama3` when not set.",
    "VIGIE_LISTEN": "Address and port of the web pages where `web.listen` says nothing; containers set it to `0.0.0.0:8080`.",
    "LOG_FILE": "The log file, `service_check_log.txt` when not set.",
    "SERVICE_URL": "Without a `vigie.yaml`: what is watched, `https://ollama.com/` when not set.",
    "TIMEOUT_SECONDS": "Without a `vigie.yaml`: longest time of a check, 10 when not set.",
    "VIGIE_LANGUAGE": "Without a `vigie.yaml`: language of mails and pages, `fr` or `en`.",
    "NO_COLOR": "When set, no colours on a terminal (no-color.org).",
}


PROXIES = """\
**Proxies** are for what Vigie sends: notices by HTTP (all but mail), and a model outside private networks. They are read as curl reads them: lower case
goes before upper case, an empty variable counts as unset, `http://`, `https://`, `socks4://`, `socks4a://`, `socks5://` and `socks5h://` with or without a
login (percent-encoded), no scheme means `http://`. `no_proxy` holds names (with everything below them), addresses and networks
(`10.0.0.0/8`, `fd07:b51a:cc66:f0::/64`), separated by commas or spaces; also `*`, `*.example.com`, `host:port` and `[IPv6]:port`. This machine
is never reached through a proxy. Checks, diagnostics and control targets never use these variables: a check measures the direct way,
or that through the `proxy` of its monitor. Mail is not sent through a proxy. A variable that cannot be understood is named by `vigie config check`,
`vigie doctor` and at every start, and fails only the deliveries that would need it.

Certificates are verified against one PEM file: `SSL_CERT_FILE`, else the system's. `SSL_CERT_DIR`, `CURL_CA_BUNDLE` and `REQUESTS_CA_BUNDLE` are not used.
"""


def variables() -> str:
    """The section about the environment; every name in it is one that the program reads."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "src").rglob("*.py"))
    strangers = [name for name in VARIABLES if f'"{name}"' not in source]
    if strangers:
        raise SystemExit(f"not read by the program: {', '.join(strangers)}")
    about = (
        "A `.env` beside `vigie.yaml` (or in the current folder) comes after the environment: what the environment sets wins. With no `vigie.yaml`\n"
        "these settings are the whole configuration.\n\n"
        "In `vigie.yaml`, `${NAME}` and `${NAME:-default}` are replaced by the value of a variable, and `$${NAME}` writes `${NAME}`. In `.env` the same\n"
        "two forms expand as python-dotenv expands them, whatever the quotes: the environment comes first, then the lines above; what is set nowhere is\n"
        "empty. There `${:-$}{NAME}` writes `${NAME}`. In double quotes `\\n`, `\\t` and the like are escapes; in single quotes only `\\'` and `\\\\` are.\n"
    )
    rows = [f"| `{name}` | {words} |" for name, words in VARIABLES.items()]
    return "\n".join(["## `.env` and the environment", "", about, "| variable | what it is |", "|---|---|", *rows, "", PROXIES])


def item_of(kind: Any) -> type[msgspec.Struct] | None:
    """The Struct that a list holds, if it does."""
    if hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    return struct_of(get_args(kind)[0]) if get_origin(kind) is list else None


def table(struct: type[msgspec.Struct], prefix: str = "") -> list[str]:
    """Rows of a Struct, nested ones behind their own key."""
    rows = []
    for field in msgspec.structs.fields(struct):
        description, examples = meta(field.type)
        name = f"{prefix}{field.encode_name}"
        example = f" For example {examples}." if examples else ""
        kind = "instant" if struct in _PLANNED and field.encode_name in ("from", "until", "starts") else words(field.type)
        rows.append(f"| `{name}` | {kind} | {default(field)} | {description}{example} |".replace("|| ", "| "))
        inner = struct_of(field.type)
        if inner is not None and inner is not Alert and get_origin(field.type) is not dict:
            rows += table(inner, f"{name}.")
        elif (inner := item_of(field.type)) is not None:
            rows += table(inner, f"{name}[].")
    return rows


def section(title: str, struct: type[msgspec.Struct], about: str = "") -> str:
    """A heading, the Struct's docstring and its table."""
    head = [
        f"## {title}",
        "",
        about or inspect.cleandoc(struct.__doc__ or ""),
        "",
        "| key | type | default | what it is |",
        "|---|---|---|---|",
    ]
    return "\n".join([*head, *table(struct), ""])


def described(port: str, kind: str) -> type[msgspec.Struct]:
    """The Config of a kind, whether or not what it needs is installed."""
    config: type[msgspec.Struct] = plugins.load(port, kind, complete=False).Config
    return config


def about(kind: str) -> str:
    """What a kind of check is, what it needs, and how often it looks where that is not the usual."""
    module = plugins.load("probes", kind, complete=False)
    parts = [inspect.cleandoc(module.Config.__doc__ or "")]
    parts += [f"Needs `pip install 'vigie[{kind}]'`."] * bool(plugins.traits_of(module).requires)
    if (every_ms := plugins.traits_of(module).every_ms) is not None:
        parts.append(f"Checks every `{Duration(every_ms)}` unless `every` says otherwise.")
    return " ".join(parts)


def configuration() -> str:
    """docs/configuration.md."""
    parts = [
        "# Configuration reference\n",
        NOTE,
        "`vigie.yaml` is found by `--config`, then `VIGIE_CONFIG`, then `./vigie.yaml`. `${NAME}` and `${NAME:-default}` come from the environment and from\n"
        "`.env` beside the file; what they bring is never shown, logged or stored, but for names, hosts, files and the like that a thing is known by.\n"
        "Unknown keys are errors that name the nearest key. Durations are `500ms`, `30s`, `5m`, `2h`, `1d`, `1w`. Changes apply as a whole or\n"
        "not at all; `store`, `bus` and `web` need a restart. `vigie config schema` prints a JSON Schema for editors.\n",
        variables(),
        section("The file", model.File),
        section("`alerts.<name>`, or `alert` of a monitor", Alert),
        section("`maintenance[]`", planned.Maintenance),
        section("`people.<name>`", planned.Person),
        section("`oncall.<name>`", planned.OnCall),
        section("`monitors[]`, every kind", model.Common),
    ]
    parts += [section(f"`monitors[]`, `type: {kind}`", described("probes", kind), about(kind)) for kind in plugins.kinds("probes")]
    parts.append(section("`notify.<name>`, every type", templates.CommonChannel))
    parts += [section(f"`notify.<name>`, `type: {kind}`", described("notifiers", kind)) for kind in plugins.kinds("notifiers")]
    parts.append(section("`llm`", model.Report))
    parts += [section(f"`llm`, `provider: {kind}`", described("llms", kind)) for kind in plugins.kinds("llms")]
    return "\n".join(parts)


def between(text: str, name: str, rows: list[str]) -> str:
    """A page with a table between the marks of a name."""
    head, _, rest = text.partition(f"<!-- {name}:")
    mark, _, rest = rest.partition("\n")
    return f"{head}<!-- {name}:{mark}\n" + "\n".join(rows) + f"\n<!-- /{name} -->" + rest.partition(f"<!-- /{name} -->")[2]


def template_page() -> str:
    """docs/templates.md, with the tables of variables and of reasons."""
    text = (DOCS / "templates.md").read_text(encoding="utf-8")
    text = between(
        text, "variables", ["| variable | what it is |", "|---|---|", *(f"| `{name}` | {one} |" for name, one in VARIABLES_OF.items())]
    )
    source = inspect.getsource(NoticeReason).splitlines()
    reasons = [
        (line.partition("=")[2].partition('"')[2].partition('"')[0], line.partition("#")[2].strip()) for line in source if " = " in line
    ]
    return between(text, "reasons", ["| reason | why |", "|---|---|", *(f"| `{name}` | {why} |" for name, why in reasons)])


def api_page() -> str:
    """docs/api.md, with the table of operations."""
    scopes = {"VIEWER": "read", "RESPONDER": "respond", "EDITOR": "edit", "ADMIN": "admin"}
    rows = ["| operation | what it does | scope | parameters |", "|---|---|---|---|"]
    for one in sorted(openapi.operations(), key=lambda one: (one.path, one.method)):
        asked = ", ".join(f"`{field.encode_name}`" for field in msgspec.structs.fields(one.asked))
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", one.path)
        rows.append(f"| `{one.method} {path}` | {one.summary} | {scopes.get(one.needs.name, '–')} | {asked or '–'} |")
    return between((DOCS / "api.md").read_text(encoding="utf-8"), "operations", rows)


def metrics_page() -> str:
    """docs/metrics.md, with the table of metrics."""
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    rows = []
    for one in catalogue.every():
        everywhere = one.name not in catalogue.OWN and one is not catalogue.CHAIN_INFO
        labels = (*(("monitor", "location") if everywhere else ()), *one.labels)
        if one in (catalogue.MONITOR_INFO, catalogue.MONITOR_STATE, catalogue.MONITOR_INCIDENT):
            labels = ("monitor", *one.labels)
        rows.append(f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in labels) or '–'} | {one.about} |")
    return between(text, "metrics", ["| metric | type | labels | what it is |", "|---|---|---|---|", *rows])


def commands() -> str:
    """docs/cli.md."""
    runner, parts = CliRunner(), ["# Command reference\n", NOTE]
    group: Any = typer.main.get_command(cli.root)
    for path in [[], *([name] for name in group.list_commands(None)), *_subcommands(group)]:
        text = runner.invoke(
            cli.root, [*path, "--help"], prog_name="vigie", terminal_width=100, env={"COLUMNS": "100", "TERM": "dumb"}
        ).output
        parts.append(f"## `{' '.join(['vigie', *path])}`\n\n```\n{text.strip()}\n```\n")
    return "\n".join(parts)


def _subcommands(group: Any) -> list[list[str]]:
    found = []
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        found += [[name, inner] for inner in sorted(getattr(command, "commands", {}))]
    return found


def main() -> int:
    """Write the pages, or compare them."""
    pages = {
        DOCS / "configuration.md": configuration(),
        DOCS / "cli.md": commands(),
        DOCS / "templates.md": template_page(),
        DOCS / "api.md": api_page(),
        DOCS / "metrics.md": metrics_page(),
    }
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"docs/{path.name} is stale: run `make docs`")
        return 1 if stale else 0
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
