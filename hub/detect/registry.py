"""The table of detectors by lane; the order is the order of evaluation."""

from typing import Any

from hub.detect.button import ButtonDetector
from hub.detect.detector import Detector
from hub.detect.silence import SilenceDetector

ALARM_DETECTORS: tuple[Detector[Any], ...] = (ButtonDetector(),)
TELEMETRY_DETECTORS: tuple[Detector[Any], ...] = (SilenceDetector(),)
