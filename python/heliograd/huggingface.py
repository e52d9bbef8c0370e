"""A callback for Hugging Face's Trainer: `Trainer(..., callbacks=[heliograd.huggingface.EnergyCallback()])`."""
from __future__ import annotations

from typing import Any, Optional

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from heliograd._default import default_meter
from heliograd._energy import Summary
from heliograd._meter import Meter, Window
from heliograd._progress import progress
from heliograd.torch import Steps

__all__ = ["EnergyCallback"]


class EnergyCallback(TrainerCallback):  # type: ignore[misc]
    """Windows "train" and, within it, forward (with the loss, which the model works out), backward and optimizer. The
    Trainer tells a callback nothing of moving batches. Measures on the first process of a machine; `summary` holds the
    energies after training, print_summary prints them. Tells `heliograd curve` the steps done."""

    def __init__(self, meter: Optional[Meter] = None, dither: float = 0.05, print_summary: bool = True) -> None:
        self.summary: Optional[Summary] = None
        self._meter, self._dither, self._prints = meter, dither, print_summary
        self._steps: Optional[Steps] = None
        self._train: Optional[Window] = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        self._end()  # of a training that an exception ended
        if not state.is_local_process_zero:
            return
        meter = self._meter or default_meter()
        self._train = meter.begin("train")
        self._steps = Steps(given.get("model"), given.get("optimizer"), dither=self._dither, meter=meter)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        if state.is_world_process_zero:
            progress(state.global_step)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        steps = self._steps
        self._end()
        if steps is not None:
            self.summary = steps.summary()
            if self._prints:
                print(self.summary)

    def _end(self) -> None:
        if self._steps is not None and self._train is not None:
            self._steps.remove()
            self._train.end()
        self._steps = self._train = None
