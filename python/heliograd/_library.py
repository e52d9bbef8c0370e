"""Finds libheliograd.so and says what its functions take. Errors: LibraryError, one sentence."""
from __future__ import annotations

import ctypes
import json
import os
import shutil
from importlib import metadata
from pathlib import Path
from typing import Iterator, List, Optional
from urllib.parse import unquote, urlparse

NAME = "libheliograd.so"
ABI = 1
OK = 0


class LibraryError(Exception):
    """The library is absent or not of this version; the text says what to do."""


class Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("gpus", ctypes.c_char_p),
        ("output", ctypes.c_char_p),
        ("period_ms", ctypes.c_double),
        ("pin_cpu", ctypes.c_int),
        ("without_processor", ctypes.c_int),
    ]


class Energy(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("energy_j", ctypes.c_double),
        ("energy_low_j", ctypes.c_double),
        ("energy_high_j", ctypes.c_double),
        ("duration_s", ctypes.c_double),
        ("mean_power_w", ctypes.c_double),
        ("peak_power_w", ctypes.c_double),
        ("gain_half_width", ctypes.c_double),
        ("samples", ctypes.c_int64),
        ("resolved", ctypes.c_int),
    ]


def _checkout() -> Iterator[Path]:
    """The build folder of the checkout that the package lies in, or was installed from by `pip install ./python`."""
    yield Path(__file__).resolve().parents[2] / "build" / NAME
    try:
        origin = metadata.distribution("heliograd").read_text("direct_url.json")
        url = urlparse(json.loads(origin)["url"]) if origin else None
    except (metadata.PackageNotFoundError, ValueError, KeyError, OSError):
        return
    if url is not None and url.scheme == "file":
        yield Path(unquote(url.path)).resolve().parent / "build" / NAME


def places() -> List[Path]:
    """Where the library may lie, in the order in which it is looked for; the system's loader is asked after them."""
    found = [Path(__file__).resolve().parent / NAME]
    program = shutil.which("heliograd")
    if program:
        folder = Path(program).resolve().parent
        found += [folder / NAME, folder.parent / "lib" / NAME, folder.parent / "lib64" / NAME]
        found += sorted(folder.parent.glob(f"lib/*-linux-gnu*/{NAME}"))
    found += _checkout()
    return list(dict.fromkeys(found))


def find() -> str:
    """The library's path, or its bare name for the system's loader."""
    named = os.environ.get("HELIOGRAD_LIBRARY")
    if named:
        if not Path(named).is_file():
            raise LibraryError(f"HELIOGRAD_LIBRARY names {named!r}, which is no file: name {NAME} or unset the variable")
        return named
    for place in places():
        if place.is_file():
            return str(place)
    return NAME


def _open(path: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        if path != NAME:
            raise LibraryError(f"{path} cannot be loaded: {error}") from None
        looked = ", ".join(map(str, places()))
        raise LibraryError(
            f"{NAME} was not found: looked at HELIOGRAD_LIBRARY (not set), {looked}, and asked the system's loader; "
            "build it with `make build` in heliograd's checkout, then set HELIOGRAD_LIBRARY to build/" + NAME
        ) from None


class Library:
    """The functions of heliograd.h. What returns at once keeps the interpreter's lock: giving it up costs more than the
    call, and no thread then closes a meter between reading its pointer and using it. What waits gives the lock up."""

    def __init__(self, path: str) -> None:
        waiting = _open(path)
        quick = ctypes.PyDLL(path)
        if not hasattr(waiting, "heliograd_abi") or waiting.heliograd_abi() != ABI or not hasattr(waiting, "heliograd_depth"):
            raise LibraryError(f"{path} belongs to another version of heliograd than this package: build it again with `make build`")
        meter, number, text = ctypes.c_void_p, ctypes.c_int64, ctypes.c_char_p

        self.path = path
        self.version = self._declare(quick, "version", text)
        self.last_error = self._declare(quick, "last_error", text)
        self.open = self._declare(waiting, "open", ctypes.c_int, ctypes.POINTER(Options), ctypes.POINTER(meter))
        self.close = self._declare(waiting, "close", ctypes.c_int, meter)
        self.now = self._declare(quick, "now", number, meter)
        self.begin = self._declare(quick, "begin", number, meter, text)
        self.end = self._declare(quick, "end", ctypes.c_int, meter, number)
        self.add = self._declare(quick, "add", number, meter, text, number, number, ctypes.c_int)
        self.depth = self._declare(quick, "depth", ctypes.c_int, meter)
        self.rest = self._declare(waiting, "rest", ctypes.c_double, meter, ctypes.c_double)
        self.device_count = self._declare(quick, "device_count", ctypes.c_int, meter)
        self.device_name = self._declare(quick, "device_name", text, meter, ctypes.c_int)
        self.device_uuid = self._declare(quick, "device_uuid", text, meter, ctypes.c_int)
        self.window_energy = self._declare(
            waiting, "window_energy", ctypes.c_int, meter, number, ctypes.c_int, ctypes.POINTER(Energy))
        self.summary = self._declare(waiting, "summary", ctypes.c_void_p, meter)
        self.free = self._declare(quick, "free", None, ctypes.c_void_p)

    @staticmethod
    def _declare(library: ctypes.CDLL, name: str, returns: Optional[type], *takes: type) -> "ctypes._NamedFuncPointer":
        function = library["heliograd_" + name]
        function.restype = returns
        function.argtypes = list(takes)
        return function

    def why(self) -> str:
        """Why the last call on this thread failed."""
        text = self.last_error() or b""
        return bytes(text).decode("utf-8", "replace") or "no reason was given"


_loaded: Optional[Library] = None


def load() -> Library:
    """The library, opened once."""
    global _loaded
    if _loaded is None:
        _loaded = Library(find())
    return _loaded
