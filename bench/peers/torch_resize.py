"""PyTorch as a contender: a batch of 128 images of 3x32x32 bytes, normalised, then interpolated to 224x224, one thread.

    torch_resize.py      a request is how many batches to make
"""
from answer import Stopwatch, answer_requests, decline

try:
    import torch
except ImportError as error:
    decline(f"PyTorch is not installed ({error})")

torch.set_num_threads(1)
torch.manual_seed(1)
pixels = torch.randint(0, 256, (128, 3, 32, 32), dtype=torch.uint8)
mean = torch.tensor([0.5071, 0.4865, 0.4409]).reshape(1, 3, 1, 1)
result = torch.empty(128, 3, 224, 224)
deviation = torch.tensor([0.2673, 0.2564, 0.2762]).reshape(1, 3, 1, 1)


def answer(request):
    times_ms, cpu_times_ms = [], []
    for _ in range(int(request)):
        watch = Stopwatch()
        small = (pixels.float() / 255 - mean) / deviation
        torch._C._nn.upsample_bilinear2d(small, [224, 224], False, out=result)  # what interpolate calls
        times_ms.append(watch.ms())
        cpu_times_ms.append(watch.cpu_ms())
    return {"times_ms": times_ms, "cpu_times_ms": cpu_times_ms}


answer_requests(f"PyTorch {torch.__version__} interpolate", answer)
