"""The callbacks in the real Trainers of transformers and Lightning."""
import io
import logging
import os
import unittest
import warnings
from contextlib import redirect_stdout

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
warnings.simplefilter("ignore")

import heliograd
import lightning.pytorch
import torch
import transformers
from heliograd import huggingface, lightning as of_heliograd
from simulated import Added, SimulatedTest


for name in ("lightning.pytorch", "lightning.fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)


class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 16

    def __getitem__(self, row):
        return {"x": torch.full((8,), float(row % 2)), "labels": torch.tensor(row % 2)}


class CallbacksTest(SimulatedTest):
    def setUp(self):
        super().setUp()
        self.used = self.meter()
        self.added = Added(self.used)

    def pipe(self):
        """What progress tells, when called."""
        read, write = os.pipe()
        os.environ["HELIOGRAD_PROGRESS_FD"] = str(write)
        self.addCleanup(os.environ.pop, "HELIOGRAD_PROGRESS_FD", None)
        heliograd._progress._progress = heliograd._progress.Progress()

        def told():
            del os.environ["HELIOGRAD_PROGRESS_FD"]
            os.close(write)
            with os.fdopen(read) as pipe:
                return [int(line) for line in pipe.read().split()]

        return told


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(8, 2)

    def forward(self, x, labels):
        logits = self.layer(x)
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


class HuggingFace(CallbacksTest):
    def train(self, callback, model=None, **options):
        arguments = transformers.TrainingArguments(
            output_dir=str(self.folder / "out"), max_steps=4, per_device_train_batch_size=2, report_to=[], disable_tqdm=True,
            save_strategy="no", logging_strategy="no", use_cpu=True, dataloader_pin_memory=False, **options)
        data = Rows()
        transformers.Trainer(model or Classifier(), arguments, train_dataset=data, eval_dataset=data, callbacks=[callback]).train()

    def test_a_training_is_marked_step_by_step(self):
        told = self.pipe()
        callback = huggingface.EnergyCallback(meter=self.used)
        with redirect_stdout(io.StringIO()) as printed:
            self.train(callback, gradient_accumulation_steps=2)
        self.assertEqual(self.added.names, (["forward", "backward"] * 2 + ["optimizer"]) * 4)
        self.assertEqual({window[3] for window in self.added.windows}, {1})
        self.assertEqual(callback.summary["train"].count, 1)
        self.assertEqual(callback.summary["forward"].count, 8)
        self.assertIn("RTX 4070", printed.getvalue())
        self.assertEqual(told(), [1, 2, 3, 4])

    def test_evaluation_is_set_apart(self):
        callback = huggingface.EnergyCallback(meter=self.used, print_summary=False, dither=0)
        self.train(callback, eval_strategy="steps", eval_steps=2, per_device_eval_batch_size=16)
        self.assertEqual(self.added.names.count("evaluation"), 2)
        self.assertEqual(self.added.names.count("forward"), 4)

    def test_a_training_that_fails_fails_by_itself_and_the_next_is_whole(self):
        class Failing(Classifier):
            def forward(self, x, labels):
                raise ValueError("mine")

        callback = huggingface.EnergyCallback(meter=self.used, print_summary=False)
        with self.assertRaisesRegex(ValueError, "mine"):
            self.train(callback, Failing())
        self.train(callback)
        self.assertEqual(callback.summary["forward"].count, 4)
        self.assertEqual(callback.summary["train"].count, 2)

    def test_without_a_meter_it_trains(self):
        meter, _ = self.quiet_meter(gpus=9)
        callback = huggingface.EnergyCallback(meter=meter, print_summary=False)
        self.train(callback)
        self.assertIn("nothing was measured", str(callback.summary))


class Module(lightning.pytorch.LightningModule):
    def __init__(self, manual=False, fails_at=None):
        super().__init__()
        self.layer = torch.nn.Linear(8, 2)
        self.automatic_optimization = not manual
        self.fails_at = fails_at

    def training_step(self, batch, place):
        if place == self.fails_at:
            raise ValueError("mine")
        loss = torch.nn.functional.cross_entropy(self.layer(batch["x"]), batch["labels"])
        if self.automatic_optimization:
            return loss
        self.optimizers().zero_grad()
        self.manual_backward(loss)
        self.optimizers().step()
        return None

    def validation_step(self, batch, place):
        self.layer(batch["x"])

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters())


class Lightning(CallbacksTest):
    def train(self, callback, module=None, **options):
        trainer = lightning.pytorch.Trainer(
            accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=[callback], default_root_dir=str(self.folder),
            **{"max_steps": 4, "limit_val_batches": 0, **options})
        rows = torch.utils.data.DataLoader(Rows(), batch_size=2)
        trainer.fit(module or Module(), rows, torch.utils.data.DataLoader(Rows(), batch_size=8))

    def test_a_training_is_marked_step_by_step(self):
        told = self.pipe()
        callback = of_heliograd.EnergyCallback(meter=self.used)
        with redirect_stdout(io.StringIO()) as printed:
            self.train(callback)
        self.assertEqual(self.added.names, ["forward", "backward", "optimizer"] * 4)
        self.assertEqual({window[3] for window in self.added.windows}, {1})
        self.assertEqual(callback.summary["train"].count, 1)
        self.assertIn("RTX 4070", printed.getvalue())
        self.assertEqual(told(), [1, 2, 3, 4])

    def test_accumulated_gradients_and_validation(self):
        callback = of_heliograd.EnergyCallback(meter=self.used, print_summary=False, dither=0)
        self.train(callback, accumulate_grad_batches=2, max_steps=-1, max_epochs=1, limit_val_batches=2, num_sanity_val_steps=0)
        self.assertEqual(self.added.names, ["forward", "backward", "forward", "backward", "optimizer"] * 4 + ["evaluation"] * 2)

    def test_manual_optimization_is_one_step(self):
        callback = of_heliograd.EnergyCallback(meter=self.used, print_summary=False)
        self.train(callback, Module(manual=True))
        self.assertEqual(self.added.names, ["forward"] * 4)

    def test_an_exception_ends_measuring_with_what_is_known(self):
        callback = of_heliograd.EnergyCallback(meter=self.used, print_summary=False)
        with self.assertRaisesRegex(ValueError, "mine"):
            self.train(callback, Module(fails_at=2))
        self.assertEqual(callback.summary["backward"].count, 2)
        self.assertEqual(callback.summary["train"].count, 1)
        self.train(callback)
        self.assertEqual(callback.summary["train"].count, 2)

    def test_without_a_meter_it_trains(self):
        meter, _ = self.quiet_meter(gpus=9)
        callback = of_heliograd.EnergyCallback(meter=meter, print_summary=False)
        self.train(callback)
        self.assertIn("nothing was measured", str(callback.summary))


if __name__ == "__main__":
    unittest.main()
