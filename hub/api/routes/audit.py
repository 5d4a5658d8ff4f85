"""How far the log is sealed."""

from fastapi import APIRouter

from hub.api.gate import Inspecting, PartsOf
from hub.api.record_models import SealState

router = APIRouter(prefix="/api/v1/audit", tags=["log"])


@router.get("/head")
async def read_head(account: Inspecting, parts: PartsOf) -> SealState:
    """The newest head of the sealed log, to be kept elsewhere, and what waits to be sealed."""
    del account
    return SealState.model_validate(await parts.record.cases.seal(parts.clock.now()))
