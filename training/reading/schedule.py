"""The learning rate by the clock."""

from __future__ import annotations

# A step that takes longer was a pause of the whole process.
PAUSE_SECONDS = 60.0
# The part of the time that is left at least after a pause, for the rate to fall in.
COOLDOWN = 0.08


class Schedule:
    """The learning rate's share of its peak by the clock: up over the warmup, then down to 0.

    A pause counts as time. One that leaves less than COOLDOWN of the time moves the end, so that the
    rate falls to 0 instead of stopping where it was.
    """

    def __init__(self, seconds: float, warmup: float) -> None:
        self._seconds, self._warmup = seconds, warmup
        self._end, self._last = seconds, 0.0

    def factor(self, elapsed: float) -> float:
        """The share of the peak so many seconds after the start, 0 at the end."""
        cooldown = COOLDOWN * self._seconds
        if elapsed - self._last > PAUSE_SECONDS and self._end - elapsed < cooldown:
            self._end = elapsed + cooldown
        self._last = elapsed
        # Never 0 at the start, which would be the end.
        rising = max(1e-3, elapsed / max(1e-9, self._warmup * self._seconds))
        falling = (self._end - elapsed) / ((1 - self._warmup) * self._seconds)
        return max(0.0, min(1.0, rising, falling))
