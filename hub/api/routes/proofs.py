"""Which of a person's contacts answered a test message: shown beside them."""

from fastapi import APIRouter

from hub.api.gate import Browsing, PartsOf
from hub.api.proof_models import ContactProof, ContactProofs
from hub.api.routes.quarantine import with_moments
from hub.api.routes.register import FOUND, NounId, area_of_person

router = APIRouter(prefix="/api/v1/people", tags=["people"])


@router.get("/{person_id}/contacts/proofs", responses=FOUND)
async def list_proofs(person_id: NounId, account: Browsing, parts: PartsOf) -> ContactProofs:
    """What is known of the ways to a person's contacts; `POST /assurance/contacts/test` asks. The
    look is logged."""
    area_id = await area_of_person(parts, account, person_id)
    look = {"noun": "contacts", "id": person_id}
    await parts.store.log([parts.entry(account, "look", area_id, look)])
    rows = await parts.dependencies.assurance.proofs.of_person(person_id)
    return ContactProofs(items=[ContactProof.model_validate(with_moments(row)) for row in rows])
