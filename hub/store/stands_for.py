"""Who an account is to an incident: a responder of the register, a contact of the person, or a
dispatcher. One human is one responder, whether they press 1 or use the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from alerts.actions import Action
from alerts.incident import Incident
from alerts.responders import Actor, ActorKind, Way
from hub.rota import MAY_SERVE
from hub.store import queries
from hub.store.whereabouts import Cursor

_SQL = queries.load("ladder")


@dataclass(frozen=True, slots=True)
class StandsFor:
    """What the register says of the accounts behind some actions."""

    roles: Mapping[str, str] = field(default_factory=dict)
    responders: Mapping[str, Actor] = field(default_factory=dict)
    contacts: Mapping[tuple[str, str], Actor] = field(default_factory=dict)
    """By account and person."""

    def read(self, action: Action, incident: Incident) -> Action:
        """The action as the incident takes it. Whoever answers at the hotline acts as themselves by
        whatever way; every other account for whom the register knows them as."""
        account = action.by.id
        if action.by.kind is not ActorKind.ACCOUNT or self.roles.get(account) in MAY_SERVE:
            return action
        known = self.contacts.get((account, incident.person_id or ""))
        by = known or self.responders.get(account) or action.by
        if account not in self.roles and by is action.by:
            return action  # an account that is gone, of the release before: as it was read
        how = Way.FAMILY_PAGE if by is action.by else action.how
        return replace(action, by=by, how=how)


async def stands_for(cursor: Cursor, actions: Sequence[Action]) -> StandsFor:
    """Everything the register knows of these accounts."""
    ids = sorted({a.by.id for a in actions if a.by.kind is ActorKind.ACCOUNT})
    if not ids:
        return StandsFor()
    await cursor.execute(_SQL["roles"], {"ids": ids})
    roles = {row["account_id"]: row["role"] for row in await cursor.fetchall()}
    if all(role in MAY_SERVE for role in roles.values()):
        return StandsFor(roles)
    await cursor.execute(_SQL["as_responder"], {"ids": ids})
    responders = {
        row["account_id"]: Actor(ActorKind.RESPONDER, row["responder_id"], row["name"])
        for row in await cursor.fetchall()
    }
    await cursor.execute(_SQL["as_contact"], {"ids": ids})
    contacts = {
        (row["account_id"], row["person_id"]): Actor(
            ActorKind.CONTACT, row["contact_id"], row["name"]
        )
        for row in await cursor.fetchall()
    }
    return StandsFor(roles, responders, contacts)
