"""ptflops, fvcore and heliograd's own Python counter as contenders: MACs of the networks of data/models/models_ref.py.

    network_macs.py ptflops|fvcore|heliograd      a request is a network's name; only the counting is timed

PyTorch is that of .venv-python (`make profile` installs it).
"""
import glob
import logging
import os
import pathlib
import sys
import warnings

from answer import Stopwatch, answer_requests, decline

ROOT = pathlib.Path(__file__).parents[2]
os.environ["HELIOGRAD_SOURCE_DIR"] = str(ROOT)
sys.path += [str(ROOT / "tests" / "torch"), str(ROOT / "python"), *glob.glob(str(ROOT / ".venv-python/lib/python3*/site-packages"))]
try:
    import torch
except ImportError as error:
    decline(f"PyTorch is not installed ({error}): make profile")

from definitions import make  # noqa: E402

IMAGE = (3, 224, 224)


def with_ptflops():
    import ptflops

    def count(network):
        macs, parameters = ptflops.get_model_complexity_info(network, IMAGE, as_strings=False, print_per_layer_stat=False,
                                                             backend="pytorch", verbose=False)
        return macs, parameters

    return f"ptflops {version('ptflops')}", count


def with_fvcore():
    from fvcore.nn import FlopCountAnalysis, parameter_count

    def count(network):
        analysis = FlopCountAnalysis(network.eval(), torch.rand(1, *IMAGE))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        return analysis.total(), parameter_count(network)[""]

    return f"fvcore {version('fvcore')}", count


def with_heliograd():
    import heliograd

    def count(network):
        found = heliograd.macs(network, (1, *IMAGE))
        return found.macs, found.parameters

    return "heliograd.macs (Python)", count


def version(package):
    from importlib.metadata import version as of
    return of(package)


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    try:
        name, count = {"ptflops": with_ptflops, "fvcore": with_fvcore, "heliograd": with_heliograd}[sys.argv[1]]()
    except ImportError as error:
        decline(f"{sys.argv[1]} is not installed ({error})")
    networks = {}

    def answer(request):
        if request not in networks:
            networks.clear()  # the largest take half a gigabyte each
            networks[request] = make(request, 3, 100).eval()
        watch = Stopwatch()
        macs, parameters = count(networks[request])
        return {"wall_ms": watch.ms(), "cpu_ms": watch.cpu_ms(), "macs": int(macs), "parameters": int(parameters)}

    answer_requests(name, answer)


main()
