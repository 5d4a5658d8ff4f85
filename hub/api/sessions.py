"""Log-ins: made from a password, carried by a cookie, honoured while the database is away."""

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.api.ports import AccountStore, Clock
from hub.api.snapshot import DeskSnapshot
from hub.desk import Credential, DatabaseAway, DeskSession

COOKIE = "carebell_session"
TOKEN_BYTES = 32
LIFETIME = timedelta(hours=12)
"""A shift: whoever comes to the desk next logs in as themselves."""
RECHECK_AFTER_S = 5.0
"""How long a log-in is believed without asking again, and so how late a withdrawn one ends."""
SESSIONS_REMEMBERED = 10_000
VERIFY_AT_ONCE = 2
"""argon2id takes 64 MiB and tens of milliseconds of several cores a try; presses go first."""


@dataclass(slots=True)
class _Known:
    session: DeskSession
    checked_at_s: float
    saved: bool = True
    """False where the database has yet to hear of it."""


class Sessions:
    """Makes, finds and ends log-ins."""

    def __init__(self, accounts: AccountStore, snapshot: DeskSnapshot, clock: Clock) -> None:
        self._accounts = accounts
        self._snapshot = snapshot
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._ended: OrderedDict[str, bool] = OrderedDict()
        """Closed here; the value says whether the database has heard of it."""
        self._hasher = PasswordHasher()
        self._nobody_hash: str | None = None
        self._verifying = asyncio.Semaphore(VERIFY_AT_ONCE)

    async def log_in(self, username: str, password: str) -> tuple[str, DeskSession] | None:
        """A new token and its session; None if name or password is wrong.

        A name nobody has costs as much time as a wrong password.
        """
        try:
            credential = await self._accounts.credential(username)
        except DatabaseAway:
            credential = await self._snapshot.credential(username)
        if not await self._proves(credential, password):
            return None
        if credential is None or credential.disabled:
            return None
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock.now()
        session = DeskSession(digest(token), credential.account, now + LIFETIME)
        known = _Known(session, self._clock.monotonic_s(), saved=False)
        self._keep(known)
        try:
            await self._accounts.open_session(session, now)
            known.saved = True
        except DatabaseAway:
            pass  # honoured here from memory; `catch_up` saves it
        return token, session

    async def verify(self, token: str) -> DeskSession | None:
        """The session behind a cookie's token; None if there is none (any more)."""
        return await self.verify_digest(digest(token))

    async def verify_digest(self, key: str) -> DeskSession | None:
        """The same for those who only kept the hash."""
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        known = self._known.get(key)
        if key in self._ended or (known is not None and known.session.expires_at <= now):
            self._known.pop(key, None)
            return None
        if known is not None and now_s - known.checked_at_s < RECHECK_AFTER_S:
            return known.session
        try:
            found = await self._accounts.session(key, now)
        except DatabaseAway:
            return known.session if known else await self._snapshot.session(key, now)
        if key in self._ended:
            return None
        if found is not None:
            self._keep(_Known(found, now_s))
            return found
        if known is not None and not known.saved:
            return known.session
        self._known.pop(key, None)
        return None

    async def end(self, token: str) -> str:
        """Log out, at once here and as soon as possible everywhere; the hash of the token."""
        key = digest(token)
        self._known.pop(key, None)
        self._ended[key] = False
        if len(self._ended) > SESSIONS_REMEMBERED:
            self._ended.popitem(last=False)
        try:
            await self._accounts.close_session(key)
            self._ended[key] = True
        except DatabaseAway:
            pass  # `catch_up` does it
        return key

    async def catch_up(self) -> None:
        """Tell the database what it missed. Raises DatabaseAway."""
        for key in [key for key, told in self._ended.items() if not told]:
            await self._accounts.close_session(key)
            self._ended[key] = True
        for known in [known for known in self._known.values() if not known.saved]:
            await self._accounts.open_session(known.session, self._clock.now())
            known.saved = True

    async def _proves(self, credential: Credential | None, password: str) -> bool:
        async with self._verifying:
            if self._nobody_hash is None:
                drawn = secrets.token_urlsafe(TOKEN_BYTES)
                self._nobody_hash = await asyncio.to_thread(self._hasher.hash, drawn)
            wanted = self._nobody_hash if credential is None else credential.password_hash
            return await asyncio.to_thread(self._matches, wanted, password)

    def _matches(self, wanted: str, password: str) -> bool:
        try:
            return self._hasher.verify(wanted, password)
        except (VerificationError, InvalidHashError):
            return False

    def _keep(self, known: _Known) -> None:
        key = known.session.token_sha256
        self._known[key] = known
        self._known.move_to_end(key)
        if len(self._known) > SESSIONS_REMEMBERED:
            self._known.popitem(last=False)


def digest(token: str) -> str:
    """What is kept of a token: enough to know it again, not enough to use it."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
