"""Where the hub runs and for whom."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel

from hub.keys.key import setting, time_zone_name
from schemas.ids import ID_PATTERN


class PlaceKeys(BaseModel):
    """Where the hub runs and for whom."""

    data_dir: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] = setting(
        Path("carebell-data"),
        "The folder that holds everything the hub keeps; relative to where it is started.",
        source="visible beside the source tree, easy to find and to delete",
    )
    root_area_id: str = setting(
        "city",
        "The area at the top of the tree; what belongs nowhere else rings here.",
        source="level names of Chinese practice: city, county, street, community",
        pattern=f"^{ID_PATTERN}$",
    )
    language: Literal["zh-CN", "en"] = setting(
        "zh-CN",
        "What the hub speaks where a person or account has no language of their own.",
        source="first deployments are in mainland China",
    )
    time_zone: Annotated[str, AfterValidator(time_zone_name)] = setting(
        "Asia/Shanghai",
        "The zone of premises that name none; storage is always UTC.",
        source="mainland China has one zone",
    )
    hotline_number: str = setting(
        "12349",
        "The number a person is told to call when the hub cannot help.",
        source="12349 is China's number for services to older people; cities differ (96580)",
        pattern=r"^[0-9+-]{3,20}$",
    )
