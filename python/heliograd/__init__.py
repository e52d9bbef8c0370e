"""Joules of the parts of a program.

    import heliograd
    with heliograd.window("epoch") as w:
        train()
    print(w.energy_j, w.interval)

heliograd.torch marks the steps of a training loop, heliograd.huggingface and heliograd.lightning bring callbacks. Where
measuring is not possible, there is one warning and everything goes on without effect.
"""
from heliograd._control import pause_point
from heliograd._default import begin, close, configure, default_meter, end, measured, rest, summary, window
from heliograd._energy import Device, DeviceEnergy, LevelSummary, NameEnergy, NameSummary, Summary
from heliograd._macs import LayerMacs, Macs, macs
from heliograd._meter import Error, Meter, Window
from heliograd._progress import progress

__version__ = "0.1.0"
__all__ = [
    "Device", "DeviceEnergy", "Error", "LayerMacs", "LevelSummary", "Macs", "Meter", "NameEnergy", "NameSummary", "Summary", "Window", "begin",
    "close", "configure", "default_meter", "end", "macs", "measured", "pause_point", "progress", "rest", "summary", "window",
]
