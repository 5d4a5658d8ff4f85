"""The courier over a real outbox: what is sent first, by which way next, and what is set apart."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import psycopg
import pytest

from alerts.alarm import Priority
from alerts.courier import Courier, Width
from alerts.delivery import Reason, not_taken, taken
from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.notification import Notification, NotificationKind, urgency_of
from alerts.policy import ChannelName
from alerts.ports import Channel
from hub.courier_loop import CourierLoop
from hub.store.outbox import LEASE_S, PostgresOutbox, go_on_shift
from tests.integration.courier_post import (
    DAUGHTER,
    PUSH,
    SMS,
    VOICE,
    Everybody,
    Post,
    Provider,
    post,
)
from tests.scenes import START

__all__ = ["post"]


async def test_what_was_taken_keeps_its_ways_for_a_receipt_that_does_not_come(post: Post) -> None:
    await post.write(PUSH, SMS, VOICE)
    await post.cycle()
    row = await post.one()
    assert (row["state"], row["reason"], row["sent_at"]) == ("sent", "taken", START)
    await post.later(19)
    assert await post.attempts() == [("push", "sent")]
    await post.later(1)
    assert await post.attempts() == [("push", "unconfirmed"), ("sms", "sent")]
    await post.later(30)
    assert await post.attempts() == [
        ("push", "unconfirmed"), ("sms", "unconfirmed"), ("voice", "sent")
    ]  # fmt: skip
    row = await post.one()
    assert (row["state"], row["channel"], row["sent_at"]) == ("sent", "voice", START)


async def test_the_last_ways_missing_receipt_is_said(post: Post) -> None:
    await post.write(SMS)
    await post.later(31)
    row = await post.one()
    assert (row["state"], row["reason"]) == ("unconfirmed", "receipt_missing")


async def test_nobody_is_called_because_of_a_receipt_after_somebody_has_it(post: Post) -> None:
    await post.write(SMS, VOICE)
    await post.cycle()
    await post.rows("UPDATE incident SET state = 'acknowledged' RETURNING 1")
    await post.later(40)
    assert post.providers[VOICE].taken == []
    assert (await post.one())["reason"] == "not_needed"


@pytest.mark.parametrize("reason", ["add_responder", "wanted"])
async def test_whom_a_dispatcher_asked_for_is_called_although_somebody_has_it(
    post: Post, reason: str
) -> None:
    """Lin has it and wants the neighbour there: a message that never arrived is not enough."""
    await post.rows("UPDATE incident SET state = 'acknowledged' RETURNING 1")
    await post.write(SMS, VOICE, body={"reason": reason})
    await post.write(SMS, VOICE, recipient="responder:wang", body={"reason": reason})
    await post.rows(
        "INSERT INTO incident_responder (incident_id, actor_kind, actor_id, area_id, name, answer)"
        " VALUES ('i-1', 'responder', 'wang', 'city', 'Wang', 'going') RETURNING 1"
    )
    await post.later(31)
    assert [recipient for _, recipient in post.providers[VOICE].taken] == [DAUGHTER]


@pytest.mark.parametrize("error", [SendRefused("no such number"), SendFailed("down")])
async def test_a_send_that_does_not_work_moves_to_the_next_way_at_once(
    post: Post, error: Exception
) -> None:
    post.providers[SMS].trouble = lambda _: error
    await post.write(SMS, VOICE)
    await post.cycle()
    assert [state for _, state in await post.attempts()] == [
        "refused" if isinstance(error, SendRefused) else "failed", "sent"
    ]  # fmt: skip
    assert (await post.one())["channel"] == "voice"


async def test_a_dead_provider_is_asked_again_when_the_others_do_not_work_either(
    post: Post,
) -> None:
    """Ten minutes without any provider, then the first one is back."""
    for name in (SMS, VOICE):
        post.providers[name].trouble = lambda _: SendFailed("down")
    await post.write(SMS, VOICE)
    await post.later(600)
    assert (await post.one())["state"] == "pending"
    post.providers[SMS].trouble = lambda _: None
    await post.later(120)
    assert len(post.providers[SMS].taken) == 1
    tried = await post.attempts()
    assert len(tried) <= 25, "bounded"
    assert {channel for channel, _ in tried} == {"sms", "voice"}


async def test_trouble_that_lasts_is_given_up_and_shown(post: Post) -> None:
    post.providers[VOICE].trouble = lambda _: SendFailed("down")
    await post.write(VOICE)
    await post.later(1000)
    row = await post.one()
    assert (row["state"], row["reason"], row["detail"]) == ("failed", "failed", "down")


async def test_a_provider_that_takes_no_more_delays_and_never_drops(post: Post) -> None:
    """A hundred rings, four taken a minute: each arrives once, none used up an attempt."""
    minute: list[datetime] = []

    def limited(notification: Notification) -> Exception | None:
        now = post.clock.now()
        minute[:] = [at for at in minute if now - at < timedelta(seconds=60)]
        if len(minute) >= 4:
            return RateLimited((minute[0] + timedelta(seconds=60) - now).total_seconds())
        minute.append(now)
        return None

    post.providers[VOICE].trouble = limited
    await post.write(VOICE, count=40)
    await post.later(60 * 11)
    assert len(post.providers[VOICE].taken) == len(set(post.providers[VOICE].taken)) == 40
    states = await post.rows("SELECT DISTINCT state, attempts FROM notification")
    assert [(row["state"], row["attempts"]) for row in states] == [("sent", 1)]


async def test_no_more_is_begun_in_a_minute_than_the_contract_allows(post: Post) -> None:
    """And what is most urgent goes first, although it came last."""
    everybody = Everybody()
    channels: dict[ChannelName, Channel] = dict(post.providers)
    post.courier = Courier(
        PostgresOutbox(post.pool), channels, everybody, everybody, post.clock,
        paces_per_minute={SMS: 5},
    )  # fmt: skip
    await post.write(SMS, count=12)
    await post.cycle()
    assert len(post.providers[SMS].taken) == 5
    await post.write(SMS, recipient="contact:first", first=True)
    await post.later(59)
    assert len(post.providers[SMS].taken) == 5
    await post.later(2)
    assert len(post.providers[SMS].taken) == 10
    assert post.providers[SMS].taken[5][1] == "contact:first"
    attempts = await post.rows("SELECT max(attempts) AS most FROM notification")
    assert attempts[0]["most"] == 1


async def test_a_ring_does_not_wait_long_for_a_full_provider_if_there_is_another_way(
    post: Post,
) -> None:
    post.providers[SMS].trouble = lambda _: RateLimited(3600)
    await post.write(SMS, VOICE, count=100)
    await post.later(3)
    assert len(post.providers[VOICE].taken) == 100


async def test_a_first_notice_overtakes_ten_thousand_that_wait(post: Post) -> None:
    await post.write(SMS, kind=NotificationKind.OVER, priority=Priority.LOW, count=10_000)
    post.clock.pass_time(1)
    await post.write(SMS, recipient="contact:first", first=True)
    await post.courier.run_once()
    assert post.providers[SMS].taken[0][1] == "contact:first"


async def test_the_claim_reads_the_index_in_its_order(post: Post) -> None:
    """No sort and no scan of what waits: the first of ten thousand costs what the first of ten
    does."""
    await post.write(SMS, count=10_000)
    with psycopg.connect(post.url, autocommit=True) as line:
        line.execute("ANALYZE notification")
    plan = "\n".join(
        row["QUERY PLAN"]
        for row in await post.rows(
            "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT notification_id FROM notification"
            f" WHERE state = 'pending' AND channel = 'sms' AND urgency <= 9 AND due_at <= '{START}'"
            f" AND (leased_until IS NULL OR leased_until <= '{START}')"
            " ORDER BY urgency, due_at, notification_id LIMIT 16 FOR UPDATE SKIP LOCKED"
        )
    )
    assert "Index Scan using notification_waiting" in plan
    assert "Sort" not in plan
    assert "rows=16" in plan


async def test_a_slow_provider_holds_up_nobody_else(post: Post) -> None:
    gate = post.providers[SMS].gate = asyncio.Event()
    await post.write(SMS, count=50)
    await post.write(VOICE, recipient="contact:other")
    cycle = asyncio.create_task(post.courier.run_once())
    async with asyncio.timeout(5):
        while not await post.rows(  # noqa: ASYNC110 - the database tells nobody
            "SELECT 1 FROM notification WHERE state = 'sent'"
        ):
            await asyncio.sleep(0.01)
    assert post.providers[VOICE].taken
    assert not cycle.done()
    gate.set()
    await cycle


async def test_room_is_kept_for_what_is_most_urgent(post: Post) -> None:
    """Every line of a slow provider is taken by chatter, except those that are kept free."""
    gate = post.providers[SMS].gate = asyncio.Event()
    courier = post.new_courier({SMS: Width(4, 2)})
    (lane,) = (lane for lane in courier.lanes if lane.name is SMS)
    await post.write(SMS, kind=NotificationKind.OVER, count=20)
    assert await lane.fill() == 2
    assert await lane.fill() == 0
    await post.write(SMS, recipient="contact:first", first=True, count=5)
    assert await lane.fill() == 2
    gate.set()
    while not lane.idle:
        await lane.progress()


async def test_a_crash_between_send_and_settle_sends_twice_at_most_with_one_key(
    post: Post,
) -> None:
    await post.write(VOICE)
    (lane,) = (lane for lane in post.courier.lanes if lane.name is VOICE)
    await lane.fill()
    await asyncio.sleep(0.05)  # sent, and the process is gone before it could be written down
    assert len(post.providers[VOICE].taken) == 1
    post.courier = post.new_courier()
    await post.cycle()
    assert len(post.providers[VOICE].taken) == 1, "its lease holds"
    await post.later(LEASE_S)
    await post.later(120)
    assert len(post.providers[VOICE].taken) == 2
    assert len(set(post.providers[VOICE].taken)) == 1, "the provider can tell that it is the same"
    assert (await post.one())["state"] == "sent"


async def test_what_a_dead_courier_had_claimed_rings_at_once_if_no_other_lives(
    post: Post,
) -> None:
    """A rung that was under way in a crash does not wait for the end of its lease."""
    outbox = PostgresOutbox(post.pool)
    await post.write(VOICE, count=2)
    await post.rows("UPDATE notification SET broken = 5 WHERE notification_id = 1 RETURNING 1")
    assert len(await outbox.claim_due(VOICE, post.clock.now(), 5)) == 2
    connect = psycopg.AsyncConnection.connect
    async with await connect(post.url, autocommit=True) as living:
        assert await go_on_shift(living, None) == 0
        async with await connect(post.url, autocommit=True) as beside:
            assert await go_on_shift(beside, post.clock.now()) == 0
    assert await outbox.claim_due(VOICE, post.clock.now(), 5) == []
    async with (
        await connect(post.url, autocommit=True) as first,
        await connect(post.url, autocommit=True) as second,
    ):
        assert await go_on_shift(first, post.clock.now()) == 2
        assert await go_on_shift(second, post.clock.now()) == 0, "another lives now"
    (again,) = await outbox.claim_due(VOICE, post.clock.now(), 5)
    assert again.broken == 2, "what has seen more crashes waits a moment"


async def test_a_row_that_ends_the_process_is_set_apart(post: Post) -> None:
    await post.write(VOICE)
    for _ in range(10):
        (lane,) = (lane for lane in post.new_courier().lanes if lane.name is VOICE)
        lane.channel = Provider(VOICE, gate=asyncio.Event())
        await lane.fill()
        await lane.close()
        post.clock.pass_time(LEASE_S)
        if (await post.one())["broken"] > 5:
            break
    await post.cycle()
    row = await post.one()
    assert (row["state"], row["reason"]) == ("poisoned", "crashed")
    assert post.providers[VOICE].taken == []


async def test_a_poison_row_stops_nobody_and_is_set_apart(post: Post) -> None:
    await post.write(SMS, body={"poison": True}, recipient="contact:poison")
    await post.write(SMS, recipient="contact:fine")
    await post.later(20)
    states = {r["recipient"]: r["state"] for r in await post.rows("SELECT * FROM notification")}
    assert states == {"contact:poison": "poisoned", "contact:fine": "sent"}
    assert len([a for a in await post.attempts() if a[1] == "broken"]) == 3


@pytest.mark.parametrize("sent", [False, True])
async def test_a_row_of_a_newer_release_is_set_apart(post: Post, sent: bool) -> None:
    await post.write(SMS)
    if sent:
        await post.cycle()
    await post.rows("UPDATE notification SET kind = 'telepathy' RETURNING 1")
    await post.write(SMS, VOICE, recipient="contact:fine")
    await post.later(31)
    found = await post.rows("SELECT state, reason FROM notification ORDER BY notification_id")
    assert [r["state"] for r in found] == ["poisoned", "sent"]
    assert found[0]["reason"] == "unreadable"


async def test_who_is_gone_is_not_told_and_who_has_no_number_is_reached_otherwise(
    post: Post,
) -> None:
    await post.write(SMS, VOICE, recipient="contact:gone")
    await post.write(SMS, VOICE, recipient="contact:no-phone")
    await post.cycle()
    found = {r["recipient"]: r for r in await post.rows("SELECT * FROM notification")}
    gone, reached = found["contact:gone"], found["contact:no-phone"]
    assert (gone["state"], gone["reason"]) == ("nobody", "not_to_be_told")
    assert (reached["state"], reached["channel"]) == ("sent", "voice")


async def test_who_has_no_address_is_no_mistake_however_often_the_last_rung_repeats(
    post: Post,
) -> None:
    await post.write(SMS, recipient="contact:no-phone")
    for _ in range(12):
        await post.cycle()
        row = await post.one()
        assert (row["state"], row["reason"]) == ("nobody", "no_address")
        # As `ring_again` does.
        await post.rows(
            "UPDATE notification SET state = 'pending', attempts = 0, round = round + 1,"
            " settled_at = NULL RETURNING 1"
        )


async def test_a_provider_that_comes_back_does_not_ring_ten_times(post: Post) -> None:
    """The ladder repeats its last step every minute; she hears the newest ring only."""
    post.providers[VOICE].trouble = lambda _: SendFailed("down")
    for _ in range(5):
        await post.write(VOICE)
        await post.later(47)
    post.providers[VOICE].trouble = lambda _: None
    await post.later(120)
    assert len(post.providers[VOICE].taken) <= 2
    states = {row["state"] for row in await post.rows("SELECT state FROM notification")}
    assert states <= {"sent", "superseded"}


async def test_a_ring_under_way_while_a_human_acts_is_followed_by_the_news(post: Post) -> None:
    gate = post.providers[SMS].gate = asyncio.Event()
    await post.write(SMS)
    cycle = asyncio.create_task(post.courier.run_once())
    await asyncio.sleep(0.1)
    await post.rows(
        "WITH a AS (UPDATE incident SET state = 'acknowledged', owner_name = 'Lin' RETURNING 1)"
        " UPDATE notification SET state = 'superseded', settled_at = now() FROM a RETURNING 1"
    )
    gate.set()
    await cycle
    await post.cycle()
    found = await post.rows("SELECT kind, state, body FROM notification ORDER BY notification_id")
    assert [(r["kind"], r["state"]) for r in found] == [("ring", "superseded"), ("coming", "sent")]
    assert found[1]["body"]["who"] == "Lin"


async def test_the_dwell_time_is_read_from_rows(post: Post) -> None:
    await post.write(SMS, first=True)
    post.clock.pass_time(3)
    await post.cycle()
    (row,) = await post.rows(
        "SELECT extract(epoch FROM min(n.sent_at) - i.opened_at) AS dwell_s"
        " FROM notification n JOIN incident i USING (incident_id) GROUP BY i.opened_at"
    )
    assert row["dwell_s"] == 3


async def test_the_workers_loop_sends_at_once_while_another_provider_hangs(post: Post) -> None:
    gate = post.providers[SMS].gate = asyncio.Event()
    wake, cycles = asyncio.Event(), list[int]()
    loop = CourierLoop(post.courier, wake, lambda name, handled: cycles.append(handled))
    running = asyncio.create_task(loop.run())
    try:
        await post.write(SMS, count=40)
        wake.set()
        await post.write(VOICE, recipient="contact:other", first=True)
        wake.set()
        async with asyncio.timeout(20):
            while not post.providers[VOICE].taken:  # noqa: ASYNC110 - the provider tells nobody
                await asyncio.sleep(0.01)
            gate.set()
            while len(post.providers[SMS].taken) < 40:  # noqa: ASYNC110 - nor does this one
                await asyncio.sleep(0.01)
            while not cycles:  # noqa: ASYNC110 - nor the loop
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_word_the_database_cannot_keep_stops_nobody(post: Post) -> None:
    """One vendor's answer with a NUL would hold up everything that is settled with it."""
    post.providers[SMS].trouble = lambda each: (
        SendFailed("bad\0word") if each.recipient.endswith("-2") else None
    )
    await post.write(SMS, count=3)
    await post.cycle()
    rows = await post.rows("SELECT state, detail FROM notification ORDER BY notification_id")
    assert [row["state"] for row in rows] == ["sent", "pending", "sent"]
    assert rows[1]["detail"] == "badword"


async def test_two_attempts_that_waited_for_the_database_are_recorded_in_their_order(
    post: Post,
) -> None:
    """It was away for longer than a lease: the same courier had begun the row anew."""
    outbox, now = PostgresOutbox(post.pool), post.clock.now()
    await post.write(SMS)
    (first,) = await outbox.claim_due(SMS, now, 5)
    post.clock.move_to(now + timedelta(seconds=LEASE_S + 1))
    (again,) = await outbox.claim_due(SMS, post.clock.now(), 5)
    failed = not_taken(first, Reason.FAILED, now, detail="no answer")
    sent = taken(again, now, word="taken", address="", provider_id=None, receipt_within_s=None)
    await outbox.settle([(first, failed), (again, sent)], post.clock.now())
    assert (await post.one())["state"] == "sent"
    assert await post.attempts() == [("sms", "failed"), ("sms", "sent")]


async def test_what_went_out_before_a_long_outage_does_not_go_out_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lane,) = (lane for lane in post.courier.lanes if lane.name is SMS)
    await post.write(SMS, count=3)
    with monkeypatch.context() as outage:

        async def away(*_: object) -> None:
            raise psycopg.OperationalError("the database is away")

        outage.setattr(lane.outbox, "settle", away)
        with pytest.raises(psycopg.OperationalError):
            await lane.run_once()
    post.clock.pass_time(LEASE_S + 1)
    await post.cycle()
    assert len(post.providers[SMS].taken) == 3


async def test_what_is_less_urgent_takes_only_its_share_of_a_claim(post: Post) -> None:
    await post.write(SMS, priority=Priority.MEDIUM, count=6)
    await post.write(SMS, first=True, count=3)
    claimed = await PostgresOutbox(post.pool).claim_due(SMS, post.clock.now(), 8, ordinary=5)
    urgent = urgency_of(Priority.HIGH, NotificationKind.RING, first=True)
    assert [each.urgency == urgent for each in claimed] == [True] * 3 + [False] * 2
