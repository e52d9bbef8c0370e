"""Tells whoever started this program how much work is done."""
from __future__ import annotations

import os
import select
import threading
from typing import Optional

VARIABLE = "HELIOGRAD_PROGRESS_FD"


class Progress:
    """Lines with the total of units done, into the pipe whose number the variable holds. Never raises, never waits: a
    line that does not fit into the pipe is left out, and the next one has the total again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total = 0
        self._broken = False
        self._poll: Optional[select.poll] = None

    def tell(self, done: Optional[int]) -> None:
        named = os.environ.get(VARIABLE)
        with self._lock:
            try:
                self._total = self._total + 1 if done is None else int(done)
            except (ValueError, TypeError, OverflowError):
                return
            if not named or self._broken:
                return
            try:
                pipe = int(named)
                if self._poll is None:
                    self._poll = select.poll()
                    self._poll.register(pipe, select.POLLOUT)
                events = self._poll.poll(0)
                if not events:
                    return
                os.write(pipe, b"%d\n" % self._total)
            except (OSError, ValueError, OverflowError):
                self._broken = True


_progress = Progress()


def progress(done: Optional[int] = None) -> None:
    """Tells that `done` units of work are finished in all; without a number, that one more is. Without a listener
    (`heliograd curve`, `heliograd run`) it does nothing."""
    _progress.tell(done)
