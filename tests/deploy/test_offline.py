"""Deploy files that cannot be run here, held to the strictest checkers that need no network."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.checkers import ROOT, run

DEPLOY = ROOT / "deploy"
SECRETS = ("secret-key", "database-url", "redis-url")


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """What the overlay comes to, with secrets as an operator would put them beside it."""
    folder = shutil.copytree(DEPLOY / "kubernetes", tmp_path / "kubernetes")
    overlay = folder / "overlays/production"
    for name in SECRETS:
        (overlay / name).write_text("made up for this test")
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(run("kubectl", "kustomize", overlay))
    return rendered


def test_kubernetes_would_take_the_manifests(manifests: Path) -> None:
    """Every object is one that the current version knows, without a field that it does not."""
    told = run("kubernetes-validate", "--strict", manifests)
    kinds = set(re.findall(r"for resource (\w+)/", told))
    assert kinds == {
        "namespace",
        "configmap",
        "secret",
        "service",
        "deployment",
        "poddisruptionbudget",
        "horizontalpodautoscaler",
        "networkpolicy",
    }


def test_kubernetes_would_take_the_load_test(tmp_path: Path) -> None:
    """A master that ends with the run and workers, hardened as Edge is, with a key of their own."""
    folder = shutil.copytree(DEPLOY / "loadtest", tmp_path / "loadtest") / "kubernetes"
    for name in ("issuer-key", "admin-password"):
        (folder / name).write_text("made up for this test")
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text(run("kubectl", "kustomize", folder))
    told = run("kubernetes-validate", "--strict", rendered)
    kinds = re.findall(r"for resource (\w+)/", told)
    assert sorted(kinds) == ["configmap", "deployment", "job", "namespace", "secret", "service"]
    text = rendered.read_text()
    assert text.count("readOnlyRootFilesystem: true") == text.count("runAsNonRoot: true") == 2


def test_workers_of_a_load_test_are_as_many_as_its_master_waits_for() -> None:
    """In compose and in Kubernetes: a run without one of them would not be valid."""
    folder = DEPLOY / "loadtest"
    compose = (folder / "compose.yaml").read_text()
    parts = ("kustomization.yaml", "workers.yaml")
    kubernetes = "".join((folder / "kubernetes" / part).read_text() for part in parts)
    for text in (compose, kubernetes):
        [waited_for] = re.findall(r'LOCUST_EXPECT_WORKERS[=:] ?"?(\d+)', text)
        assert re.findall(r"replicas: (\d+)", text) == [waited_for]


def test_the_overlay_needs_its_secrets(tmp_path: Path) -> None:
    """There is no default one: without the files nothing is rendered."""
    folder = shutil.copytree(DEPLOY / "kubernetes", tmp_path / "kubernetes")
    with pytest.raises(AssertionError, match="secret-key"):
        run("kubectl", "kustomize", folder / "overlays/production")


def test_pods_are_hardened(manifests: Path) -> None:
    """As the standard `restricted` wants it, and with a file system that cannot be written."""
    text = manifests.read_text()
    assert text.count("readOnlyRootFilesystem: true") == 2
    assert text.count("allowPrivilegeEscalation: false") == 2
    assert "runAsNonRoot: true" in text
    assert "automountServiceAccountToken: false" in text


def test_prometheus_alone_reaches_the_metrics(manifests: Path) -> None:
    """Each pod shows them at a port of their own, open to who is labelled so, and in no Service."""
    found = {_kind(document): document for document in manifests.read_text().split("\n---\n")}
    assert "- name: EDGE_METRICS_BIND\n          value: 0.0.0.0:9100\n" in found["Deployment"]
    assert "- containerPort: 9100\n          name: metrics\n" in found["Deployment"]
    assert "metrics" not in found["Service"]
    _, *entries = found["NetworkPolicy"].partition("  ingress:\n")[2].split("  - from:\n")
    allowed = {_only(r"port: (\w+)", entry): _only(r"(edge/\S+):", entry) for entry in entries}
    assert allowed == {"http": "edge/load-balancer", "metrics": "edge/prometheus"}


def _kind(document: str) -> str:
    return _only(r"^kind: (\w+)$", document)


def _only(pattern: str, text: str) -> str:
    """Give what the pattern finds in the text, which is there once."""
    [found] = re.findall(pattern, text, flags=re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("folder", ["docker", "loadtest"])
def test_the_image_is_built_as_it_should_be(folder: str) -> None:
    """Hadolint finds nothing, and whoever runs it is not root."""
    dockerfile = DEPLOY / folder / "Dockerfile"
    run("hadolint", dockerfile)
    assert "\nUSER 10001:10001\n" in dockerfile.read_text()


@pytest.mark.parametrize("folder", ["docker", "loadtest"])
def test_compose_would_take_its_file(folder: str) -> None:
    """It is as the Compose specification says."""
    compose = DEPLOY / folder / "compose.yaml"
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", compose)


def test_nginx_of_compose_takes_its_file(tmp_path: Path) -> None:
    """`nginx -t` finds nothing, with names that can be looked up here."""
    text = (DEPLOY / "docker/nginx.conf").read_text()
    for old, new in {
        "edge-1:8000": "127.0.0.1:18001",
        "edge-2:8000": "127.0.0.1:18002",
        "/run/nginx.pid": str(tmp_path / "nginx.pid"),
        "/tmp/body": str(tmp_path / "body"),  # noqa: S108  # of the container
        "listen 8080": "listen 127.0.0.1:18080",
    }.items():
        assert old in text
        text = text.replace(old, new)
    config = tmp_path / "nginx.conf"
    config.write_text(text)
    run("nginx", "-t", "-q", "-p", tmp_path, "-c", config)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """`systemd-analyze` verifies it, and finds it exposed by 1.5 of 10 at most."""
    text = (DEPLOY / "systemd/edge.service").read_text()
    unit = tmp_path / "edge.service"
    edge = Path(sys.executable).parent / "edge"
    unit.write_text(text.replace("/opt/edge/bin/edge", str(edge)))
    told = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)
    assert "edge.service" not in told
    assert "\nEnvironment=EDGE_METRICS_BIND=127.0.0.1:9100\n" in text
    run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)


FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_the_newest_and_no_secret_is_given(path: Path) -> None:
    """What is deployed is a version, and secrets are made by who deploys it."""
    text = path.read_text()
    assert ":latest" not in text
    images = re.findall(r"^\s*(?:image:|FROM) *(\S+)", text, flags=re.MULTILINE)
    assert all(re.search(r":\d", image) for image in images), images
    assert not re.search(r"(?i)(password|secret[-_]key): *[\"']?\w+[\"']?$", text, re.MULTILINE)
