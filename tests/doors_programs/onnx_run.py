"""Runs ONNX files by one program, without nodeflow: `python onnx_run.py PROGRAM cases.json`.

A line a case: "=", then what was asked and the largest difference, or why the program refused.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np


def onnxruntime(file, given, names):
    import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(names, given), strict=True))


def openvino(file, given, names):
    import openvino

    compiled = openvino.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled(given)
    return {name: found[name] for name in names}


def opencv(file, given, names):
    import cv2

    network = cv2.dnn.readNetFromONNX(file)
    for name, value in given.items():
        network.setInput(value, name)
    return dict(zip(names, network.forward(names), strict=True))


def tract(file, given, names):
    import tract

    model = tract.onnx().load(file).into_model().into_runnable()
    found = model.run(list(given.values()))
    return dict(zip(names, (one.to_numpy() for one in found), strict=True))


def tinygrad(file, given, names):
    from tinygrad import Tensor
    from tinygrad.nn.onnx import OnnxRunner

    found = OnnxRunner(file)({name: Tensor(value) for name, value in given.items()})
    return {name: found[name].numpy() for name in names}


def tvm(file, given, names):
    import onnx
    import tvm
    from tvm import relax
    from tvm.relax.frontend.onnx import from_onnx

    shapes = {name: list(value.shape) for name, value in given.items()}
    module = from_onnx(onnx.load(file), shape_dict=shapes)
    machine = relax.VirtualMachine(tvm.compile(module, "llvm"), tvm.cpu())
    found = machine["main"](*(tvm.runtime.tensor(value) for value in given.values()))
    several = found if len(names) > 1 else [found]
    return {name: one.numpy() for name, one in zip(names, several, strict=True)}


def mnn(file, given, names):
    import MNN.expr
    import MNN.nn
    import MNN.numpy

    made = Path(file).with_suffix(".mnn")
    subprocess.run(
        [str(Path(sys.executable).parent / "mnnconvert"), "-f", "ONNX", "--modelFile", file,
         "--MNNModel", str(made), "--bizCode", "one"],
        capture_output=True, check=True,
    )  # fmt: skip
    network = MNN.nn.load_module_from_file(str(made), list(given), names)
    rows = MNN.numpy.array(np.float32(given["x"]))
    found = network.forward(MNN.expr.convert(rows, MNN.expr.NCHW))
    return {names[0]: np.array(found.read())}


def iree(file, given, names):
    import iree.runtime

    made, compiled = Path(file).with_suffix(".mlir"), Path(file).with_suffix(".vmfb")
    folder = Path(sys.executable).parent
    for words in (
        ["iree-import-onnx", file, "-o", made],
        ["iree-compile", made, "--iree-hal-target-backends=llvm-cpu",
         "--iree-llvmcpu-target-cpu=host", "--iree-input-demote-f64-to-f32=false", "-o", compiled],
    ):  # fmt: skip
        done = subprocess.run(
            [folder / words[0], *words[1:]], capture_output=True, check=False, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stderr[:300])
    module = iree.runtime.load_vm_flatbuffer_file(str(compiled), driver="local-sync")
    functions = module.vm_module.function_names
    (main,) = (one for one in functions if not one.startswith("__") and "$" not in one)
    found = module[main](*given.values())
    several = found if len(names) > 1 else [found]
    return {name: one.to_host() for name, one in zip(names, several, strict=True)}


PROGRAMS = {
    "onnxruntime": onnxruntime, "openvino": openvino, "opencv-python-headless": opencv,
    "tract": tract, "tinygrad": tinygrad, "apache-tvm": tvm, "mnn": mnn,
    "iree-base-compiler": iree,
}  # fmt: skip


def main(program, path):
    for case in json.loads(Path(path).read_text()):
        if program == "mnn" and "step" in case["asked"]:
            continue  # its modules take several inputs in another form
        dtype = np.dtype(case["dtype"])
        given = {name: np.array(values, dtype).reshape(shape)
                 for name, (shape, values) in case["given"].items()}  # fmt: skip
        right = {name: np.array(values) for name, values in case["right"].items()}
        try:
            found = PROGRAMS[program](case["file"], given, list(right))
            apart = max(
                float(np.abs(np.ravel(found[name]) - value).max() / max(1.0, np.abs(value).max()))
                for name, value in right.items()
            )
        except Exception as error:  # noqa: BLE001  each has errors of its own
            apart = f"{type(error).__name__}: {error}"[-300:]
        print("=" + json.dumps([case["asked"], apart]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
