"""Give the exchanges of a curl trace a place in time.

`--trace-time` prints the local time of day: no date, no zone. A Date field supplies both, because zones
differ from UTC by multiples of 15 minutes. Without `--trace-time` the Date field itself is the time.
See docs/decisions/016-time-in-text-captures.md.
"""

from __future__ import annotations

__all__ = ["DayClock", "epoch_shift"]

_DAY = 86400.0
_ZONE_STEP = 900.0


class DayClock:
    """Make times of day count on across midnight."""

    def __init__(self) -> None:
        self._days = 0.0
        self._last = 0.0

    def local(self, time_of_day: float | None) -> float | None:
        """Return seconds since the local midnight before the first time given.

        Args:
            time_of_day: seconds since local midnight, in the order of the trace; None where unknown.
        """
        if time_of_day is None:
            return None
        if time_of_day < self._last - _DAY / 2:
            self._days += _DAY
        self._last = time_of_day
        return self._days + time_of_day


def epoch_shift(local_seconds: float, date: float) -> float:
    """Return what to add to local seconds to get seconds since the epoch.

    Args:
        local_seconds: local time at which a response came, in seconds since some local midnight.
        date: Date of that response in seconds since the epoch.

    Returns:
        The shift; the clock's own deviation from the server's is kept as long as it is below 7.5 minutes.
    """
    return round((date - local_seconds) / _ZONE_STEP) * _ZONE_STEP
