"""The five steps of a PyTorch training loop as windows: to device, forward, loss, backward, optimizer.

    steps = Steps(model, optimizer, loss=criterion)
    for x, y in steps.batches(loader, device):
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()
    print(steps.summary())
"""
from __future__ import annotations

import threading
from collections import deque
from types import TracebackType
from typing import Any, Callable, Deque, Iterable, Iterator, List, Optional, Sequence, Type, Union

import torch

from heliograd._clocks import Clock, CudaClock, HostClock
from heliograd._control import pause_point
from heliograd._default import default_meter
from heliograd._energy import Summary
from heliograd._meter import Meter

__all__ = ["BACKWARD", "EVALUATION", "FORWARD", "LOSS", "OPTIMIZER", "TO_DEVICE", "Steps"]

TO_DEVICE, FORWARD, LOSS, BACKWARD, OPTIMIZER = "to device", "forward", "loss", "backward", "optimizer"
EVALUATION = "evaluation"  # forward and loss without gradients
_MOST_OUTPUTS = 64  # tensors of a model's output whose gradient is watched

Optimizers = Union[torch.optim.Optimizer, Sequence[torch.optim.Optimizer], None]


class _Open:
    """A step that has begun."""

    __slots__ = ("begin", "calls", "depth", "explicit", "marks", "name")

    def __init__(self, name: str, begin: Any, depth: int, explicit: bool, marks: int) -> None:
        self.name, self.begin, self.depth, self.explicit = name, begin, depth, explicit
        self.marks = marks  # made before it
        self.calls = 1  # of the hook: a subclass's step calls the step of its base, and both have hooks


class _Done:
    __slots__ = ("begin", "depth", "end", "name")

    def __init__(self, step: _Open, end: Any) -> None:
        self.name, self.begin, self.depth, self.end = step.name, step.begin, step.depth, end


class Steps:
    """Marks the steps of a training by hooks, and rests after each iteration so that a slow sensor can tell them apart.

    forward: hooks before and after the model. loss: the same at `loss`, a module; with a function instead,
    `with steps.loss():`. backward: from the first gradient at the loss (or, where only the model is known, at its
    output) until autograd is done. optimizer: hooks before and after its step. to device: `steps.batches` or
    `with steps.to_device():`. Each step may be marked by a context of its own instead, which counts over the hooks.

    On a CUDA device times are the device's own, by events that nothing waits for. dither: share of the time to rest, 0
    for none; on CUDA every eighth iteration waits for the device to be idle and rests then. Passes without gradients
    count as "evaluation". device: where it is computed, if not on the device of the model's first parameter. Call summary() on the thread that trains.
    """

    def __init__(self, model: Optional[torch.nn.Module] = None, optimizer: Optimizers = None, loss: Optional[torch.nn.Module] = None, *,
                 dither: float = 0.05, meter: Optional[Meter] = None, device: Union[torch.device, str, None] = None,
                 clock: Optional[Clock] = None) -> None:
        self._meter = default_meter() if meter is None else meter
        self._model, self._device, self._dither, self._clock = model, device, dither, clock
        self._thread: Optional[int] = None  # that trains
        self._depth = 0
        self._has_loss = loss is not None
        self._trains = True  # the latest pass through the model
        self._open: List[_Open] = []
        self._done: Deque[_Done] = deque()
        self._iterations = 0
        self._marks = 0
        self._handles: List[Any] = []
        self._meter._before_reading(self._flush)
        try:
            self._attach(model, optimizer, loss)
        except Exception as error:
            self._give_up(error)

    def _attach(self, model: Optional[torch.nn.Module], optimizer: Optimizers, loss: Optional[torch.nn.Module]) -> None:
        if not self._meter.measuring:
            return
        for module, name in ((model, FORWARD), (loss, LOSS)):
            if module is not None:
                self._handles.append(module.register_forward_pre_hook(_Hook(self, Steps._module_begins, name)))
                self._handles.append(module.register_forward_hook(_Hook(self, Steps._module_ends, name)))
        optimizers = [] if optimizer is None else [optimizer] if isinstance(optimizer, torch.optim.Optimizer) else list(optimizer)
        for place, one in enumerate(optimizers):
            one = getattr(one, "optimizer", one)  # Accelerate wraps it
            is_last = place == len(optimizers) - 1
            ends = Steps._last_optimizer_ends if is_last else Steps._optimizer_ends
            self._handles.append(one.register_step_pre_hook(_Hook(self, Steps._optimizer_begins, OPTIMIZER)))
            self._handles.append(one.register_step_post_hook(_Hook(self, ends, OPTIMIZER)))

    # --- what users call ---

    def batches(self, loader: Iterable[Any], device: Union[torch.device, str]) -> _Batches:
        """The loader's batches, moved to the device; the moving is the step "to device"."""
        return _Batches(self, loader, device)

    def to_device(self) -> _Step:
        return _Step(self, TO_DEVICE)

    def forward(self) -> _Step:
        return _Step(self, FORWARD)

    def loss(self) -> _Step:
        return _Step(self, LOSS)

    def backward(self) -> _Step:
        return _Step(self, BACKWARD)

    def optimizer(self) -> _Step:
        """Ends an iteration."""
        return _Step(self, OPTIMIZER)

    def step(self, name: str) -> _Step:
        """Any of them by its name, or one of your own."""
        return _Step(self, name)

    def watch(self, output: Any) -> Any:
        """Lets backward begin at this tensor's gradient: `loss = steps.watch(function(output, y))` where the loss is no
        module. Gives back what it was given."""
        if self._meter.measuring:
            for tensor in _tensors(output):
                if tensor.requires_grad:
                    tensor.register_hook(_Hook(self, Steps._gradient_arrives, BACKWARD))  # type: ignore[no-untyped-call]
        return output

    def summary(self) -> Summary:
        return self._meter.summary()

    def remove(self) -> None:
        """Takes the hooks away; what was marked stays."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._open.clear()
        self._flush()

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.remove()

    def __reduce__(self) -> Any:
        raise TypeError("heliograd's Steps belong to this process and cannot be pickled")

    # --- hooks ---

    def _module_begins(self, name: str, module: torch.nn.Module, _: Any) -> None:
        if self._is_elsewhere():
            return
        if name == FORWARD:
            if self._open:
                self._drop(BACKWARD)  # of an iteration that an exception ended
            self._trains = module.training
        self._begin(name if self._trains and torch.is_grad_enabled() else EVALUATION)

    def _module_ends(self, name: str, module: torch.nn.Module, _: Any, output: Any) -> None:
        if self._is_elsewhere():
            return
        trains = self._trains and torch.is_grad_enabled()
        self._end(name if trains else EVALUATION)
        if trains and (name == LOSS or not self._has_loss):
            self.watch(output)

    def _gradient_arrives(self, name: str, _: torch.Tensor) -> None:
        """On autograd's thread, which is another one on CUDA. The loss's gradient is the first of a pass."""
        if self._open and any(step.name == name for step in self._open):
            return
        self._begin(name)
        torch.autograd.Variable._execution_engine.queue_callback(_Hook(self, Steps._backward_ends, name))

    def _backward_ends(self, name: str) -> None:
        self._end(name)

    def _optimizer_begins(self, name: str, *_: Any) -> None:
        if self._is_elsewhere():
            return
        last = self._open[-1] if self._open else None
        if last is not None and last.name == name and not last.explicit and last.marks == self._marks:
            last.calls += 1
        else:
            self._begin(name)

    def _optimizer_ends(self, name: str, *_: Any) -> bool:
        if self._is_elsewhere():
            return False
        last = self._open[-1] if self._open else None
        if last is not None and last.name == name and last.calls > 1:
            last.calls -= 1
            return False
        self._end(name)
        return not self._open or not any(step.name == name for step in self._open)  # else a context marks it, and ends the iteration

    def _last_optimizer_ends(self, name: str, *_: Any) -> None:
        if self._optimizer_ends(name):
            self._iteration_ends()

    # --- marks ---

    def _is_elsewhere(self) -> bool:
        """Whether this is not the thread that trains, or torch.compile looks on."""
        if torch.compiler.is_compiling():
            return True
        here = threading.get_ident()
        if self._thread is None:
            self._thread = here
        return self._thread != here

    def _the_clock(self) -> Clock:
        if self._clock is None:
            self._clock = clock_for(self._where(), self._meter)
        return self._clock

    def _where(self) -> torch.device:
        """The device given, else the one of the model's first parameter."""
        if self._device is not None:
            return torch.device(self._device)
        parameter = None if self._model is None else next(self._model.parameters(), None)
        return torch.device("cpu") if parameter is None else parameter.device

    def _begin(self, name: str, explicit: bool = False) -> None:
        if self._meter._pointer is None:
            return
        if self._open:
            if not explicit and any(step.name == name and step.explicit for step in self._open):
                return  # marked by a context already
            self._drop(name)
        if threading.get_ident() == self._thread:
            self._depth = self._meter._depth()
        mark = (self._clock or self._the_clock()).mark()
        if mark is not None:
            self._marks += 1
            self._open.append(_Open(name, mark, self._depth + len(self._open), explicit, self._marks))

    def _end(self, name: str, explicit: bool = False) -> None:
        """Steps that began within it and did not end were ended by an exception: they are dropped."""
        for place in range(len(self._open) - 1, -1, -1):
            step = self._open[place]
            if step.name == name and step.explicit == explicit:
                mark = (self._clock or self._the_clock()).mark()
                del self._open[place:]
                if mark is not None:
                    self._done.append(_Done(step, mark))
                return

    def _drop(self, name: str) -> None:
        for place, step in enumerate(self._open):
            if step.name == name:
                del self._open[place:]
                return

    def _iteration_ends(self) -> None:
        pause_point()  # between two windows: a pause is part of none
        if not self._meter.measuring:
            return
        self._deliver()
        self._iterations += 1
        clock = self._the_clock()
        rests = self._dither > 0 and self._iterations % clock.rest_every == 0
        if not rests and not clock.wants_reference():
            return
        clock.wait()
        self._deliver()
        if clock.wants_reference():
            clock.refer()
        if rests:
            self._meter.rest(self._dither)

    def _deliver(self) -> None:
        """Hands what is told to the meter, on the thread that trains: the meter tells threads apart."""
        clock = self._the_clock()
        while self._done and clock.is_told(self._done[0].end):
            done = self._done.popleft()
            self._meter._add(done.name, clock.stamp(done.begin), clock.stamp(done.end), done.depth)

    def _flush(self) -> None:
        try:
            if self._done and self._meter.measuring and threading.get_ident() == self._thread:
                self._the_clock().wait()
                self._deliver()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Whatever goes wrong with measuring ends measuring alone."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._open.clear()
        self._done.clear()
        self._meter._failed(f"the steps are not marked any more: {error}")


class _Hook:
    """A hook that never raises, and that copies of its module do not have: a copied or saved model is not measured."""

    __slots__ = ("_method", "_name", "_steps")

    def __init__(self, steps: Steps, method: Callable[..., object], name: str) -> None:
        self._steps, self._method, self._name = steps, method, name

    def __call__(self, *arguments: Any) -> None:
        try:
            self._method(self._steps, self._name, *arguments)
        except Exception as error:
            self._steps._give_up(error)

    def __reduce__(self) -> Any:
        return (_NoHook, ())


class _NoHook:
    """What is left of a hook in a copy."""

    def __call__(self, *_: Any) -> None:
        return None


class _Step:
    """A step marked by a context."""

    __slots__ = ("_name", "_steps")

    def __init__(self, steps: Steps, name: str) -> None:
        self._steps, self._name = steps, name

    def __enter__(self) -> None:
        steps = self._steps
        try:
            if not steps._is_elsewhere():
                steps._begin(self._name, explicit=True)
        except Exception as error:
            steps._give_up(error)

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        steps = self._steps
        try:
            if not steps._is_elsewhere():
                steps._end(self._name, explicit=True)
                if self._name == OPTIMIZER and kind is None:
                    steps._iteration_ends()
        except Exception as problem:
            steps._give_up(problem)


class _Batches:
    def __init__(self, steps: Steps, loader: Iterable[Any], device: Union[torch.device, str]) -> None:
        self._steps, self._loader, self._device = steps, loader, device

    def __len__(self) -> int:
        return len(self._loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        for batch in self._loader:
            with self._steps.to_device():
                batch = _moved(batch, self._device)
            yield batch


def _moved(batch: Any, device: Union[torch.device, str]) -> Any:
    if isinstance(batch, torch.Tensor):
        return batch.to(device, non_blocking=batch.is_pinned() if batch.device.type == "cpu" else False)
    if isinstance(batch, dict):
        return type(batch)({key: _moved(value, device) for key, value in batch.items()})
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_moved(value, device) for value in batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(_moved(value, device) for value in batch)
    return batch.to(device) if hasattr(batch, "to") else batch


def _tensors(output: Any) -> List[torch.Tensor]:
    """The tensors of a model's output: a tensor, or what tuples, lists and dictionaries hold."""
    found: List[torch.Tensor] = []
    waiting = [output]
    while waiting and len(found) < _MOST_OUTPUTS:
        value = waiting.pop()
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
    return found


def clock_for(device: torch.device, meter: Meter) -> Clock:
    if device.type != "cuda":
        return HostClock(meter)
    return CudaClock(meter, lambda: torch.cuda.Event(enable_timing=True),  # type: ignore[no-untyped-call]
                     lambda: torch.cuda.synchronize(device), torch.cuda.is_current_stream_capturing)
