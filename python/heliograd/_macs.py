"""Multiply-accumulates of a PyTorch module, counted from the sizes that its operators are called with."""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

from heliograd._meter import Error

if TYPE_CHECKING:
    import torch

__all__ = ["LayerMacs", "Macs", "macs"]


@dataclass(frozen=True)
class LayerMacs:
    """What one module did itself, without its children; "" is the module that was asked about."""

    name: str
    kind: str
    convolution_linear: int = 0
    attention: int = 0
    bias: int = 0

    @property
    def macs(self) -> int:
        return self.convolution_linear + self.attention


@dataclass(frozen=True)
class Macs:
    """One forward pass over the whole input. A MAC is one multiplication with one addition."""

    convolution_linear: int  # products with a parameter, without bias
    attention: int  # products between activations
    bias: int  # additions of a bias
    parameters: int
    layers: Tuple[LayerMacs, ...]  # that did any of it, in the order in which they ran first

    @property
    def macs(self) -> int:
        return self.convolution_linear + self.attention


class _Tally:
    """Counts per module. Operators that are counted as a whole are not looked into."""

    def __init__(self) -> None:
        self.counts: Dict[str, List[int]] = {}
        self.path: List[str] = [""]
        self.inside = 0
        self.storages: Set[int] = set()

    def is_parameter(self, tensor: Any) -> bool:
        return tensor.untyped_storage()._cdata in self.storages

    def add(self, macs: int, bias: int, *operands: Any) -> None:
        if self.inside:
            return
        count = self.counts.setdefault(self.path[-1], [0, 0, 0])
        count[0 if any(self.is_parameter(operand) for operand in operands) else 1] += macs
        count[2] += bias


# Their products are out of sight.
_HIDDEN = ("_native_multi_head_attention", "_transformer_encoder_layer_fwd", "mkldnn_rnn_layer", "_cudnn_rnn", "miopen_rnn",
           "_thnn_fused_lstm_cell", "_thnn_fused_gru_cell")


def _count_operator(tally: _Tally, name: str, args: Sequence[Any], output: Any) -> None:
    """One operator of ATen, below autograd."""
    if name in ("convolution", "_convolution"):
        x, weight, bias, transposed = args[0], args[1], args[2], args[6]
        # Each output element (transposed: input element) meets one filter, which is a row of the weight.
        positions = x.numel() if transposed else output.numel()
        tally.add(positions * (weight.numel() // max(1, weight.shape[0])), output.numel() if bias is not None else 0, weight)
    elif name in ("mm", "bmm", "mv", "dot"):
        tally.add(output.numel() * args[0].shape[-1], 0, args[0], args[1])
    elif name in ("addmm", "baddbmm", "addmv"):
        tally.add(output.numel() * args[1].shape[-1], output.numel(), args[1], args[2])
    elif name.startswith("_scaled_dot_product_") and not name.endswith("backward"):
        q, k, v = args[:3]
        tally.add(q.numel() // max(1, q.shape[-1]) * k.shape[-2] * (q.shape[-1] + v.shape[-1]), 0, q, k)
    elif name in _HIDDEN or name.startswith("quantized"):
        raise Error(f"operator aten::{name} does its products out of sight: they cannot be counted from sizes")


def _modes(tally: _Tally) -> Iterator[Any]:
    import torch
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    class Functions(TorchFunctionMode):
        """Linear layers, whose bias operators may add elsewhere."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is not torch.nn.functional.linear:
                return func(*args, **(kwargs or {}))
            named = dict(zip(("input", "weight", "bias"), args), **(kwargs or {}))
            tally.inside += 1
            try:
                output = func(*args, **(kwargs or {}))
            finally:
                tally.inside -= 1
            bias = output.numel() if named.get("bias") is not None else 0
            tally.add(output.numel() * named["weight"].shape[-1], bias, named["weight"], named["input"])
            return output

    class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            output = func(*args, **(kwargs or {}))
            _count_operator(tally, func.overloadpacket.__name__, args, output)
            return output

    yield Functions()
    yield Operators()  # type: ignore[no-untyped-call]


def _follow(module: torch.nn.Module, tally: _Tally) -> List[Any]:
    """Hooks that keep the path to the module that runs."""
    handles: List[Any] = []

    def enter(name: str) -> Any:
        return lambda *_: tally.path.append(name)

    def leave(*_: Any) -> None:
        tally.path.pop()

    for name, child in module.named_modules():
        handles.append(child.register_forward_pre_hook(enter(name)))
        handles.append(child.register_forward_hook(leave))
    return handles


def macs(module: torch.nn.Module, input_shape: Union[Sequence[int], torch.Tensor], *, training: bool = False,
         device: Optional[str] = "meta") -> Macs:
    """Counts one forward pass of `module` over one input of `input_shape`, the batch first (or over a tensor, whose type
    then counts). By default nothing is computed: the pass runs on PyTorch's meta device with copies of the parameters'
    sizes, and the module is left as it is. A module whose pass looks at values needs device=None, where it runs for real
    on the device of its first parameter, in eval mode. training=True counts what runs in training (auxiliary heads); meta
    only. Compiled modules are counted uncompiled. Raises heliograd.Error where an operator hides its products.
    """
    import torch

    if training and device != "meta":
        raise Error("training=True needs device=\"meta\": a real pass in training would change running statistics")
    module = getattr(module, "_orig_mod", module)
    tensors: Dict[str, torch.Tensor] = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    tally = _Tally()
    if device == "meta":
        tensors = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}
        place = torch.device("meta")
    else:
        first = next(iter(tensors.values()), None)
        place = torch.device(device) if device is not None else torch.device("cpu") if first is None else first.device
    tally.storages = {tensor.untyped_storage()._cdata for tensor in tensors.values()}
    sample = input_shape.to(place) if isinstance(input_shape, torch.Tensor) else torch.zeros(tuple(input_shape), device=place)
    _run(module, tensors if device == "meta" else {}, sample, training, tally)
    kinds = {name: type(child).__name__ for name, child in module.named_modules()}
    layers = tuple(LayerMacs(name, kinds[name], *count) for name, count in tally.counts.items() if any(count))
    return Macs(sum(layer.convolution_linear for layer in layers), sum(layer.attention for layer in layers),
                sum(layer.bias for layer in layers), sum(parameter.numel() for parameter in module.parameters()), layers)


def _run(module: torch.nn.Module, tensors: Dict[str, torch.Tensor], sample: torch.Tensor, training: bool, tally: _Tally) -> None:
    import torch

    modes = {child: child.training for child in module.modules()}
    fused = torch.backends.mha.get_fastpath_enabled()
    handles = _follow(module, tally)
    module.train(training)
    torch.backends.mha.set_fastpath_enabled(False)
    functions, operators = _modes(tally)
    try:
        with torch.no_grad(), functions, operators:
            torch.func.functional_call(module, tensors, (sample,))
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        for child, mode in modes.items():
            child.training = mode
        for handle in handles:
            handle.remove()
