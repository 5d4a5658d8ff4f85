"""What an operator sets, and what happens when they mistype it."""

import tomllib
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from hub.errors import SettingsError
from hub.settings import Address, Settings, load_settings, require_files
from hub.settings_file import render_defaults, render_effective

CONFIG = Path(__file__).parents[2] / "config" / "carebell.toml"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"CAREBELL_{key.upper()}", raising=False)


def test_the_shipped_file_is_what_the_settings_say() -> None:
    assert CONFIG.read_text(encoding="utf-8") == render_defaults(), "carebell config defaults > ..."


def test_the_shipped_file_uncommented_gives_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Settings()
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    keys = tuple(f"# {key} = " for key in Settings.model_fields)
    text = "\n".join(line.removeprefix("# ") for line in lines if line.startswith(keys))
    assert set(tomllib.loads(text)) == set(Settings.model_fields)
    (tmp_path / "all.toml").write_text(text)
    monkeypatch.setenv("CAREBELL_CONFIG", str(tmp_path / "all.toml"))
    assert load_settings() == expected


@pytest.mark.parametrize("field", Settings.model_fields.values(), ids=list(Settings.model_fields))
def test_every_key_is_explained(field: FieldInfo) -> None:
    assert field.description
    assert isinstance(field.json_schema_extra, dict)
    assert field.json_schema_extra["source"]
    if isinstance(field.default, int | float):
        assert field.json_schema_extra["unit"], "a number needs a unit"


def test_command_line_over_environment_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "c.toml"
    file.write_text('language = "en"\nhotline_number = "96580"\nroot_area_id = "shire"\n')
    monkeypatch.setenv("CAREBELL_CONFIG", str(file))
    monkeypatch.setenv("CAREBELL_HOTLINE_NUMBER", "12345")
    monkeypatch.setenv("CAREBELL_ROOT_AREA_ID", "county")
    settings = load_settings(root_area_id="street", language=None)
    assert (settings.language, settings.hotline_number, settings.root_area_id) == (
        "en", "12345", "street",
    )  # fmt: skip


def test_a_child_sees_exactly_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = load_settings(
        data_dir=tmp_path, mqtt_listen="[::1]:2883", mqtt_ack_wait_s=7, time_zone="UTC"
    )
    for name, value in given.environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == given


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CAREBELL_MQTT_LISTN", "127.0.0.1:1", "did you mean CAREBELL_MQTT_LISTEN?"),
        ("CAREBELL_MQTT_LISTEN", "1883", "mqtt_listen = '1883' (environment): HOST:PORT"),
        ("CAREBELL_HTTP_LISTEN", "127.0.0.1:70000", "port from 1 to 65535"),
        ("CAREBELL_LANGUAGE", "de", "'zh-CN' or 'en'"),
        ("CAREBELL_TIME_ZONE", "Mars/Olympus", "for example Asia/Shanghai"),
        ("CAREBELL_ROOT_AREA_ID", "Big City", "root_area_id = 'Big City'"),
        ("CAREBELL_MQTT_ACK_WAIT_S", "0", "greater than or equal to 1"),
        ("CAREBELL_MQTT_ACK_WAIT_S", "soon", "valid integer"),
        ("CAREBELL_BROKER_URL", "http://example.org", "broker_url"),
        ("CAREBELL_CONFIG", "/nonexistent.toml", "no such file"),
    ],
)
def test_a_wrong_value_stops_the_start_in_words(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert said in str(raised.value)
    assert "nothing was started" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('languge = "en"', "did you mean language?"),
        ("mqtt_ack_wait_s = 1.5", "mqtt_ack_wait_s = 1.5 ("),
        ("mqtt_ack_wait_s = true", "mqtt_ack_wait_s = true ("),
        ("language =", "not TOML"),
        ("language = 'en'\nlanguage = 'en'", "not TOML"),
    ],
)
def test_a_wrong_file_stops_the_start_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    (tmp_path / "c.toml").write_text(text)
    monkeypatch.setenv("CAREBELL_CONFIG", str(tmp_path / "c.toml"))
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert said in str(raised.value)
    assert "c.toml" in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value", "other"),
    [
        ("mqtt_tls_listen", "127.0.0.1:8883", "mqtt_tls_certificate"),
        ("mqtt_tls_client_ca", "/ca.pem", "mqtt_tls_listen"),
        ("http_tls_certificate", "/c.pem", "http_tls_key"),
        ("broker_certificate", "/c.pem", "broker_key"),
        ("broker_auth_listen", "127.0.0.1:8079", "broker_auth_secret"),
        ("smtp_url", "smtp://mail:25", "smtp_from"),
    ],
)
def test_what_would_do_nothing_alone_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str, other: str
) -> None:
    monkeypatch.setenv(f"CAREBELL_{key.upper()}", value)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert f"{key} = {value!r}: wants {other} as well" in str(raised.value)


def test_a_file_that_cannot_be_read_stops_the_whole_hub(tmp_path: Path) -> None:
    certificate = tmp_path / "server.pem"
    certificate.touch()
    missing = str(tmp_path / "server.key")
    settings = load_settings(http_tls_certificate=str(certificate), http_tls_key=missing)
    with pytest.raises(SettingsError) as raised:
        require_files(settings)
    assert f"http_tls_key = {missing!r}: no file that can be read" in str(raised.value)
    assert "http_tls_certificate" not in str(raised.value)
    Path(missing).touch()
    require_files(settings)


def test_a_file_from_notepad_is_read_or_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "c.toml"
    monkeypatch.setenv("CAREBELL_CONFIG", str(file))
    text = 'language = "en"\nservice_name = "平安铃"\n'
    file.write_text(text, encoding="utf-8-sig")
    assert load_settings().service_name == "平安铃"
    file.write_text(text, encoding="gb18030")
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings()


@pytest.mark.parametrize("name", ["CAREBELL_SMTP_PASSWORD", "carebell_webhook_secert"])
def test_a_misspelt_key_is_named_and_its_secret_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "topsecret")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    monkeypatch.delenv(name)
    assert name in str(raised.value)
    assert "topsecret" not in str(raised.value)
    file = tmp_path / "c.toml"
    file.write_text('webhook_secert = "topsecret"\n[mail]\npassword = "topsecret"\n')
    monkeypatch.setenv("CAREBELL_CONFIG", str(file))
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert "did you mean webhook_secret?" in str(raised.value)
    assert "topsecret" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("smtp_url", "smtps://me:p@ss:topsecret@mail.example:465"),
        ("broker_url", "mqtt://topsecret@broker.example:1883"),
        ("dead_man_url", "https://hc.example/topsecret"),
    ],
)
def test_no_part_of_an_address_that_opens_something_is_shown(key: str, value: str) -> None:
    more = {"smtp_from": "hub@mail.example"} if key == "smtp_url" else {}
    shown = render_effective(load_settings(**{key: value}, **more), {})
    assert "topsecret" not in shown
    assert "example" in shown


def test_a_message_shows_no_password() -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(broker_url="mqqt://hub:topsecret@broker.example:1883")
    assert "topsecret" not in str(raised.value)
    url = "mqtt://hub:topsecret@broker.example:1883"
    shown = render_effective(load_settings(broker_url=url, webhook_secret="topsecret"), {})
    assert "topsecret" not in shown
    assert 'broker_url = "mqtt://hub:***@broker.example:1883"' in shown


@pytest.mark.parametrize(
    "url",
    [
        "https://oapi.dingtalk.com/robot/send?access_token=topsecret",
        "https://open.feishu.cn/open-apis/bot/v2/hook/topsecret",
        "https://somebody:topsecret@example.org/",
    ],
)
def test_a_webhooks_address_is_shown_without_what_opens_it(url: str) -> None:
    shown = render_effective(load_settings(webhook_url=url), {"webhook_url": url})
    assert "topsecret" not in shown
    assert url.split("/")[2].rpartition("@")[2] in shown


def test_what_is_in_force_says_where_it_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "c.toml"
    file.write_text('language = "en"\nhotline_number = "96580"\n')
    monkeypatch.setenv("CAREBELL_CONFIG", str(file))
    monkeypatch.setenv("CAREBELL_HOTLINE_NUMBER", "12345")
    given = {"root_area_id": "street"}
    shown = render_effective(load_settings(**given), given)
    lines = shown.splitlines()
    for line, origin in (
        ('language = "en"', f"file ({file})"),
        ('hotline_number = "12345"', "environment (CAREBELL_HOTLINE_NUMBER)"),
        ('root_area_id = "street"', "command line"),
        ("mqtt_ack_wait_s = 5", "default"),
    ):
        assert lines[lines.index(line) - 1].endswith(f"In force from: {origin}.")
    monkeypatch.delenv("CAREBELL_HOTLINE_NUMBER")
    monkeypatch.delenv("CAREBELL_CONFIG")
    assert load_settings(**tomllib.loads(shown)).hotline_number == "12345", "it is TOML again"


@pytest.mark.parametrize(
    ("text", "reachable"),
    [
        ("0.0.0.0:1883", "127.0.0.1:1883"),
        ("[::]:1883", "[::1]:1883"),
        ("hub.local:1", "hub.local:1"),
    ],
)
def test_an_address_for_clients_on_this_machine(text: str, reachable: str) -> None:
    assert str(Address.parse(text)) == text
    assert str(Address.parse(text).reachable()) == reachable
