"""The database."""

from pydantic import BaseModel

from hub.keys.key import setting


class DatabaseKeys(BaseModel):
    """The database."""

    database_url: str = setting(
        "",
        "A PostgreSQL somebody operates: postgresql://... Empty: the embedded one.",
        source="one machine is the default size",
        pattern=r"^(postgres(ql)?://\S*)?$",
    )
