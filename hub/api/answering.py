"""What people answer from their telephones becomes a deed, a note, or a record that somebody looks
at; what providers say about their own work becomes a receipt.

An answer is taken once: the same one again, by a provider that repeats itself or by somebody who
recorded it, changes nothing and hears the same.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from alerts.actions import Verb
from alerts.answers import Meaning, Result, Told, Understood, meant, said, understood, verb_of
from alerts.gateway import Vendor
from alerts.gateway_words import Word
from alerts.notification import NotificationKind
from alerts.policy import ChannelName
from alerts.responders import Actor, ActorKind, Way
from hub.answered import Kept, Sender
from hub.api.ports import Clock
from hub.api.ports_answers import AnswerParts, Doer
from hub.api.problems import Problem

ANSWERS_PER_WINDOW = 20
"""From one number. Ours: nobody has more to say in ten minutes; more is kept and not acted upon."""
WINDOW = timedelta(minutes=10)
_TOLD = (NotificationKind.RING, NotificationKind.COMING)


@dataclass(frozen=True, slots=True)
class _Aim:
    """Who answered, about which incident."""

    recipient: str
    incident_id: str
    area_id: str


class Answering:
    """Over the stores and the deeds; holds nothing in memory."""

    def __init__(self, parts: AnswerParts, doer: Doer, clock: Clock, root_area_id: str) -> None:
        self._parts = parts
        self._doer = doer
        self._clock = clock
        self._root_area_id = root_area_id

    async def hear(self, vendor: Vendor, word: Word) -> str:
        """One word of a call-back; what whoever said it hears back, empty for a receipt.

        Raises DatabaseAway or Problem 503: nothing was recorded, the provider says it again.
        """
        if word.event == "status":
            await self._status(vendor, word)
            return ""
        message_id = _fingerprint(vendor.name, word)
        before = await self._parts.deliveries.known(vendor.name, message_id)
        if before is not None:
            return before[1]
        kept = await self._answered(vendor, word, message_id)
        await self._parts.deliveries.keep(kept, self._clock.now())
        return kept.answer

    async def _status(self, vendor: Vendor, word: Word) -> None:
        channel, now = ChannelName(vendor.way), self._clock.now()
        state = word.state or ""
        known = await self._parts.deliveries.status(channel, word.reference, word.id, state, now)
        if not known and self._parts.calls is not None:
            await self._parts.calls.heard(
                word.reference, word.id, state=state, digits=None, now=now
            )

    async def _answered(self, vendor: Vendor, word: Word, message_id: str) -> Kept:
        store, now = self._parts.deliveries, self._clock.now()
        channel = ChannelName(vendor.way)
        text = word.digits if word.event == "digits" else word.text
        kept = Kept(
            vendor.name, message_id, vendor.way, word.sender or "", text or "",
            self._root_area_id, Result.UNKNOWN_SENDER, "",
        )  # fmt: skip
        about = await store.about(channel, word.reference, word.id)
        if about is None and word.event == "digits":
            calls = self._parts.calls
            if calls is not None:
                await calls.heard(word.reference, word.id, state=None, digits=word.digits, now=now)
            return _with(kept, Result.NOTED)
        numbers = await store.belonging_to(word.sender) if word.sender else []
        if about is not None and (not numbers or about.recipient in numbers):
            numbers = [about.recipient]
            kept = _with(kept, kept.result, recipient=about.recipient, area_id=about.area_id)
            if about.kind is NotificationKind.TEST:
                await store.proven(numbers, about.notification_id, text or "", now)
                return self._said(kept, Result.TEST, None)
        if not numbers:
            return self._said(kept, Result.UNKNOWN_SENDER, None)
        if word.sender and await self._too_many(word.sender):
            return self._said(kept, Result.TOO_MANY, None)
        if await store.proven(numbers, None, text or "", now):
            return self._said(kept, Result.TEST, None)
        if about is not None and about.incident_id and about.kind in _TOLD:
            aims = [_Aim(about.recipient, about.incident_id, about.area_id)]
        else:
            aims = await self._meant(numbers)
        return await self._take(kept, aims, numbers, Way(vendor.way))

    async def _too_many(self, sender: str) -> bool:
        since = self._clock.now() - WINDOW
        return await self._parts.deliveries.count_since(sender, since) >= ANSWERS_PER_WINDOW

    async def _meant(self, recipients: list[str]) -> list[_Aim]:
        """The open incident they were told of last; several if that cannot be told apart."""
        found = await self._parts.deliveries.told_open(recipients, self._clock.now())
        newest: dict[str, tuple[Told, _Aim]] = {}
        for told, recipient, area_id in found:
            known = newest.get(told.incident_id)
            if known is None or known[0].told_at < told.told_at:
                newest[told.incident_id] = told, _Aim(recipient, told.incident_id, area_id)
        chosen = meant([told for told, _ in newest.values()])
        return [newest[told.incident_id][1] for told in chosen]

    async def _take(self, kept: Kept, aims: list[_Aim], numbers: list[str], way: Way) -> Kept:
        who = await self._parts.deliveries.sender(aims[0].recipient if aims else numbers[0])
        if who is None:
            return self._said(kept, Result.UNKNOWN_SENDER, None)
        kept = _with(kept, kept.result, recipient=who.recipient, area_id=who.area_id)
        if not aims:
            return self._said(kept, Result.NOTHING_OPEN, who)
        heard = understood(kept.text)
        if len(aims) > 1:
            for aim in aims:
                await self._note(aim, who, way, kept.text)
            return self._said(kept, Result.AMBIGUOUS, who, count=len(aims))
        aim = aims[0]
        kept = _with(kept, kept.result, incident_id=aim.incident_id, area_id=aim.area_id)
        if heard.meaning is Meaning.OTHER and way is Way.VOICE:
            return _with(kept, Result.NOTED)
        return await self._do(kept, aim, who, heard, way)

    async def _do(self, kept: Kept, aim: _Aim, who: Sender, heard: Understood, way: Way) -> Kept:
        verb = verb_of(heard.meaning, who.role)
        details: dict[str, Any] = {"note": kept.text} if verb is Verb.NOTE else {}
        if heard.expected_arrival_s is not None:
            details = {"expected_arrival_s": heard.expected_arrival_s}
        kept = _with(kept, kept.result, verb=verb.value)
        try:
            await self._doer.perform_as(actor_of(who), way, verb, aim.incident_id, details)
        except Problem as problem:
            if problem.status_code >= 500:
                raise
            await self._note(aim, who, way, kept.text)
            return self._said(kept, Result.REFUSED, who, why=problem.title)
        language = who.language or self._parts.language
        result = Result.NOTED if verb is Verb.NOTE else Result.DONE
        return _with(kept, result, answer=said(verb.value, language, name=who.name))

    async def _note(self, aim: _Aim, who: Sender, way: Way, text: str) -> None:
        """What was not done is kept where the desk sees it."""
        try:
            await self._doer.perform_as(
                actor_of(who), way, Verb.NOTE, aim.incident_id, {"note": text}
            )
        except Problem as problem:
            if problem.status_code >= 500:
                raise

    def _said(self, kept: Kept, result: Result, who: Sender | None, **names: object) -> Kept:
        language = (who.language if who else None) or self._parts.language
        answer = said(result, language, hotline=self._parts.hotline, **names)
        return _with(kept, result, answer=answer)


def actor_of(who: Sender) -> Actor:
    """Somebody as deeds know them."""
    kind, _, actor_id = who.recipient.partition(":")
    return Actor(ActorKind(kind), actor_id, who.name)


def _with(kept: Kept, result: str, **changes: str | None) -> Kept:
    return replace(kept, result=str(result), **changes)  # type: ignore[arg-type]


def _fingerprint(provider: str, word: Word) -> str:
    """An answer's own name: a message that comes again is the same, also without an id."""
    parts = (provider, word.event, word.id, word.reference, word.sender, word.text, word.digits)
    text = "\x1f".join("" if part is None else part for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()
