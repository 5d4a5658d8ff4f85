"""How long the frames of a page were, and whose fault the long ones are.

Three witnesses, since none of them tells everything:

- `requestAnimationFrame`, what a human sees;
- the browser's own long animation frames (https://w3c.github.io/long-animation-frames/), which name
  the script that held a frame up and for how long the page could answer nobody;
- a blank page beside it, in the same browser at the same time. It draws nothing and only counts for
  some milliseconds ten times a second, about what a desk computes: the long frames that it shows as
  well are the machine's, not the page's.
"""

import json
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from benchmarks.harness import percentile

FRAME_MS = 100.0
"""No frame longer than this. Ours: what takes longer is felt as a halt."""
BESIDE_MS = 50.0
"""A frame of the blank page above this, at the same time, is a halt of the machine: three frames
are missing where nothing had to be drawn."""
SCRIPTS_NAMED = 3
COUNTED = 1_000_000
"""How far the blank page counts at a time: 5 to 15 ms of one processor, as the busier frames of a
desk (seen by tracing it: an eighth of a processor altogether, a desk has a tenth)."""

WATCH = """(counted) => {
  window.seen = {frames: [], long: []};
  let last = performance.now(), drawn = 0, sum = 1;
  const look = (now) => {
    seen.frames.push([performance.timeOrigin + last, now - last]);
    last = now;
    if (++drawn % 6 === 0) for (let n = 0; n < counted; n += 1) sum = Math.imul(sum, 69069) + 1 | 0;
    requestAnimationFrame(look);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(look); });
  new PerformanceObserver((list) => seen.long.push(...list.getEntries().map((frame) => ({
    took_ms: frame.duration,
    blocked_ms: frame.blockingDuration,
    scripts: frame.scripts.map((script) => ({
      name: `${script.invoker} ${script.sourceFunctionName}`.trim(),
      took_ms: script.duration,
      layout_ms: script.forcedStyleAndLayoutDuration,
    })),
  })))).observe({type: 'long-animation-frame'});
}"""
"""To be told how far to count, or 0."""
TAKE = "() => { const taken = {...seen}; seen.frames = []; seen.long = []; return taken; }"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, on the clock that all pages of a machine share."""

    began_ms: float
    took_ms: float

    def meets(self, other: "Frame") -> bool:
        """Whether both were under way at one time."""
        ends_ms, other_ends_ms = self.began_ms + self.took_ms, other.began_ms + other.took_ms
        return self.began_ms < other_ends_ms and other.began_ms < ends_ms


@dataclass(frozen=True, slots=True)
class Seen:
    """What one page saw during one stretch of time."""

    frames: list[Frame]
    long: list[dict[str, Any]]
    """The browser's long animation frames, as `WATCH` wrote them down."""

    def above(self, limit_ms: float) -> list[Frame]:
        """The frames that took longer."""
        return [frame for frame in self.frames if frame.took_ms > limit_ms]


async def taken(page: Page) -> Seen:
    """What the page saw since it was asked last. `WATCH` has to run in it."""
    found = await page.evaluate(TAKE)
    return Seen([Frame(*each) for each in found["frames"]], found["long"])


def felt(seen: Seen, beside: Seen) -> dict[str, Any]:
    """What a dispatcher would feel, and how much of it the blank page felt too."""
    times_ms = [frame.took_ms for frame in seen.frames]
    halts = beside.above(BESIDE_MS)
    own = [each for each in seen.above(FRAME_MS) if not any(each.meets(halt) for halt in halts)]
    return {
        **plain(times_ms),
        "of_these_not_on_the_blank_page": len(own),
        "longest_not_on_the_blank_page_ms": round(max((f.took_ms for f in own), default=0.0), 1),
        "long_animation_frames": animation_frames(seen.long),
        "blank_page": plain([frame.took_ms for frame in beside.frames]),
    }


def plain(times_ms: list[float]) -> dict[str, Any]:
    """How long frames were, and which share of the time was spent in those above the limit."""
    long_ms = [each for each in times_ms if each > FRAME_MS]
    return {
        "frames": len(times_ms),
        "p50_ms": round(percentile(times_ms, 0.5) or 0.0, 1),
        "p99_ms": round(percentile(times_ms, 0.99) or 0.0, 1),
        "longest_ms": round(max(times_ms, default=0.0), 1),
        f"above_{FRAME_MS:.0f}_ms": len(long_ms),
        f"share_of_time_above_{FRAME_MS:.0f}_ms": round(sum(long_ms) / (sum(times_ms) or 1.0), 4),
    }


def animation_frames(long: list[dict[str, Any]]) -> dict[str, Any]:
    """The browser's word: how many took more than its 50 ms, for how long the worst kept the page
    from answering, and which scripts took part in that one."""
    worst = max(long, key=lambda each: float(each["blocked_ms"]), default=None)
    scripts = sorted(worst["scripts"], key=lambda each: -each["took_ms"]) if worst else []
    return {
        "count": len(long),
        "longest_ms": round(max((each["took_ms"] for each in long), default=0.0), 1),
        "longest_blocking_ms": round(worst["blocked_ms"] if worst else 0.0, 1),
        "worst_scripts": [
            {key: round(value, 1) if key != "name" else value for key, value in each.items()}
            for each in scripts[:SCRIPTS_NAMED]
        ],
    }


def computed(trace: bytes, traced_s: float) -> dict[str, float]:
    """By processor time, which no other process can stretch much: the longest task of the page's
    main thread, and how much of a processor that thread took."""
    events = json.loads(trace)["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    by_thread: dict[tuple[int, int], list[float]] = {}
    for event in events:
        thread = (event["pid"], event["tid"])
        if event.get("name") == "ThreadControllerImpl::RunTask" and thread in main:
            by_thread.setdefault(thread, []).append(event.get("tdur", 0) / 1000)
    tasks_ms = max(by_thread.values(), key=sum, default=[])
    return {
        "longest_task_ms": round(max(tasks_ms, default=0.0), 1),
        "main_thread_share": round(sum(tasks_ms) / 1000 / traced_s, 3),
    }
