"""A broker that loses messages is named by the setting that does it: tried on a real Mosquitto."""

from pathlib import Path

import pytest

from hub.broker_check import examine, read_configuration
from hub.settings import Settings
from tests.brokers.mosquitto import SHIPPED, mosquitto
from tests.integration.embedded import own_folder


async def complaints(**changes: str | None) -> set[str]:
    with own_folder() as folder:
        async with mosquitto(folder, **changes) as broker:
            found = await examine(Settings(broker_url=broker.url, data_dir=folder))
    return {complaint.setting for complaint in found}


async def test_the_shipped_configuration_loses_nothing() -> None:
    assert await complaints() == set()
    assert read_configuration(str(SHIPPED)) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"max_queued_messages": None}, "max_queued_messages"),
        ({"max_queued_messages": "200"}, "max_queued_messages"),
        ({"max_queued_bytes": "20000"}, "max_queued_messages"),
        ({"message_size_limit": "1000"}, "message_size_limit"),
        ({"max_packet_size": "2000"}, "message_size_limit"),
        ({"max_inflight_messages": "20"}, "max_inflight_messages"),
        ({"use_username_as_clientid": "true"}, "use_username_as_clientid"),
    ],
)
async def test_what_loses_is_found_from_outside(changes: dict[str, str | None], named: str) -> None:
    assert named in await complaints(**changes)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("max_queued_bytes 1000000", {"max_queued_bytes"}),
        ("persistence false", {"persistence"}),
        ("autosave_interval 1800", {"autosave_interval"}),
        ("persistent_client_expiration 14d", {"persistent_client_expiration"}),
        ("memory_limit 100000000", {"memory_limit"}),
        ("message_size_limit 1000", {"message_size_limit"}),
        ("max_packet_size 1000", {"max_packet_size"}),
        ("max_qos 0", {"max_qos"}),
        ("max_qos 1", set()),
        ("use_username_as_clientid true", {"use_username_as_clientid"}),
        ("use_identity_as_username true", {"use_identity_as_username"}),
        ("use_subject_as_username true", {"use_subject_as_username"}),
    ],
)
def test_each_setting_that_loses_is_named(tmp_path: Path, line: str, named: set[str]) -> None:
    path = tmp_path / "mosquitto.conf"
    path.write_text(f"{SHIPPED.read_text()}\n{line}\n")
    assert {complaint.setting for complaint in read_configuration(str(path))} == named


async def test_a_broker_that_is_not_there_is_a_complaint_not_a_crash() -> None:
    with own_folder() as folder:
        found = await examine(Settings(broker_url="mqtt://127.0.0.1:9", data_dir=folder))
    assert [complaint.setting for complaint in found] == ["broker_url"]
    assert await examine(Settings()) == [], "the embedded broker is ours"


def test_a_stock_configuration_is_read_line_by_line(tmp_path: object) -> None:
    with own_folder() as folder:
        parts = folder / "conf.d"
        parts.mkdir(parents=True)
        (folder / "mosquitto.conf").write_text(
            f"# Debian's\npersistence true\nlog_dest file x\ninclude_dir {parts}\n"
        )
        (parts / "a.conf").write_text("persistent_client_expiration 1d\nmemory_limit 1000000\n")
        named = {c.setting for c in read_configuration(str(folder / "mosquitto.conf"))}
        (parts / "b.conf").write_text("max_queued_messages 0\n")
        fewer = {c.setting for c in read_configuration(str(folder / "mosquitto.conf"))}
        missing = read_configuration(str(folder / "none.conf"))
    assert named == {
        "max_queued_messages", "autosave_interval", "persistent_client_expiration", "memory_limit",
        "max_inflight_messages",
    }  # fmt: skip
    assert named - fewer == {"max_queued_messages"}
    assert [c.setting for c in missing] == ["broker_config"]
