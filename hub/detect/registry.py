"""The table of detectors by lane; the order is the order of evaluation."""

from typing import Any

from hub.detect.battery import BatteryDetector
from hub.detect.bed import BedDetector
from hub.detect.button import ButtonDetector
from hub.detect.cached import CachedDetector
from hub.detect.detector import Detector
from hub.detect.fall import FallDetector
from hub.detect.frozen import FrozenDetector
from hub.detect.geofence import GeofenceDetector
from hub.detect.hazard import HazardDetector
from hub.detect.inactivity import InactivityDetector
from hub.detect.sequence import SequenceDetector
from hub.detect.silence import SilenceDetector
from hub.detect.unheard import UnheardDetector
from hub.detect.vitals import VITAL_DETECTORS
from hub.detect.vitals_review import ReviewDetector
from hub.detect.vitals_score import ScoreDetector
from hub.detect.worn import WornDetector

ALARM_DETECTORS: tuple[Detector[Any], ...] = (
    ButtonDetector(),
    HazardDetector(),
    FallDetector(),
)
TELEMETRY_DETECTORS: tuple[Detector[Any], ...] = (
    SilenceDetector(),
    UnheardDetector(),
    SequenceDetector(),
    BatteryDetector(),
    FrozenDetector(),
    CachedDetector(),
    WornDetector(),
    *VITAL_DETECTORS,
    ScoreDetector(),
    ReviewDetector(),
    BedDetector(),
    InactivityDetector(),
    GeofenceDetector(),
)
