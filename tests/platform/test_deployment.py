"""The recipe for one server: what its files name is there, and nobody gets more than they need."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

DEPLOY = settings.BASE_DIR / "deploy"
SERVICES = sorted((DEPLOY / "systemd").glob("*.service"))
VARIABLE = re.compile(r"^([A-Z][A-Z_]+)=", re.MULTILINE)


def unit(path: Path) -> dict[str, list[str]]:
    """The [Service] section; a setting may stand there several times."""
    section: dict[str, list[str]] = {}
    name = ""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            name = line
        elif name == "[Service]" and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return section


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_each_service_starts_a_program_that_is_installed(service):
    program, *_arguments = unit(service)["ExecStart"][0].split()

    assert Path(program).parent == Path("/srv/marketplace/.venv/bin")
    assert (settings.BASE_DIR / ".venv" / "bin" / Path(program).name).exists()


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_no_service_knows_the_owners_passwords(service):
    assert "/etc/marketplace/owner-environment" not in unit(service)["EnvironmentFile"]
    assert VARIABLE.findall((DEPLOY / "environment.example").read_text())
    assert "OWNER" not in (DEPLOY / "environment.example").read_text()


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.stem)
def test_every_service_gives_up_what_it_does_not_need(service):
    hardening = unit(service)

    assert hardening["User"] == ["marketplace"]
    assert hardening["NoNewPrivileges"] == hardening["PrivateTmp"] == ["yes"]
    assert hardening["ProtectSystem"] == ["strict"]
    assert hardening["UMask"] == ["0077"]


def test_data_and_keys_are_backed_up_to_different_places():
    places = {unit(path)["ReadWritePaths"][0] for path in SERVICES if "backup" in path.stem}

    assert len(places) == 2


def test_the_example_names_what_the_readme_explains():
    readme = (settings.BASE_DIR / "README.md").read_text("utf-8")
    named = [name for path in DEPLOY.glob("*.example") for name in VARIABLE.findall(path.read_text("utf-8"))]

    assert named
    assert [name for name in named if f"`{name}`" not in readme] == []


def test_the_proxy_keeps_no_addresses_and_passes_none_on_that_a_visitor_wrote():
    text = (DEPLOY / "nginx.conf").read_text("utf-8")

    assert text.count("access_log off;") == text.count("\nserver {") == 2
    assert "X-Forwarded-For $remote_addr;" in text
    assert "proxy_add_x_forwarded_for" not in text


def test_timers_name_a_service():
    for timer in (DEPLOY / "systemd").glob("*.timer"):
        parsed = configparser.ConfigParser(strict=False)
        parsed.read(timer)
        assert parsed["Install"]["WantedBy"] == "timers.target"
        assert timer.with_suffix(".service").exists()


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed here")
def test_nginx_accepts_the_configuration(tmp_path):
    done = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=x"]
    subprocess.run([*done, "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"], check=True, capture_output=True)
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    text = text.replace("/etc/letsencrypt/live/shop.example.com", str(tmp_path)).replace("/var/log/nginx/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error;\nevents {{}}\nhttp {{\n{text}\n}}\n")

    checked = subprocess.run(["nginx", "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr
