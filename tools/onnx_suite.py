#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes ONNX's backend tests as files: OUT/KIND/NAME/{model.onnx, case.json, *.raw, *.num}.

The node tests are Python programs inside the package `onnx`; they are run here and their models and
arrays written down. The small recorded models that the package carries are written beside them.
`case.json` has the tolerances that the suite states and the tensors:

    {"rtol": .., "atol": .., "inputs": [TENSOR ..], "outputs": [TENSOR ..]}
    TENSOR: {"name": .., "type": "float32", "dims": [..], "raw": FILE, "num": FILE, "kind": "f64"}

`raw` has the elements as an ONNX file lays them out, `num` the same numbers as 64-bit floats or
integers, whichever holds them exactly (`kind`: f64, i64, u64). A value that is no tensor of numbers
(a sequence, an optional, strings) has only its name and the type `null`.

    python onnx_suite.py OUT
"""
import argparse
import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test import loader
from onnx.backend.test.case import model as model_cases

# Recorded with their data in the package; `real` and `light` only name models to download.
RECORDED = ("pytorch-converted", "pytorch-operator")


def as_proto(value, info):
    """The tensor as a message; `None` where it is no tensor of numbers."""
    if not info.type.HasField("tensor_type") or value is None:
        return None
    proto = value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value))
    return None if proto.data_type == TensorProto.STRING else proto


def numbers(array):
    """The elements as 64-bit numbers of the kind that holds them exactly."""
    if array.dtype == np.uint64:
        return array, "u64"
    if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.integer):
        return array.astype(np.int64), "i64"
    if array.dtype.name.startswith(("int", "uint")):  # the 2- and 4-bit types are no numpy integers
        return array.astype(np.int64), "i64"
    return array.astype(np.float64), "f64"


def write_tensor(value, info, folder, stem):
    proto = as_proto(value, info)
    if proto is None or proto.data_type in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        return {"name": info.name, "type": None}
    array = numpy_helper.to_array(proto)
    flat, kind = numbers(array)
    (folder / f"{stem}.raw").write_bytes(numpy_helper.from_array(array).raw_data)
    (folder / f"{stem}.num").write_bytes(flat.tobytes())
    return {
        "name": info.name,
        "type": TensorProto.DataType.Name(proto.data_type).lower(),
        "dims": list(array.shape),
        "raw": f"{stem}.raw",
        "num": f"{stem}.num",
        "kind": kind,
    }


def write_case(case, model, inputs, outputs, folder):
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    # Initializers may be declared as inputs; only the rest is fed.
    defaults = {tensor.name for tensor in model.graph.initializer}
    fed = [info for info in model.graph.input if info.name not in defaults]
    tensors = {
        key: [
            write_tensor(value, info, folder, f"{key}_{index}")
            for index, (value, info) in enumerate(zip(values, infos))
        ]
        for key, values, infos in (
            ("inputs", inputs, fed),
            ("outputs", outputs, model.graph.output),
        )
    }
    case_json = {"rtol": case.rtol, "atol": case.atol, **tensors}
    (folder / "case.json").write_text(json.dumps(case_json, indent=1) + "\n")


def read_tensor(path):
    proto = TensorProto()
    proto.ParseFromString(path.read_bytes())
    return proto


def recorded(case):
    """The model and the first data set of a case that the package has as files."""
    folder = Path(case.model_dir)
    data = folder / "test_data_set_0"

    def tensors(stem):
        return [read_tensor(data / f"{stem}_{k}.pb") for k in range(len(list(data.glob(f"{stem}_*.pb"))))]

    return onnx.load(folder / "model.onnx"), tensors("input"), tensors("output")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    # The cases compute infinities and NaN on purpose; numpy's warnings about them are noise.
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")

    shutil.rmtree(out, ignore_errors=True)
    counts = {}
    for case in loader.load_node_model_tests() + model_cases.collect_testcases():
        if case.model is None:
            continue
        inputs, outputs = case.data_sets[0]
        write_case(case, case.model, inputs, outputs, out / case.kind / case.name)
        counts[case.kind] = counts.get(case.kind, 0) + 1
    for kind in RECORDED:
        for case in loader.load_model_tests(kind=kind):
            write_case(case, *recorded(case), out / kind / case.name)
            counts[kind] = counts.get(kind, 0) + 1
    print(f"onnx {onnx.__version__}: {sum(counts.values())} cases", counts)


if __name__ == "__main__":
    main()
