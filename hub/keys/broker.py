"""The broker and the hub's sessions on it."""

from pydantic import BaseModel

from hub.keys.key import Address, ListenAddress, OptionalAddress, setting


class BrokerKeys(BaseModel):
    """The broker and the hub's sessions on it."""

    mqtt_listen: ListenAddress = setting(
        Address("127.0.0.1", 1883),
        "Where the embedded broker listens for devices.",
        source="1883 is MQTT's registered port (IANA); this machine only until decided otherwise",
    )
    broker_url: str = setting(
        "",
        "A broker somebody operates: mqtt://USER:PASSWORD@HOST:PORT. Empty: the embedded one.",
        source="one machine is the default size",
        pattern=r"^(mqtts?://\S+)?$",
    )
    mqtt_max_unacknowledged: int = setting(
        8192,
        "How many messages the broker hands to one hub session before it waits for PUBACKs.",
        source="60,000 messages/s measured at 20,000, 28,000 at the broker's default of 1,024; "
        "8,192 covers 1.6 s at 5,000 messages/s",
        unit="messages",
        ge=1,
        le=65535,
    )
    mqtt_ack_wait_s: int = setting(
        5,
        "After how long the broker sends a message again that the hub did not answer.",
        source="longer than any healthy commit, short beside the 30 s in which a press must move "
        "on (the broker's default is 30 s)",
        unit="s",
        ge=1,
        le=300,
    )
    mqtt_public_url: str = setting(
        "",
        "What a new device is told to connect to, where that is not the listening address: "
        "mqtts://hub.example.org:8883.",
        source="behind a router or a name the hub cannot know how it is reached",
        pattern=r"^(mqtts?://[^\s?#@]+)?$",
    )
    mqtt_tls_listen: OptionalAddress = setting(
        None,
        "Where the embedded broker listens with TLS; it then replaces `mqtt_listen`, the broker "
        "has one MQTT listener. 8883 is usual. Empty: no TLS.",
        source="8883 is MQTT over TLS's registered port (IANA); a certificate cannot be guessed",
    )
    mqtt_tls_certificate: str = setting(
        "",
        "The embedded broker's certificate with its chain, a PEM file.",
        source="see docs/how-to/tls.md",
    )
    mqtt_tls_key: str = setting(
        "", "The key of that certificate, a PEM file.", source="see docs/how-to/tls.md"
    )
    mqtt_tls_client_ca: str = setting(
        "",
        "Devices must show a certificate of this authority (PEM file) whose common name is their "
        "id; a password is then optional. Empty: password only.",
        source="not every device can hold a certificate",
    )
    broker_ca: str = setting(
        "",
        "The authority of the certificate of the broker in `broker_url`, a PEM file. Empty: those "
        "the system trusts.",
        source="a certificate bought or from Let's Encrypt needs nothing here",
    )
    broker_certificate: str = setting(
        "",
        "What the hub shows to the broker in `broker_url`, a PEM file. Empty: password only.",
        source="few brokers ask for it",
    )
    broker_key: str = setting(
        "", "The key of `broker_certificate`, a PEM file.", source="few brokers ask for it"
    )
    broker_config: str = setting(
        "",
        "The configuration file of the Mosquitto in `broker_url`, if it can be read from here: "
        "settings that lose messages are then named at the start.",
        source="what a broker loses can be probed from outside only in part",
    )
    broker_auth_listen: OptionalAddress = setting(
        None,
        "Where the callout answers an operated broker's HTTP questions (EMQX, mosquitto-go-auth). "
        "Empty: it does not.",
        source="only who operates such a broker needs it; loopback is best, it speaks no TLS",
    )
    broker_auth_secret: str = setting(
        "",
        "What that broker must send as the header `X-Carebell-Key`; wanted with "
        "`broker_auth_listen`.",
        source="whoever can ask could try passwords",
        pattern=r"^(\S{16,})?$",
    )
    emqx_api_url: str = setting(
        "",
        "EMQX's management address, http://KEY:SECRET@HOST:18083, to drop the connection of a "
        "revoked device. Empty: the hub takes its client id over instead.",
        source="docs/how-to/brokers.md",
        pattern=r"^(https?://\S+)?$",
    )
