#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes ONNX's backend tests as files: OUT/KIND/NAME/{model.onnx, test_data_set_N/{input,output}_N.pb, case.json}.

The node tests are Python programs inside the package `onnx`; they are run here and their models and
arrays written down. The small recorded models that the package carries are copied beside them.
`case.json` holds the tolerance that the suite states for the case.

    python onnx_suite.py OUT
"""
import argparse
import json
import shutil
import warnings
from pathlib import Path

import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test import loader
from onnx.backend.test.case import model as model_cases

# Recorded with their data in the package; `real` and `light` only name models to download.
RECORDED = ("pytorch-converted", "pytorch-operator")


def to_proto(value, value_info):
    """One input or output as the message that its declared type asks for."""
    kind = value_info.type.WhichOneof("value")
    if isinstance(value, TensorProto):
        return value
    if kind == "sequence_type":
        return numpy_helper.from_list(value, value_info.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, value_info.name)
    if kind == "map_type":
        return numpy_helper.from_dict(value, value_info.name)
    return numpy_helper.from_array(value, value_info.name)


def write_case(case, folder):
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    write_tolerance(case, folder)
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir()
        for stem, values, infos in (
            ("input", inputs, case.model.graph.input),
            ("output", outputs, case.model.graph.output),
        ):
            for index, (value, info) in enumerate(zip(values, infos)):
                path = data / f"{stem}_{index}.pb"
                path.write_bytes(to_proto(value, info).SerializeToString())


def write_tolerance(case, folder):
    (folder / "case.json").write_text(json.dumps({"rtol": case.rtol, "atol": case.atol}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    # The cases compute infinities and NaN on purpose; numpy's warnings about them are noise.
    warnings.simplefilter("ignore")

    shutil.rmtree(out, ignore_errors=True)
    counts = {}
    for case in loader.load_node_model_tests() + model_cases.collect_testcases():
        if case.model is None:
            continue
        write_case(case, out / case.kind / case.name)
        counts[case.kind] = counts.get(case.kind, 0) + 1
    for kind in RECORDED:
        for case in loader.load_model_tests(kind=kind):
            folder = out / kind / case.name
            shutil.copytree(case.model_dir, folder)
            write_tolerance(case, folder)
            counts[kind] = counts.get(kind, 0) + 1

    total = sum(counts.values())
    summary = {"onnx": onnx.__version__, "cases": total, "kinds": counts}
    (out / "suite.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(f"onnx {onnx.__version__}: {total} cases", counts)


if __name__ == "__main__":
    main()
