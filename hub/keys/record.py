"""How the log is sealed, what figures count against, and how often people are looked after."""

from pydantic import BaseModel

from hub.keys.key import setting


class RecordKeys(BaseModel):
    """Record, figures, rounds."""

    seal_audit_every_s: float = setting(
        10.0,
        "How often what was written to the audit log is sealed: until then only the table's own "
        "trigger guards an entry. A block costs about 200 bytes and 40 more an entry.",
        source="ours: shorter than it takes to log in and rewrite something, and 9,000 blocks a "
        "day at most",
        unit="s",
        ge=0.5,
        le=600,
    )
    audit_head_every_s: float = setting(
        3600.0,
        "How often the worker writes the newest head into its log. Kept elsewhere it shows "
        "whether the whole log was made anew.",
        source="ours: what is lost between two heads is an hour at most",
        unit="s",
        ge=10,
        le=86_400,
    )
    frequent_false_presses: int = setting(
        3,
        "From how many false presses in the span of a report somebody is listed: a visit and "
        "another button may help them.",
        source="ours: twice may happen to anybody",
        unit="presses",
        ge=2,
        le=1000,
    )
    button_test_every_days: int = setting(
        7,
        "How often every button is to be tested; who is over it is listed as overdue.",
        source="JGJ/T 484-2019 (China's technical standard for intelligent systems of elder-care "
        "services), 10.3.1: alarm buttons are checked once a week",
        unit="days",
        ge=1,
        le=366,
    )
    visit_every_days: int = setting(
        31,
        "How often everybody is to be visited; who is over it is listed as overdue.",
        source="published rules of Shenyang, Jiangxi and Liaoyuan: people in difficulty are "
        "visited every month",
        unit="days",
        ge=1,
        le=366,
    )
    keep_visits_days: int = setting(
        1825,
        "How long records of visits are kept. 0: for ever.",
        source="ours: as long as the incidents they belong beside",
        unit="days",
        ge=0,
        le=36_500,
    )
    report_font: str = setting(
        "",
        "A font file with Chinese characters for PDF reports. Empty: Noto Sans CJK if the system "
        "has it, else the one that is installed with the hub.",
        source="ours: Debian's fonts-noto-cjk has the Chinese forms of characters",
    )
