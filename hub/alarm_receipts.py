"""What ingest itself answers a press: `heard` and `received`; later stages come by the courier."""

from collections.abc import Callable, Iterable
from datetime import datetime

from alerts.alarm import Alarm, Flag, SubjectKind
from alerts.incident import Incident, State
from alerts.rendering import check_in, noted, question_answered, quiet_receipt, receipt
from hub.device import Device
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

        Not said where nothing rings (a test, a cancel, a question to the person), and not under
        duress: whoever stands beside the person must not learn that a forced cancel rang.
        """
        if not alarm.rings or alarm.ask_s or Flag.DURESS in alarm.flags:
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
        if not alarm.rings or incident is None:
            self._send_to_presser(alarm, noted(now, message_id=alarm.message_id))
            return
        if alarm.ask_s and incident.state is State.CHECKING:
            self._send_to_presser(alarm, self._still_asking(alarm, incident, now))
            return
        self._send(alarm, self._said(ReceiptStage.RECEIVED, alarm, incident, now))
        if not repeat or incident.silent:
            return
        if incident.held:
            self._send(alarm, self._said(ReceiptStage.COMING, alarm, incident, now))
        elif incident.state is State.RESOLVED:
            self._send(alarm, self._said(ReceiptStage.OVER, alarm, incident, now))

    def ask(
        self, alarm: Alarm, incident: Incident, devices: Iterable[Device], now: datetime
    ) -> bool:
        """Ask the person whether they are well; whether the broker was given any question."""
        said = check_in(
            incident.id,
            now,
            kind=alarm.kind,
            answer_within_s=alarm.ask_s,
            language=self._register.language_of(alarm.person_id) or self.language,
        )
        payload = encode(said)
        given = [self._publish(_command(device, "check_in"), payload) for device in devices]
        return any(given)

    def question_over(self, alarm: Alarm, incident: Incident, now: datetime) -> None:
        """A cancel while the person was asked: the question goes from their other devices, the
        same whether the cancel was free or forced."""
        said = question_answered(
            now,
            language=self._register.language_of(alarm.person_id) or self.language,
            incident_id=incident.id,
        )
        payload = encode(said)
        home = incident.subject.kind is SubjectKind.PREMISES and incident.premises_id
        devices = (
            self._register.devices_in(home)
            if home
            else self._register.devices_of(incident.person_id)
        )
        for device in devices:
            if device.id != alarm.device_id and device.shows_receipt:
                self._publish(_command(device, "receipt"), payload)

    def _still_asking(self, alarm: Alarm, incident: Incident, now: datetime) -> Receipt:
        """Ends the repeats of a claim without taking the question from the screen."""
        asked = check_in(
            incident.id,
            now,
            kind=alarm.kind,
            answer_within_s=alarm.ask_s,
            language=self._register.language_of(alarm.person_id) or self.language,
        )
        return Receipt(
            stage=ReceiptStage.RECEIVED,
            at=now,
            text=asked.text,
            message_id=alarm.message_id,
            incident_id=incident.id,
            tone=asked.tone,
            light=asked.light,
        )

    def _said(
        self, stage: ReceiptStage, alarm: Alarm, incident: Incident | None, now: datetime
    ) -> Receipt:
        return receipt(
            stage,
            now,
            language=self._register.language_of(alarm.person_id) or self.language,
            message_id=alarm.message_id,
            incident_id=incident.id if incident else None,
            who=incident.who_comes if incident else None,
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


def _command(device: Device, kind: str) -> str:
    return topics.command(device.area_id, device.premises_id, device.id, kind)
