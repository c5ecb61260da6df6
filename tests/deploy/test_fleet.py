"""What is shipped for a fleet, as far as it can be judged without its machines: files name each other, the program reads what they say,
and the real nginx and NATS read theirs."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML
from tests._packages import program
from tests.deploy.compose import filled

from vigie.cli import root
from vigie.fleet import subjects
from vigie.net.nats.address import Config
from vigie.testing.nats_server import binary

DEPLOY = Path(__file__).parents[2] / "deploy"
FLEET, KUBERNETES = DEPLOY / "fleet", DEPLOY / "kubernetes"
COMPOSE: dict[str, Any] = YAML(typ="safe").load((FLEET / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRETS = {
    line.partition("=")[0]: line.partition("=")[2] for line in (FLEET / "env.example").read_text().splitlines() if line[:1].isalpha()
}
INTERPOLATED = re.compile(r"\$\{([A-Z_]+)(?::?[-?][^}]*)?\}")
PINNED = re.compile(r"[a-z0-9./-]+:(?:\d+\.\d+(?:\.\d+)?(?:-[a-z0-9.]+)?|VERSION)")
OWN_IMAGE = "vigie:latest"  # built from this tree


def manifests() -> list[dict[str, Any]]:
    """Everything that the manifests of Kubernetes make; of the Secret there is an example."""
    return [
        one
        for file in sorted((*KUBERNETES.glob("*.yaml"), KUBERNETES / "secret.yaml.example"))
        for one in YAML(typ="safe").load_all(file.read_text(encoding="utf-8"))
    ]


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in manifests() if one["kind"] == kind}


def workloads() -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """(StatefulSet or Deployment, the template of its pods, its only container)."""
    for one in (*of_kind("StatefulSet").values(), *of_kind("Deployment").values()):
        template = one["spec"]["template"]
        (container,) = template["spec"]["containers"]
        yield one, template, container


def parsed(words: list[str]) -> None:
    """Have the real command line read a command, without running it."""
    command: Any = typer.main.get_command(root)
    context = typer.Context(command, info_name="vigie")
    name, chosen, rest = command.resolve_command(context, list(words))
    chosen.make_context(name, rest, parent=context)


def accepted(text: str, folder: Path, environment: dict[str, str]) -> None:
    """`vigie config check` on a configuration, as its container runs it."""
    folder.mkdir()
    (folder / "vigie.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "vigie", "config", "check"], cwd=folder, env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        capture_output=True, text=True, check=False, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_compose_names_is_there() -> None:
    named = {one.partition(":")[0] for service in SERVICES.values() for one in service["volumes"] if one[0] != "."}
    assert named == set(COMPOSE["volumes"])
    for name, service in SERVICES.items():
        for other in service.get("depends_on", ()):
            assert other in SERVICES, name
            if isinstance(service["depends_on"], dict):
                assert service["depends_on"][other] == {"condition": "service_healthy"}
                assert "test" in SERVICES[other]["healthcheck"]
        for mount in (one.split(":")[0] for one in service["volumes"] if one.startswith("./")):
            assert mount == "./tls" or (FLEET / mount).exists(), mount
        if "build" in service:
            assert (FLEET / service["build"]["context"]).resolve() == DEPLOY.parent


def test_every_variable_of_compose_is_in_the_example_of_env_and_no_secret_is_in_the_file() -> None:
    text = (FLEET / "compose.yaml").read_text(encoding="utf-8")
    configuration = set(INTERPOLATED.findall((FLEET / "config" / "vigie.yaml").read_text(encoding="utf-8")))

    assert set(INTERPOLATED.findall(text)) | configuration - {"VIGIE_NAME"} == SECRETS.keys()
    assert not [name for name, value in SECRETS.items() if re.search("PASSWORD|TOKEN", name) and value]
    assert all(service["environment"]["VIGIE_NAME"] == name for name, service in SERVICES.items() if name.startswith("vigie-"))


def test_every_container_is_closed_and_every_image_pinned() -> None:
    for name, service in SERVICES.items():
        assert service["image"] == OWN_IMAGE or PINNED.fullmatch(service["image"]), name
        assert service["read_only"] is True, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["restart"] == "unless-stopped", name
        assert "max-size" in service["logging"]["options"], name
        assert not service.get("privileged"), name
        assert service["cap_drop"] == ["ALL"], name
        assert {"mem_limit", "pids_limit"} <= service.keys(), name
        assert "healthcheck" in service, name
        if service["image"] == OWN_IMAGE:
            assert int(service["stop_grace_period"].rstrip("s")) > 15, name
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}  # nothing else is reachable from outside
    assert sum(service["image"].startswith("nats:") for service in SERVICES.values()) == 3
    assert sum(name.startswith("vigie-") for name in SERVICES) == 3


def test_commands_and_variables_are_those_of_the_program() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in (DEPLOY.parent / "src/vigie").rglob("*.py"))
    agents = [service for service in SERVICES.values() if "profiles" in service]
    assert len(agents) == 2
    for service in agents:
        parsed(service["command"])
        if (bus := service["environment"].get("VIGIE_AGENT_BUS")) is not None:
            told = Config.of(INTERPOLATED.sub("secret", bus))
            assert (told.agent or told.user, told.location) == ("agent-paris", "paris")
        assert all(f'"{name}"' in source for name in service["environment"]), service["environment"]
    for _, _, container in workloads():
        parsed(container["args"])


def test_the_servers_configuration_is_valid(tmp_path: Path) -> None:
    secrets = {name: value or "secret" for name, value in SECRETS.items()}
    accepted((FLEET / "config" / "vigie.yaml").read_text(encoding="utf-8"), tmp_path / "compose", {**secrets, "VIGIE_NAME": "vigie-1"})
    values = dict(line.split("=", 1) for line in of_kind("Secret")["vigie"]["stringData"][".env"].splitlines())
    own = {"VIGIE_NAME": "vigie-7f", "VIGIE_ADDRESS": "10.1.2.3"}
    accepted(of_kind("ConfigMap")["vigie"]["data"]["vigie.yaml"], tmp_path / "kubernetes", {**values, **own})


def test_nats_reads_its_configuration_and_an_agent_may_do_what_it_needs_and_nothing_else() -> None:
    text = (FLEET / "nats.conf").read_text(encoding="utf-8")
    used = set(re.findall(r"\$(NATS_[A-Z_]+)", text))
    servers = {name: service for name, service in SERVICES.items() if service["image"].startswith("nats:")}
    environment = filled(servers["nats-1"]["environment"], {name: value or "5" * 12 for name, value in SECRETS.items()})

    assert used == environment.keys() - {"GOMEMLIMIT"}
    assert set(re.findall(r"@(nats-\d):6222", environment["NATS_ROUTES"])) == servers.keys()
    block = text[text.index("permissions {") :]
    granted = {way: tuple(re.findall(r'"(.+)"', re.search(rf"{way}: \[(.*?)\]", block, re.DOTALL)[1])) for way in ("publish", "subscribe")}  # type: ignore[index]
    assert granted == subjects.permissions("paris", "agent-paris")._asdict()
    done = subprocess.run([binary(), "-t", "-c", FLEET / "nats.conf"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "is valid" in done.stdout + done.stderr) == (0, True), done.stderr


@pytest.mark.needs("nginx-light")
def test_nginx_reads_its_configuration_and_passes_streams_on(tmp_path: Path) -> None:
    import trustme

    text = (FLEET / "nginx.conf").read_text(encoding="utf-8")
    assert set(re.findall(r"server (vigie-\d):8080", text)) == {name for name in SERVICES if name.startswith("vigie-")}
    assert "^/(events|api/v1/events|agent/v1/orders)$" in text
    pair = trustme.CA().issue_cert("vigie.example.com")
    (tmp_path / "fullchain.pem").write_bytes(b"".join(one.bytes() for one in pair.cert_chain_pems))
    (tmp_path / "privkey.pem").write_bytes(pair.private_key_pem.bytes())
    for ours, theirs in {
        "/etc/nginx/tls": str(tmp_path),
        "/var/cache/nginx": str(tmp_path),
        "/run/nginx.pid": str(tmp_path / "pid"),
    }.items():
        assert ours in text
        text = text.replace(ours, theirs)
    (tmp_path / "nginx.conf").write_text(re.sub(r"vigie-\d:8080", "127.0.0.1:9", text))
    done = subprocess.run(
        [program("nginx") or "", "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False
    )
    # The ports below 1024 are refused to whoever is not root: that is after everything was read.
    faults = [line for line in done.stderr.splitlines() if "bind()" not in line and 'the "user" directive' not in line]
    assert faults == []


def test_manifests_name_what_there_is() -> None:
    assert {one["apiVersion"] for one in manifests()} == {"v1", "apps/v1", "policy/v1", "networking.k8s.io/v1"}
    assert {one["metadata"].get("namespace", one["metadata"]["name"]) for one in manifests()} == set(of_kind("Namespace"))
    for workload, template, container in workloads():
        labels = template["metadata"]["labels"]
        assert workload["spec"]["selector"]["matchLabels"] == labels
        volumes = {one["name"]: one for one in template["spec"]["volumes"]}
        assert {one["name"] for one in container["volumeMounts"]} == volumes.keys()
        for one in volumes.values():
            for source in one.get("projected", {}).get("sources", ()):
                assert source.get("configMap", {"name": "vigie"})["name"] in of_kind("ConfigMap")
                assert source.get("secret", {"name": "vigie"})["name"] in of_kind("Secret")
            assert one.get("secret", {"secretName": "vigie"})["secretName"] in of_kind("Secret")
            assert one.get("persistentVolumeClaim", {"claimName": "vigie-agent-paris"})["claimName"] in of_kind("PersistentVolumeClaim")
        assert "envFrom" not in container  # secrets are files
    (budget,), (ingress,) = (of_kind(kind).values() for kind in ("PodDisruptionBudget", "Ingress"))
    services, serve = of_kind("Service"), of_kind("StatefulSet")["vigie"]
    service = services["vigie"]
    assert serve["spec"]["serviceName"] in services
    for selector in (*(one["spec"]["selector"] for one in services.values()), budget["spec"]["selector"]["matchLabels"]):
        assert selector == serve["spec"]["template"]["metadata"]["labels"]
    assert (budget["spec"]["maxUnavailable"], serve["spec"]["replicas"]) == (1, 3)
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]}}
    ports = {one["name"] for one in serve["spec"]["template"]["spec"]["containers"][0]["ports"]}
    assert service["spec"]["ports"][0]["targetPort"] in ports


def test_pods_are_closed_probed_and_pinned() -> None:
    for workload, template, container in workloads():
        name = workload["metadata"]["name"]
        assert PINNED.fullmatch(container["image"]), name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }, name  # fmt: skip
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        assert template["spec"]["securityContext"]["runAsUser"] == 10001
        assert template["spec"]["automountServiceAccountToken"] is False
        assert template["spec"]["terminationGracePeriodSeconds"] > 15
        assert {one["mountPath"] for one in container["volumeMounts"]} >= {"/data", "/tmp"}
        assert "memory" in container["resources"]["limits"]
    serve = of_kind("StatefulSet")["vigie"]["spec"]["template"]["spec"]["containers"][0]
    assert {name: serve[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")} == {
        "startupProbe": {"path": "/live", "port": "http"},
        "readinessProbe": {"path": "/ready", "port": "http"},
        "livenessProbe": {"path": "/live", "port": "http"},
    }
