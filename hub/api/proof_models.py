"""What is known of the ways to a person's contacts, over HTTP."""

from pydantic import BaseModel, ConfigDict

from hub.api.assurance_models import ProvableChannel
from hub.api.models import Moment


class ContactProof(BaseModel):
    """One way to one contact: whether somebody answered a test message by it."""

    model_config = ConfigDict(title="ContactProof")

    contact_id: str
    channel: ProvableChannel
    asked_at: Moment | None
    answer_due_at: Moment | None
    """Until then a test message waits for its answer; null: none does."""
    verified_at: Moment | None
    verified_by: str | None
    """How: reply, press of a digit, link, or by_hand, by word to an operator."""
    failed_at: Moment | None
    """The way itself did not work."""
    failure: str | None
    """Why the last test message came to nothing; its reason (docs/ladder.md), or no_answer."""


class ContactProofs(BaseModel):
    """By contact and way; ways that were never asked are not there, nor those of an address that
    was changed since."""

    items: list[ContactProof]
