"""What ingest itself answers a press: `heard` and `received`; later stages come by the courier."""

from collections.abc import Callable
from datetime import datetime

from alerts.alarm import Alarm, Flag
from alerts.incident import Incident, State
from alerts.rendering import quiet_receipt, receipt
from hub.register import Register
from schemas import topics
from schemas.alarms import PressAction
from schemas.codec import encode
from schemas.commands import Receipt, ReceiptStage


class Receipts:
    """Publishes receipts at QoS 1, not retained, keyed by the press's `message_id`."""

    def __init__(
        self, register: Register, language: str, publish: Callable[[str, bytes], bool]
    ) -> None:
        """`publish` hands a QoS 1 message to the hub's own connection without waiting."""
        self._register = register
        self.language = language
        self._publish = publish

    def heard(self, alarm: Alarm, now: datetime) -> None:
        """It rings at a desk, but is not recorded: keep repeating.

        Not said where nothing rings (a test, a cancel), and not under duress: whoever stands
        beside the person must not learn that a forced cancel rang.
        """
        if not alarm.rings or Flag.DURESS in alarm.flags:
            return
        self._send(alarm, self._said(ReceiptStage.HEARD, alarm, None, now))

    def recorded(
        self, alarm: Alarm, incident: Incident | None, now: datetime, *, repeat: bool
    ) -> None:
        """It is recorded: stop repeating. A repeat hears how far things have come since."""
        if alarm.reply_prefix is None:
            return
        if alarm.action in (PressAction.TEST, PressAction.CANCEL):
            language = self._register.language_of(alarm.person_id) or self.language
            quiet = quiet_receipt(
                now,
                language=language,
                message_id=alarm.message_id,
                test=alarm.action is PressAction.TEST,
            )
            self._send_to_presser(alarm, quiet)
            return
        self._send(alarm, self._said(ReceiptStage.RECEIVED, alarm, incident, now))
        if not repeat or incident is None or incident.silent:
            return
        if incident.state in (State.ACKNOWLEDGED, State.ATTENDED):
            self._send(alarm, self._said(ReceiptStage.COMING, alarm, incident, now))
        elif incident.state is State.RESOLVED:
            self._send(alarm, self._said(ReceiptStage.OVER, alarm, incident, now))

    def _said(
        self, stage: ReceiptStage, alarm: Alarm, incident: Incident | None, now: datetime
    ) -> Receipt:
        return receipt(
            stage,
            now,
            language=self._register.language_of(alarm.person_id) or self.language,
            message_id=alarm.message_id,
            incident_id=incident.id if incident else None,
            who=incident.owner.name if incident and incident.owner else None,
            expected_at=incident.expected_at if incident else None,
            zone=self._register.zone_of(alarm.premises_id),
        )

    def _send(self, alarm: Alarm, said: Receipt) -> None:
        """To the device that was pressed and to the person's others that can tell them."""
        self._send_to_presser(alarm, said)
        payload = encode(said)
        for device in self._register.devices_of(alarm.person_id):
            if device.id != alarm.device_id and device.shows_receipt:
                prefix = topics.device_prefix(device.area_id, device.premises_id, device.id)
                self._publish(topics.receipt_topic(prefix), payload)

    def _send_to_presser(self, alarm: Alarm, said: Receipt) -> None:
        if alarm.reply_prefix is None:
            return
        prefixes = {alarm.reply_prefix}
        device = self._register.devices.get(alarm.device_id)
        if device is not None:
            prefixes.add(topics.device_prefix(device.area_id, device.premises_id, device.id))
        payload = encode(said)
        for prefix in prefixes:
            self._publish(topics.receipt_topic(prefix), payload)
