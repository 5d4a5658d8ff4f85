"""The compose file: what it says of settings, files and services holds. No image is started."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import config
from hub.settings import ENVIRONMENT_PREFIX, Settings, load_settings

FOLDER = Path(config.__file__).parent
TEXT = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_every_variable_of_the_hub_is_a_setting_with_a_value_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = SERVICES["hub"]["environment"]
    assert len(given) > 5
    for name, value in given.items():
        monkeypatch.setenv(name, re.sub(r"\$\{[^}]+\}", "secret", value))
    settings = load_settings()
    assert settings.database_url == "postgresql://carebell:secret@database:5432/carebell"
    assert settings.http_listen.port == 8080


def test_variables_named_in_comments_are_settings_too() -> None:
    named = set(re.findall(rf"{ENVIRONMENT_PREFIX}([A-Z_]+)", TEXT))
    assert {name.lower() for name in named} <= set(Settings.model_fields)
    assert "BROKER_AUTH_LISTEN" in named


def test_what_is_mounted_is_there() -> None:
    mounted = [
        volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]
    ]
    for source in mounted:
        if source.startswith("."):
            assert (FOLDER / source).is_file(), source
        else:
            assert source in COMPOSE["volumes"], source
    assert (FOLDER / SERVICES["hub"]["build"]["context"] / "requirements.txt").is_file()


def test_every_service_says_how_it_is() -> None:
    for name, service in SERVICES.items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["restart"] == "unless-stopped", name
    assert "/api/v1/health/ready" in str(SERVICES["hub"]["healthcheck"])
    assert SERVICES["hub"]["depends_on"] == {"database": {"condition": "service_healthy"}}


def test_images_are_pinned_and_no_password_is_written_down() -> None:
    for name, service in SERVICES.items():
        if "image" in service:
            assert re.search(r":\d+\.\d+", service["image"]), name
    for password in re.findall(r"PASSWORD: (\S+)", TEXT):
        assert password.startswith("${"), password


def test_the_database_keeps_what_was_acknowledged() -> None:
    command = SERVICES["database"]["command"]
    assert "--synchronous_commit=on" in command
    assert not [option for option in command if option.startswith("--fsync")]
