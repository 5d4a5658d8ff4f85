"""The register as the API keeps it; implements `hub.api.ports.RegisterStore`.

Every change is one transaction with its line of the log. Nouns are rows of a table
(`hub.register_nouns`), queries are named after them.
"""

from collections.abc import Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any, LiteralString

from psycopg.errors import CheckViolation, ForeignKeyViolation

from alerts.people import PersonState
from hub.contact_list import same_contacts
from hub.desk import AlreadyThere, AreaMisplaced, Entry, LastAdministrator, NotThere, StillHolds
from hub.pinyin import spellings, typed
from hub.register_nouns import NOUNS, Noun, difference
from hub.store import queries
from hub.store.desk import like, log_line, referring
from hub.store.reach import Cursor, Reach
from hub.view import View

_SQL: Mapping[str, LiteralString] = (
    queries.load("register") | queries.load("accounts") | queries.load("register_desk")
)
_LOG = queries.load("incidents")["log"]

RESIDENTS_SHOWN = 100
"""A care home is one premises a room; more than this live nowhere."""
STATES_SHOWN = 200
SPELT_AT_ONCE = 2000
"""Names: about 0.2 s, within the patience of one call."""
SPELT_BATCHES = 5
"""... so that no search takes longer than a second or two because of others' names."""

SQUARES_ACROSS = 40
"""Of a map of homes: a board has no room for more dots side by side."""
SQUARES_MOST = 2000
LEAST_SPAN_DEGREES = 0.001
"""About 100 m: a single street."""
OUTSIDE = 0.01
"""The share of homes on each side that does not count for the size of a square."""

Row = dict[str, Any]


class PostgresRegister:
    """Areas, homes, people, responders, accounts. Every method raises DatabaseAway."""

    def __init__(self, reach: Reach, root_area_id: str) -> None:
        self._reach = reach
        self._root_area_id = root_area_id

    async def page(
        self,
        noun: str,
        areas: Sequence[str] | None,
        q: str,
        filters: Mapping[str, str | None],
        after: str,
        limit: int,
        look: Entry | None = None,
    ) -> list[View]:
        """Rows by id; `q` finds them by what people call them. A look is logged where one is."""
        query = f"{noun}_search" if q and f"{noun}_search" in _SQL else f"{noun}_page"
        letters = typed(q) if noun == "person" else None
        if letters is not None:
            query = "person_search_in_letters"
            await self._spell_names()
        values = {"areas": areas, "q": q, "like": like(q), "after": after, "limit": limit}
        values |= {"letters": letters, "letters_like": like(letters or "")}

        async def read(cursor: Cursor) -> list[View]:
            if look is not None:
                await cursor.execute(_LOG, log_line(look))
            await cursor.execute(_SQL[query], {**values, **filters})
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def _spell_names(self) -> None:
        """Spell the names that came since the last search in letters; after a large import the
        next few searches go on with the rest."""

        async def spell(cursor: Cursor) -> int:
            await cursor.execute(_SQL["unspelt_people"], {"limit": SPELT_AT_ONCE})
            rows = await cursor.fetchall()
            spelt = [
                {"id": r["person_id"], "name": r["name"], "letters": spellings(r["name"])}
                for r in rows
            ]
            await cursor.executemany(_SQL["spell_person"], spelt)
            return len(rows)

        for _ in range(SPELT_BATCHES):
            if await self._reach.run(spell) < SPELT_AT_ONCE:
                return

    async def card(self, noun: str, noun_id: str) -> View | None:
        """One row with everything but secrets; None if there is none."""

        async def read(cursor: Cursor) -> View | None:
            row = await _card(cursor, NOUNS[noun], noun_id)
            if row is not None and noun == "premises":
                await cursor.execute(_SQL["residents"], {"id": noun_id, "limit": RESIDENTS_SHOWN})
                row["residents"] = await cursor.fetchall()
            return row

        return await self._reach.run(read)

    async def video_links(self, premises_ids: Sequence[str]) -> dict[str, str]:
        """Of those homes that have one."""

        async def read(cursor: Cursor) -> dict[str, str]:
            await cursor.execute(_SQL["video_links"], {"ids": list(premises_ids)})
            return {row["premises_id"]: row["video_link"] for row in await cursor.fetchall()}

        return await self._reach.run(read)

    async def where_homes_are(self, areas: Sequence[str] | None) -> list[View]:
        """Squares with the number of homes in each; None: everywhere."""
        asked = {"areas": areas, "outside": OUTSIDE, "least": LEAST_SPAN_DEGREES,
                 "across": SQUARES_ACROSS, "limit": SQUARES_MOST}  # fmt: skip

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL["where_homes_are"], asked)
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def add(self, noun: str, noun_id: str, values: Mapping[str, Any], entry: Entry) -> View:
        """Raises AlreadyThere, NotThere (what it refers to), AreaMisplaced."""
        kind = NOUNS[noun]

        async def write(cursor: Cursor) -> View:
            if await _card(cursor, kind, noun_id) is not None:
                raise AlreadyThere(noun_id)
            await cursor.execute(_SQL[f"add_{noun}"], {**values, "id": noun_id, kind.key: noun_id})
            if cursor.rowcount == 0:
                raise AlreadyThere(noun_id)
            row = await _card(cursor, kind, noun_id)
            if row is None:
                raise NotThere(f"There is no such {noun}")
            await _log(cursor, entry, kind, noun_id, None, row)
            return row

        return await self._reach.run(referring(_placed(write)))

    async def change(
        self, noun: str, noun_id: str, changes: Mapping[str, Any], entry: Entry
    ) -> View:
        """The row as it is then. Raises NotThere, AreaMisplaced, LastAdministrator."""
        kind = NOUNS[noun]

        async def write(cursor: Cursor) -> View:
            before = await _card(cursor, kind, noun_id, hold=True)
            if before is None:
                raise NotThere(f"There is no such {noun}")
            wanted = before | {c: changes[c] for c in kind.columns if c in changes}
            if all(before[c] == wanted[c] for c in kind.columns):
                return before
            if noun == "account":
                await self._keep_an_administrator(cursor, before, wanted)
            await cursor.execute(_SQL[f"change_{noun}"], wanted | {"id": noun_id})
            if noun == "account" and wanted["disabled"]:
                await end_sessions(cursor, noun_id)
            after = await _card(cursor, kind, noun_id)
            await _log(cursor, entry, kind, noun_id, before, after)
            return after or wanted

        return await self._reach.run(referring(_placed(write)))

    async def remove(self, noun: str, noun_id: str, entry: Entry) -> None:
        """Raises NotThere, StillHolds, LastAdministrator."""
        kind = NOUNS[noun]

        async def write(cursor: Cursor) -> None:
            before = await _card(cursor, kind, noun_id, hold=True)
            if before is None:
                raise NotThere(f"There is no such {noun}")
            await cursor.execute(_SQL[f"{noun}_holds"], {"id": noun_id})
            (held,) = await cursor.fetchall()
            if holds := {name: count for name, count in held.items() if count}:
                raise StillHolds(holds)
            if noun == "account":
                await self._keep_an_administrator(cursor, before, None)
            try:
                await cursor.execute(_SQL[f"remove_{noun}"], {"id": noun_id})
            except ForeignKeyViolation as error:
                raise StillHolds({error.diag.table_name or "something": 1}) from None
            await _log(cursor, entry, kind, noun_id, before, None)

        await self._reach.run(write)

    async def set_state(
        self, person_id: str, state: PersonState, reason: str | None, entry: Entry
    ) -> View:
        """Where a person is from now on; their card. Raises NotThere."""

        async def write(cursor: Cursor) -> View:
            before = await _card(cursor, NOUNS["person"], person_id, hold=True)
            if before is None:
                raise NotThere("There is no such person")
            values = {
                "id": person_id,
                "state": state.value,
                "since": entry.at,
                "by_id": entry.account.id,
                "by_name": entry.account.name,
                "reason": reason,
            }
            await cursor.execute(_SQL["set_state"], values)
            await cursor.execute(_SQL["add_state_change"], values)
            told = {"before": before["state"], "after": state.value, "reason": reason}
            await cursor.execute(_LOG, log_line(_with(entry, "person", person_id, told)))
            after = await _card(cursor, NOUNS["person"], person_id)
            return after or before

        return await self._reach.run(write)

    async def states(self, person_id: str) -> list[View]:
        """How a person's state changed, newest first."""
        return await self._rows("state_changes", {"id": person_id, "limit": STATES_SHOWN})

    async def contacts(self, person_id: str) -> list[View]:
        """Whom to call for a person, in order."""
        return await self._rows("contacts", {"id": person_id})

    async def set_contacts(
        self, person_id: str, contacts: Sequence[Mapping[str, Any]], entry: Entry
    ) -> None:
        """The whole list at once. Raises NotThere."""

        async def write(cursor: Cursor) -> None:
            if await _card(cursor, NOUNS["person"], person_id, hold=True) is None:
                raise NotThere("There is no such person")
            await cursor.execute(_SQL["contacts"], {"id": person_id})
            before = await cursor.fetchall()
            await cursor.execute(_SQL["remove_contacts"], {"id": person_id})
            kept = same_contacts(before, contacts, new_id=lambda: token_hex(8))
            rows = [{**c, "id": person_id, "place": n} for n, c in enumerate(kept, 1)]
            if rows:
                await cursor.executemany(_SQL["add_contact"], rows)
            told = {"before": before, "after": list(kept)}
            await cursor.execute(_LOG, log_line(_with(entry, "contacts", person_id, told)))

        await self._reach.run(referring(write))

    async def key_safe(self, premises_id: str, look: Entry) -> View | None:
        """The code of a home's key safe; the look is logged in the same transaction."""

        async def read(cursor: Cursor) -> View | None:
            await cursor.execute(_SQL["key_safe"], {"id": premises_id})
            row = await cursor.fetchone()
            if row is not None:
                await cursor.execute(_LOG, log_line(look))
            return row

        return await self._reach.run(read)

    async def set_key_safe(
        self, premises_id: str, code: str | None, place: str | None, entry: Entry
    ) -> None:
        """Keep another code; None: there is no key safe any more. Raises NotThere."""

        async def write(cursor: Cursor) -> None:
            values = {
                "id": premises_id,
                "code": code,
                "place": place,
                "at": entry.at,
                "by": entry.account.id,
            }
            name = "remove_key_safe" if code is None else "put_key_safe"
            await cursor.execute(_SQL[name], values)
            if cursor.rowcount == 0:
                raise NotThere("There is no such key safe")
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)

    async def family(self, person_id: str) -> list[View]:
        """Accounts that see a person."""
        return await self._rows("family_of", {"id": person_id})

    async def link_family(
        self,
        person_id: str,
        account_id: str,
        relation: str | None,
        entry: Entry,
        *,
        decides: bool = False,
    ) -> None:
        """Let an account see a person; relation None: no longer. Raises NotThere."""
        values = {
            "person_id": person_id,
            "account_id": account_id,
            "relation": relation,
            "decides": decides,
            "since": entry.at,
            "by_id": entry.account.id,
        }

        async def write(cursor: Cursor) -> None:
            await cursor.execute(
                _SQL["unlink_family" if relation is None else "link_family"], values
            )
            if cursor.rowcount == 0:
                raise NotThere("There is no such family link")
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(referring(write))

    async def kin(self, account_id: str) -> list[View]:
        """Those a family account is linked to, and how they are."""
        return await self._rows("kin", {"account_id": account_id})

    async def log_page(
        self,
        areas: Sequence[str] | None,
        actor_id: str | None,
        action: str | None,
        before: int,
        limit: int,
    ) -> list[View]:
        """The log, newest first."""
        values = {"areas": areas, "actor_id": actor_id, "action": action, "before": before}
        return await self._rows("log_page", values | {"limit": limit})

    async def _rows(self, query: str, values: Mapping[str, Any]) -> list[View]:
        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL[query], values)
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def _keep_an_administrator(self, cursor: Cursor, before: Row, wanted: Row | None) -> None:
        """Whoever administers the root area can help everybody else; one must be left."""
        if not _administers(before, self._root_area_id):
            return
        if wanted is not None and _administers(wanted, self._root_area_id):
            return
        await cursor.execute(_SQL["administrators"], {"area_id": self._root_area_id})
        if len(await cursor.fetchall()) <= 1:
            raise LastAdministrator


async def end_sessions(
    cursor: Cursor, account_id: str, prefix: str = "", keep: str | None = None
) -> list[str]:
    """End log-ins of an account: the one whose hash begins so, or all but `keep`; their hashes."""
    values = {"account_id": account_id, "prefix": prefix, "keep": keep}
    await cursor.execute(_SQL["close_sessions_of"], values)
    return [row["token_sha256"] for row in await cursor.fetchall()]


def _administers(row: Row, area_id: str) -> bool:
    return row["role"] == "administrator" and not row["disabled"] and row["area_id"] == area_id


async def _card(cursor: Cursor, noun: Noun, noun_id: str, *, hold: bool = False) -> Row | None:
    """The row; with `hold` until the end of the transaction nobody else changes it."""
    query = _SQL[f"{noun.name}_card"].rstrip(";")
    await cursor.execute(query + " FOR UPDATE" if hold else query, {"id": noun_id})
    return await cursor.fetchone()


async def _log(
    cursor: Cursor, entry: Entry, noun: Noun, noun_id: str, before: Row | None, after: Row | None
) -> None:
    told = difference(noun, before, after)
    await cursor.execute(_LOG, log_line(_with(entry, noun.name, noun_id, told)))


def _with(entry: Entry, noun: str, noun_id: str, told: dict[str, Any]) -> Entry:
    detail = {"noun": noun, "id": noun_id, **told, **entry.detail}
    return Entry(entry.at, entry.area_id, entry.account, entry.action, detail, entry.incident_id)


def _placed(work: Callable[[Cursor], Any]) -> Callable[[Cursor], Any]:
    """Tell where an area cannot lie: AreaMisplaced instead of the driver's error."""

    async def told(cursor: Cursor) -> Any:
        try:
            return await work(cursor)
        except CheckViolation as error:
            if error.diag.constraint_name == "area_below_parent":
                raise AreaMisplaced from None
            raise

    return told
