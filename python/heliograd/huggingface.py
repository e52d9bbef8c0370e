"""A callback for Hugging Face's Trainer: `Trainer(..., callbacks=[heliograd.huggingface.EnergyCallback()])`."""
from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from heliograd._callbacks import Training, harmless
from heliograd._progress import progress

__all__ = ["EnergyCallback"]


class EnergyCallback(Training, TrainerCallback):
    """Windows "train" and, within it, forward (with the loss, which the model works out), backward and optimizer; the
    Trainer tells a callback nothing of moving batches. Measures on the first process of a machine; `summary` holds the
    energies after training, print_summary prints them. Tells `heliograd curve` the steps done."""

    @harmless
    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        self._stop()  # of a training that an exception ended
        if state.is_local_process_zero:
            self._start(model=given.get("model"), optimizer=given.get("optimizer"))

    @harmless
    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        if state.is_world_process_zero:
            progress(state.global_step)

    @harmless
    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any) -> None:
        self._finish()
