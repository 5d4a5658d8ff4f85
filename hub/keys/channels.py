"""Ways to reach a human besides desk and device; each is off until something is set."""
# ruff: noqa: PLC0415 - processes that send nothing must not load the templates' library

from typing import Annotated

from pydantic import AfterValidator, BaseModel

from hub.keys.key import setting


def _vendors_of(way: str) -> AfterValidator:
    def readable(listed: str) -> str:
        if listed.strip():
            from hub.gateway_files import read_vendors

            read_vendors(listed, way)
        return listed

    return AfterValidator(readable)


def _apprise_urls(text: str) -> str:
    if text.strip():
        from hub.apprise_urls import understood

        understood(text)
    return text


class ChannelKeys(BaseModel):
    """Ways to reach a human besides desk and device; each is off until something is set."""

    service_name: str = setting(
        "Carebell",
        "Who messages and calls say they come from: the name people know the service by.",
        source="the project's name, until the service has one",
        min_length=1,
        max_length=40,
    )
    public_url: str = setting(
        "",
        "Where telephones, browsers and gateways reach this hub: links in messages and call-backs "
        "begin with it. Empty: no links, and gateways cannot report back.",
        source="no address can be guessed",
        pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*[^\s?#/])?)?$",
    )
    sms_gateways: Annotated[str, _vendors_of("sms")] = setting(
        "",
        "Vendors of short messages, tried in this order, separated by commas: names of shipped "
        "files (config/gateways) or paths of your own. Empty: nobody gets short messages.",
        source="no vendor can be guessed; two of them survive one's failure",
    )
    voice_gateways: Annotated[str, _vendors_of("voice")] = setting(
        "",
        "Vendors of telephone calls, tried in this order. Empty: nobody is called.",
        source="as for short messages",
    )
    smtp_url: str = setting(
        "",
        "The mail server: smtp://HOST:PORT, smtp+starttls://USER:PASSWORD@HOST:587 or "
        "smtps://USER:PASSWORD@HOST:465. Empty: nobody gets mail.",
        source="no server can be guessed",
        pattern=r"^((smtp|smtps|smtp\+starttls)://\S+)?$",
    )
    smtp_from: str = setting(
        "",
        "The sender of mails, which the mail server must allow: a mail address.",
        source="no address can be guessed",
        pattern=r"^([^@\s<>]+@[^@\s<>]+)?$",
    )
    push_contact: str = setting(
        "",
        "Whom push services may write to about this hub (RFC 8292 asks for it): mailto: or https: "
        "address. Empty: no web push. The keys are made and kept in the data folder.",
        source="no address can be guessed",
        pattern=r"^((mailto:[^@\s]+@[^@\s]+|https://)\S*)?$",
    )
    apprise_urls: Annotated[str, AfterValidator(_apprise_urls)] = setting(
        "",
        "More ways for the fallback contact, as Apprise writes them, separated by spaces: group "
        "robots of DingTalk, WeCom, Feishu and a hundred others. Empty: none.",
        source="no address can be guessed",
    )
