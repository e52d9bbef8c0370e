"""A callback for Lightning: `Trainer(callbacks=[heliograd.lightning.EnergyCallback()])`."""
from __future__ import annotations

from typing import Any, List, Optional

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError:
    from pytorch_lightning import Callback, LightningModule, Trainer  # type: ignore[no-redef,import-not-found]

from heliograd._default import default_meter
from heliograd._energy import Summary
from heliograd._meter import Meter, Window
from heliograd._progress import progress
from heliograd.torch import BACKWARD, EVALUATION, FORWARD, OPTIMIZER, Steps

__all__ = ["EnergyCallback"]


class EnergyCallback(Callback):
    """Windows "train" and, within it, forward (training_step with the loss), backward, optimizer (from the end of
    backward, clipping included) and evaluation (each validation batch). Batches are moved before a callback hears of
    them. With manual optimization forward is all of training_step. Measures on the first process of a machine;
    `summary` holds the energies after training, print_summary prints them. Tells `heliograd curve` the steps done."""

    def __init__(self, meter: Optional[Meter] = None, dither: float = 0.05, print_summary: bool = True) -> None:
        self.summary: Optional[Summary] = None
        self._meter, self._dither, self._prints = meter, dither, print_summary
        self._steps: Optional[Steps] = None
        self._train: Optional[Window] = None
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

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end()
        if trainer.local_rank == 0:
            meter = self._meter or default_meter()
            self._train = meter.begin("train")
            self._steps = Steps(dither=self._dither, meter=meter, device=pl_module.device)
            for optimizer in trainer.optimizers:
                optimizer = getattr(optimizer, "optimizer", optimizer)
                self._handles.append(optimizer.register_step_post_hook(lambda *_: self._switch(None)))

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._switch(FORWARD)

    def on_before_zero_grad(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        if pl_module.automatic_optimization:
            self._switch(None)

    def on_before_backward(self, trainer: Trainer, pl_module: LightningModule, loss: Any) -> None:
        if pl_module.automatic_optimization:
            self._switch(BACKWARD)

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if pl_module.automatic_optimization:
            self._switch(None)

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        if pl_module.automatic_optimization:
            self._switch(OPTIMIZER)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int) -> None:
        self._switch(None)
        if trainer.is_global_zero:
            progress(trainer.global_step)

    def on_validation_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int,
                                  dataloader_idx: int = 0) -> None:
        self._switch(EVALUATION)

    def on_validation_batch_end(self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int,
                                dataloader_idx: int = 0) -> None:
        self._switch(None)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._finish()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._finish()

    def _finish(self) -> None:
        steps = self._steps
        self._end()
        if steps is not None:
            self.summary = steps.summary()
            if self._prints:
                print(self.summary)

    def _end(self) -> None:
        self._switch(None)
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        if self._steps is not None and self._train is not None:
            self._steps.remove()
            self._train.end()
        self._steps = self._train = None
