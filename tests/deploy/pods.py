"""deploy/kubernetes as containers: the pods of a StatefulSet and of a Deployment, with what a kubelet gives them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from tests.deploy.compose import ROOT, VIGIE
from tests.deploy.containers import Container

KUBERNETES = ROOT / "deploy" / "kubernetes"


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    """Everything that the manifests make, by kind and name; of the Secret there is an example."""
    files = (*sorted(KUBERNETES.glob("*.yaml")), KUBERNETES / "secret.yaml.example")
    read = [one for file in files for one in YAML(typ="safe").load_all(file.read_text(encoding="utf-8"))]
    return {(one["kind"], one["metadata"]["name"]): one for one in read}


def pods(known: Mapping[tuple[str, str], dict[str, Any]], folder: Path) -> Iterator[Container]:
    """The containers of all pods; their addresses are those that deploy/fleet/compose.yaml has for its servers, and higher ones."""
    servers, number = 11, 60
    for (kind, name), one in known.items():
        template = one.get("spec", {}).get("template")
        if kind == "StatefulSet":
            for ordinal in range(one["spec"]["replicas"]):
                yield _pod(f"{name}-{ordinal}", f"172.30.77.{servers + ordinal}", template, known, folder)
        elif kind == "Deployment":
            number += 1
            yield _pod(name, f"172.30.77.{number}", template, known, folder)


def _pod(name: str, address: str, template: Mapping[str, Any], known: Mapping[tuple[str, str], dict[str, Any]], folder: Path) -> Container:
    spec, (container,) = template["spec"], template["spec"]["containers"]
    context, closed = spec["securityContext"], container["securityContext"]
    assert closed["capabilities"] == {"drop": ["ALL"]}
    fields = {"metadata.name": name, "status.podIP": address}
    environment = {
        one["name"]: one["value"] if "value" in one else fields[one["valueFrom"]["fieldRef"]["fieldPath"]] for one in container["env"]
    }
    volumes = {one["name"]: _volume(one, known, folder / name, context["fsGroup"]) for one in spec["volumes"]}
    mounts = [
        (volumes[one["name"]] / one.get("subPath", ""), one["mountPath"], one.get("readOnly", False)) for one in container["volumeMounts"]
    ]
    return Container(
        name, address, VIGIE, folder / name, tuple(container["args"]), environment, user=context["runAsUser"], group=context["runAsGroup"],
        groups=(context["fsGroup"],), read_only=closed["readOnlyRootFilesystem"], mounts=tuple(sorted(mounts, key=lambda one: one[1])),
        check=_probe(container),
    )  # fmt: skip


def _probe(container: Mapping[str, Any]) -> tuple[str, ...]:
    """Its readiness, asked as a kubelet asks."""
    if (probe := container.get("readinessProbe")) is None:
        return ()
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    address = f"http://127.0.0.1:{ports[probe['httpGet']['port']]}{probe['httpGet']['path']}"
    return ("python3", "-c", f"import urllib.request; urllib.request.urlopen({address!r}, timeout=3)")


def _volume(volume: Mapping[str, Any], known: Mapping[tuple[str, str], dict[str, Any]], folder: Path, group: int) -> Path:
    """A folder as a kubelet makes it: what can be written is the group's, what is projected is behind a link that is exchanged whole."""
    place = folder / str(volume["name"])
    place.mkdir(parents=True, exist_ok=True)
    sources = volume.get("projected", {}).get("sources") or (
        [{"secret": {"name": volume["secret"]["secretName"]}}] if "secret" in volume else []
    )
    if not sources:
        os.chown(place, 0, group)
        place.chmod(0o2770)
        return place
    files: dict[str, str] = {}
    for source in sources:
        files |= (
            known["ConfigMap", source["configMap"]["name"]]["data"]
            if "configMap" in source
            else known["Secret", source["secret"]["name"]]["stringData"]
        )
    project(place, files, group)
    return place


def project(place: Path, files: Mapping[str, str], group: int) -> None:
    """Put files into a projected volume, or others in their place."""
    held = sum(1 for _ in place.glob("..v*"))
    (place / f"..v{held}").mkdir()
    for name, text in files.items():
        (place / f"..v{held}" / name).write_text(text)
        os.chown(place / f"..v{held}" / name, 0, group)
        (place / f"..v{held}" / name).chmod(0o440)
    (place / "..next").symlink_to(f"..v{held}")
    (place / "..next").rename(place / "..data")
    for name in files:
        if not (place / name).is_symlink():
            (place / name).symlink_to(f"..data/{name}")
