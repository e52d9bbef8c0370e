"""A callback for Lightning: `Trainer(callbacks=[heliograd.lightning.EnergyCallback()])`."""
from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, List, Optional

from heliograd._callbacks import Training, harmless
from heliograd._meter import Meter
from heliograd._progress import progress
from heliograd.torch import BACKWARD, EVALUATION, FORWARD, OPTIMIZER

# The same library has two names, and a callback must be of the one that the program uses.
if TYPE_CHECKING or "pytorch_lightning" not in sys.modules or "lightning.pytorch" in sys.modules:
    from lightning.pytorch import Callback, LightningModule, Trainer
else:
    from pytorch_lightning import Callback, LightningModule, Trainer

__all__ = ["EnergyCallback"]


class EnergyCallback(Training, Callback):
    """Windows "train" and, within it, forward (training_step with the loss), backward, optimizer (from the end of
    backward, clipping included) and evaluation (each validation batch). Batches are moved before a callback hears of
    them. With manual optimization forward is all of training_step. Measures on the first process of a machine;
    `summary` holds the energies after training, print_summary prints them. Tells `heliograd curve` the steps done."""

    def __init__(self, meter: Optional[Meter] = None, dither: float = 0.05, print_summary: bool = True) -> None:
        super().__init__(meter, dither, print_summary)
        self._handles: List[Any] = []
        self._open: Optional[Any] = None

    # One step at a time: the next one's begin is the end of the one before.
    def _switch(self, name: Optional[str]) -> None:
        if self._open is not None:
            self._open.__exit__(None, None, None)
        self._open = None
        if self._steps is not None and name is not None:
            self._open = self._steps.step(name)
            self._open.__enter__()

    @harmless
    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop()
        if trainer.local_rank == 0:
            self._start(device=pl_module.device)
            for optimizer in trainer.optimizers:
                optimizer = getattr(optimizer, "optimizer", optimizer)
                self._handles.append(optimizer.register_step_post_hook(lambda *_: self._switch(None)))

    @harmless
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._switch(FORWARD)

    @harmless
    def on_before_zero_grad(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        if pl_module.automatic_optimization:
            self._switch(None)

    @harmless
    def on_before_backward(self, trainer: Trainer, pl_module: LightningModule, loss: Any) -> None:
        if pl_module.automatic_optimization:
            self._switch(BACKWARD)

    @harmless
    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if pl_module.automatic_optimization:
            self._switch(None)

    @harmless
    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        if pl_module.automatic_optimization:
            self._switch(OPTIMIZER)

    @harmless
    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        self._switch(None)
        if trainer.is_global_zero:
            progress(trainer.global_step)

    @harmless
    def on_validation_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int,
                                  dataloader_idx: int = 0) -> None:
        self._switch(EVALUATION)

    @harmless
    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int,
                                dataloader_idx: int = 0) -> None:
        self._switch(None)

    @harmless
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._finish()

    @harmless
    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._finish()

    def _stop(self) -> None:
        self._switch(None)
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        super()._stop()
