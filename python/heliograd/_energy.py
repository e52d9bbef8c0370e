"""What a meter found out, as frozen dataclasses. Energies are measured; None where nothing can be said, with the reason.
All intervals are of 95 %, the sensor's gain included."""
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

Interval = Tuple[float, float]


@dataclass(frozen=True)
class DeviceEnergy:
    """One window on one device."""

    uuid: str
    name: str
    energy_j: Optional[float]
    interval: Optional[Interval]
    duration_s: float
    mean_power_w: Optional[float]
    peak_power_w: Optional[float]
    gain_half_width: float  # relative: one factor, the same in all energies of a device; ratios are free of it
    samples: int  # values that the sensor put out within the window
    resolved: bool
    reason: str  # why it is not resolved; empty where it is


@dataclass(frozen=True)
class Device:
    uuid: str
    name: str
    driver: str


@dataclass(frozen=True)
class NameEnergy:
    """All windows of one name, on one device."""

    device: Device
    method: Optional[str]  # "each window", "repeated phases"; None where nothing could be worked out
    identifiable: bool
    energy_j: Optional[float]  # of all windows together
    interval: Optional[Interval]
    energy_j_each: Optional[float]
    share: Optional[float]  # of an iteration's energy
    share_interval: Optional[Interval]
    reason: str


@dataclass(frozen=True)
class NameSummary:
    name: str
    depth: int  # 0 is outermost
    count: int
    duration_s: float
    devices: Tuple[NameEnergy, ...]

    @property
    def energy_j(self) -> Optional[float]:
        """Over all devices; None where one of them is not known."""
        known = [entry.energy_j for entry in self.devices if entry.energy_j is not None and entry.identifiable]
        return sum(known) if known and len(known) == len(self.devices) else None


@dataclass(frozen=True)
class LevelSummary:
    """The windows of one depth that were estimated together, on one device."""

    device: Device
    depth: int
    iterations: float
    iteration_j: Optional[float]
    iteration_interval: Optional[Interval]
    other_j: Optional[float]  # of an iteration, in no window
    sleep_j: Optional[float]
    closure_percent: Optional[float]  # the sum against the counter or the mean reading
    closure_tells: bool  # false where they agree by construction
    refusal: str


@dataclass(frozen=True)
class Summary:
    """All windows of a meter. `str` gives a table."""

    devices: Tuple[Device, ...]
    names: Tuple[NameSummary, ...]
    levels: Tuple[LevelSummary, ...]
    notes: Tuple[str, ...]

    def __getitem__(self, name: str) -> NameSummary:
        for entry in self.names:
            if entry.name == name:
                return entry
        raise KeyError(f"there is no window {name!r}; there are {', '.join(sorted({entry.name for entry in self.names})) or 'none'}")

    def __contains__(self, name: object) -> bool:
        return any(entry.name == name for entry in self.names)

    def __str__(self) -> str:
        return "\n".join(_table(self))


def both(low: Any, high: Any) -> Optional[Interval]:
    return None if low is None or high is None else (float(low), float(high))


def parse_summary(text: str) -> Summary:
    """The library's JSON (docs/windows.md)."""
    root: Dict[str, Any] = json.loads(text)
    devices = tuple(Device(entry["uuid"], entry["name"], entry["driver"]) for entry in root["devices"])
    names = tuple(
        NameSummary(
            entry["name"], entry["depth"], entry["count"], entry["duration_s"],
            tuple(
                NameEnergy(
                    devices[found["device"]], found["method"], found["identifiable"], found["energy_j"],
                    both(found["energy_low_j"], found["energy_high_j"]), found["energy_j_each"], found["share"],
                    both(found["share_low"], found["share_high"]), found["why"])
                for found in entry["devices"]))
        for entry in root["names"])
    levels = tuple(
        LevelSummary(
            devices[entry["device"]], entry["depth"], entry["iterations"], entry["iteration_j"],
            both(entry["iteration_low_j"], entry["iteration_high_j"]), entry["other_j"], entry["sleep_j"],
            entry["closure_percent"], entry["closure_tells"], entry["refusal"])
        for entry in root["levels"])
    return Summary(devices, names, levels, tuple(root["notes"]))


def _joules(value: Optional[float], interval: Optional[Interval]) -> str:
    if value is None:
        return "not known"
    if interval is None or value <= 0:
        return f"{value:.4g} J"
    return f"{value:.4g} J +- {50 * (interval[1] - interval[0]) / value:.1f} %"


def _row(entry: NameSummary, found: NameEnergy) -> Sequence[str]:
    share = "" if found.share is None or not found.identifiable else f"{100 * found.share:.1f} %"
    energy = _joules(found.energy_j, found.interval) if found.identifiable else "not known"
    each = "" if found.energy_j_each is None or not found.identifiable else f"{found.energy_j_each:.4g} J"
    return ("  " * entry.depth + entry.name, str(entry.count), f"{entry.duration_s:.3f} s", energy, each, share)


def _table(summary: Summary) -> List[str]:
    lines: List[str] = []
    for device in summary.devices:
        rows: List[Sequence[str]] = [("window", "count", "time", "energy (measured)", "each", "share")]
        why: List[str] = []
        for entry in summary.names:
            for found in entry.devices:
                if found.device == device:
                    rows.append(_row(entry, found))
                    if found.reason:
                        why.append(f"  {entry.name}: {found.reason}")
        lines.append(f"{device.name} ({device.uuid})")
        if len(rows) > 1:
            lines += _aligned(rows) + list(dict.fromkeys(why))
        else:
            lines.append("  no window was marked")
    lines += [f"note: {note}" for note in summary.notes]
    return lines


def _aligned(rows: Sequence[Sequence[str]]) -> List[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  " + "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))).rstrip()
        for row in rows]
