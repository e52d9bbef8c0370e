"""Pauses a program between two steps when whoever started it says so."""
from __future__ import annotations

import os
import threading
import time
from typing import Optional

VARIABLE = "HELIOGRAD_CONTROL_FILE"
_LOOK_EVERY_S = 0.05  # between two looks while a program steps quickly
_WAIT_S = 0.1  # between two looks while it is paused


class Control:
    """The file that the variable names holds "run" or "pause". FILE.listening says that someone looks at it between steps,
    FILE.paused that the program stands still. Without the variable it does nothing. Never raises."""

    def __init__(self) -> None:
        self._path: Optional[str] = None
        self._process = -1
        self._next = 0.0
        self._lock = threading.Lock()

    def _is_paused(self, path: str) -> bool:
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                return file.read(16).strip() == "pause"
        except OSError:
            return False  # who paused us is gone, and nobody else would let us go on

    def point(self) -> float:
        """A moment at which the program may be paused; returns when it may go on, with the seconds that it stood still."""
        now = time.monotonic()
        if now < self._next and self._process == os.getpid():
            return 0.0
        with self._lock:
            self._next = now + _LOOK_EVERY_S
            if self._process != os.getpid():
                self._process = os.getpid()
                self._path = os.environ.get(VARIABLE) or None
                self._touch(".listening")
            if self._path is None or not self._is_paused(self._path):
                return 0.0
            self._touch(".paused")
            if self._path is None:
                return 0.0
            while self._is_paused(self._path):
                time.sleep(_WAIT_S)
            try:
                os.unlink(self._path + ".paused")
            except OSError:
                pass
            return time.monotonic() - now

    def _touch(self, ending: str) -> None:
        if self._path is None:
            return
        try:
            file = open(self._path + ending, "w", encoding="ascii")
        except OSError:
            self._path = None  # nobody learns that we listen, so nobody waits for us
            return
        try:
            with file:
                file.write(f"{os.getpid()}\n")
        except OSError:
            pass  # a full disk; that the file is there says all


_control = Control()


def pause_point() -> float:
    """Between two steps of a training loop: stands still here while `heliograd run` pauses the job, and returns the seconds
    it stood still. The GPU's memory stays as it is. heliograd.torch.Steps calls it after each iteration."""
    return _control.point()
