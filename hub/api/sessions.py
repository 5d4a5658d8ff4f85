"""Log-ins: made from a password, carried by a cookie, honoured while the database is away.

Programs carry a token instead, in the header `Authorization`; it is found the same way.
"""

import asyncio
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.api.ports import AccountStore, Clock
from hub.api.snapshot import DeskSnapshot
from hub.desk import AccountProof, DatabaseAway, DeskSession, Origin

COOKIE = "carebell_session"
BROWSER_COOKIE = "carebell_browser"
"""Proves that somebody has logged in here before; good for nothing else (docs/adr/0010)."""
TOKEN_BYTES = 32
TOKEN_PREFIX = "cbt_"  # noqa: S105 - what every token begins with
"""Marks a program's token, so that scanners of repositories find one that leaked."""
LIFETIME = timedelta(hours=12)
"""A shift: whoever comes to the desk next logs in as themselves."""
RECHECK_AFTER_S = 5.0
"""How long a log-in is believed without asking again; what changes one is heard of within 1 s."""
SESSIONS_REMEMBERED = 10_000
VERIFY_AT_ONCE = 2
"""argon2id takes 64 MiB and tens of milliseconds of several cores a try; presses go first."""


@dataclass(slots=True)
class _Known:
    session: DeskSession
    checked_at_s: float
    unsaved: Origin | None = None
    """Set where the database has yet to hear of it."""


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
        self._verifying_known = asyncio.Semaphore(1)
        """For browsers that are known: however many strangers try, a dispatcher does not queue."""

    async def credential(self, username: str) -> AccountProof | None:
        """Who has this name, from the snapshot while the database is away."""
        try:
            return await self._accounts.credential(username)
        except DatabaseAway:
            return await self._snapshot.credential(username)

    async def log_in(
        self, credential: AccountProof | None, password: str, origin: Origin, *, known: bool
    ) -> tuple[str, DeskSession] | None:
        """A new token and its session; None if name or password is wrong.

        A name nobody has costs as much time as a wrong password. `known` is the browser.
        """
        if not await self.proves(credential, password, known=known):
            return None
        if credential is None or credential.disabled:
            return None
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session = DeskSession(
            digest(token),
            credential.account,
            origin.at + LIFETIME,
            credential.must_change_password,
        )
        unsaved: Origin | None = origin
        try:
            if not await self._accounts.open_session(session, origin):
                return None
            unsaved = None
        except DatabaseAway:
            pass  # honoured here from memory; `catch_up` saves it
        self._keep(_Known(session, self._clock.monotonic_s(), unsaved))
        return token, session

    async def verify(self, token: str) -> DeskSession | None:
        """The session behind a token; None if there is none (any more)."""
        session = await self.verify_digest(digest(token))
        if session is None or session.by_token != token.startswith(TOKEN_PREFIX):
            return None
        return session

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
        if known is not None and known.unsaved is not None:
            return known.session
        self._known.pop(key, None)
        return None

    async def end(self, token: str) -> str:
        """Log out, at once here and as soon as possible everywhere; the hash of the token."""
        key = digest(token)
        self.forget([key])
        self._ended[key] = False
        try:
            await self._accounts.close_session(key)
            self._ended[key] = True
        except DatabaseAway:
            pass  # `catch_up` does it
        return key

    def forget(self, keys: Collection[str]) -> None:
        """These log-ins were ended in the database."""
        for key in keys:
            self._known.pop(key, None)
            self._ended[key] = True
            if len(self._ended) > SESSIONS_REMEMBERED:
                self._ended.popitem(last=False)

    def doubt(self, accounts: Collection[str], keys: Collection[str]) -> bool:
        """Something about these changed: ask again before believing them; whether any is known."""
        doubted = False
        for key, known in self._known.items():
            if key in keys or known.session.account.id in accounts:
                known.checked_at_s = float("-inf")
                doubted = True
        return doubted

    async def catch_up(self) -> None:
        """Tell the database what it missed. Raises DatabaseAway."""
        for key in [key for key, told in self._ended.items() if not told]:
            await self._accounts.close_session(key)
            self._ended[key] = True
        for key, known in list(self._known.items()):
            if known.unsaved is not None:
                if not await self._accounts.open_session(known.session, known.unsaved):
                    self._known.pop(key, None)
                known.unsaved = None

    async def hashed(self, password: str) -> str:
        """What is kept of a password."""
        async with self._verifying:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def proves(
        self, credential: AccountProof | None, password: str, *, known: bool = False
    ) -> bool:
        """Whether the password is the account's; a name nobody has costs the same time."""
        async with self._verifying_known if known else self._verifying:
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


def browser_mark(credential: AccountProof) -> str:
    """What a browser keeps to be known again as one of this account's.

    Signed with the hash of the password: it needs no table, and a new password makes it void.
    """
    drawn = secrets.token_urlsafe(16)
    return f"{drawn}.{_signed(credential, drawn)}"


def known_browser(credential: AccountProof | None, mark: str | None) -> str | None:
    """By what to call a browser the account has logged in from; None if it has not."""
    if credential is None or not mark or len(mark) > 200 or not mark.isascii():
        return None
    drawn, _, signature = mark.partition(".")
    right = hmac.compare_digest(signature, _signed(credential, drawn))
    return drawn if right else None


def _signed(credential: AccountProof, drawn: str) -> str:
    key = sha256(b"browser " + credential.password_hash.encode()).digest()
    return hmac.new(key, f"{credential.account.id} {drawn}".encode(), sha256).hexdigest()
