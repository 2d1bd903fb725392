#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Trains the digit recogniser and writes digits.onnx and samples/*.png beside this file.

A small convolutional network on scikit-learn's digits (8x8 pixels), trained with numpy alone, so that
every step is readable here and the same seed gives the same file.

    pip install numpy scikit-learn onnx
    python train.py
"""
import struct
import zlib
from pathlib import Path

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
SEED = 7
EPOCHS = 60
BATCH = 64
RATE = 2e-3
REQUIRED_ACCURACY = 0.98


# The layers: each returns its result and what its gradient needs.


def conv(x, w, b):
    """3x3, padding 1, NCHW."""
    windows = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), (2, 3))
    return np.einsum("nchwij,kcij->nkhw", windows, w, optimize=True) + b[:, None, None], windows


def conv_gradient(dy, windows, w):
    dw = np.einsum("nkhw,nchwij->kcij", dy, windows, optimize=True)
    # The gradient of a convolution is one with the flipped, transposed filter.
    flipped = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    dx, _ = conv(dy, flipped, np.zeros(w.shape[1], np.float32))
    return dx, dw, dy.sum((0, 2, 3))


def pool(x):
    """The maximum of each 2x2 square; the mask marks where it came from."""
    n, c, h, w = x.shape
    squares = x.reshape(n, c, h // 2, 2, w // 2, 2)
    y = squares.max((3, 5))
    mask = squares == y[:, :, :, None, :, None]
    return y, mask / mask.sum((3, 5), keepdims=True)


def pool_gradient(dy, mask):
    n, c, h, _, w, _ = mask.shape
    return (mask * dy[:, :, :, None, :, None]).reshape(n, c, 2 * h, 2 * w)


def initial(rng):
    def he(*shape):
        fan_in = int(np.prod(shape[1:]))
        return (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)

    def zeros(n):
        return np.zeros(n, np.float32)

    return {
        "conv1.weight": he(16, 1, 3, 3), "conv1.bias": zeros(16),
        "conv2.weight": he(32, 16, 3, 3), "conv2.bias": zeros(32),
        "conv3.weight": he(32, 32, 3, 3), "conv3.bias": zeros(32),
        "dense1.weight": he(64, 32 * 2 * 2), "dense1.bias": zeros(64),
        "dense2.weight": he(10, 64), "dense2.bias": zeros(10),
    }


def forward(p, x):
    a1, w1 = conv(x, p["conv1.weight"], p["conv1.bias"])
    r1 = np.maximum(a1, 0)
    a2, w2 = conv(r1, p["conv2.weight"], p["conv2.bias"])
    p2, m2 = pool(np.maximum(a2, 0))
    a3, w3 = conv(p2, p["conv3.weight"], p["conv3.bias"])
    p3, m3 = pool(np.maximum(a3, 0))
    flat = p3.reshape(len(x), -1)
    a4 = flat @ p["dense1.weight"].T + p["dense1.bias"]
    r4 = np.maximum(a4, 0)
    scores = r4 @ p["dense2.weight"].T + p["dense2.bias"]
    return scores, (a1, w1, a2, w2, m2, p3.shape, a3, w3, m3, flat, a4, r4)


def gradients(p, x, labels):
    scores, (a1, w1, a2, w2, m2, p3_shape, a3, w3, m3, flat, a4, r4) = forward(p, x)
    exp = np.exp(scores - scores.max(1, keepdims=True))
    d = exp / exp.sum(1, keepdims=True)
    d[np.arange(len(x)), labels] -= 1
    d /= len(x)
    g = {"dense2.weight": d.T @ r4, "dense2.bias": d.sum(0)}
    d = (d @ p["dense2.weight"]) * (a4 > 0)
    g["dense1.weight"], g["dense1.bias"] = d.T @ flat, d.sum(0)
    d = pool_gradient((d @ p["dense1.weight"]).reshape(p3_shape), m3) * (a3 > 0)
    d, g["conv3.weight"], g["conv3.bias"] = conv_gradient(d, w3, p["conv3.weight"])
    d = pool_gradient(d, m2) * (a2 > 0)
    d, g["conv2.weight"], g["conv2.bias"] = conv_gradient(d, w2, p["conv2.weight"])
    d *= a1 > 0
    _, g["conv1.weight"], g["conv1.bias"] = conv_gradient(d, w1, p["conv1.weight"])
    return g


def shifted(x, rng):
    """Every image moved by up to one pixel each way: hands do not centre what they write."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    moves = rng.integers(0, 3, (len(x), 2))
    return np.stack([padded[i, :, r : r + 8, c : c + 8] for i, (r, c) in enumerate(moves)])


def train(x, labels, rng):
    p = initial(rng)
    mean = {k: np.zeros_like(v) for k, v in p.items()}
    square = {k: np.zeros_like(v) for k, v in p.items()}
    step, steps = 0, EPOCHS * (len(x) // BATCH)
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for first in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[first : first + BATCH]
            g = gradients(p, shifted(x[rows], rng), labels[rows])
            step += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k in p:  # Adam, with decoupled weight decay
                mean[k] += 0.1 * (g[k] - mean[k])
                square[k] += 0.001 * (g[k] ** 2 - square[k])
                direction = (mean[k] / (1 - 0.9**step)) / (
                    np.sqrt(square[k] / (1 - 0.999**step)) + 1e-8
                )
                p[k] = (p[k] - rate * (direction + 1e-3 * p[k])).astype(np.float32)
    return p


def model(p):
    def conv_node(k, x, y):
        names = [x, f"conv{k}.weight", f"conv{k}.bias"]
        return helper.make_node("Conv", names, [y], f"conv{k}", kernel_shape=[3, 3], pads=[1] * 4)

    def pool_node(k, x, y):
        return helper.make_node(
            "MaxPool", [x], [y], f"pool{k}", kernel_shape=[2, 2], strides=[2, 2]
        )

    def relu(k, x, y):
        return helper.make_node("Relu", [x], [y], f"relu{k}")

    def dense(k, x, y):
        names = [x, f"dense{k}.weight", f"dense{k}.bias"]
        return helper.make_node("Gemm", names, [y], f"dense{k}", transB=1)

    nodes = [
        conv_node(1, "image", "c1"), relu(1, "c1", "r1"),
        conv_node(2, "r1", "c2"), relu(2, "c2", "r2"), pool_node(1, "r2", "p1"),
        conv_node(3, "p1", "c3"), relu(3, "c3", "r3"), pool_node(2, "r3", "p2"),
        helper.make_node("Flatten", ["p2"], ["flat"], "flatten"),
        dense(1, "flat", "d1"), relu(4, "d1", "r4"),
        dense(2, "r4", "scores"),
        helper.make_node("Softmax", ["scores"], ["probabilities"], "softmax", axis=1),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(v, k) for k, v in p.items()],
        doc_string="Recognises a handwritten digit: 8x8 pixels, 0 background to 1 ink.",
    )
    result = helper.make_model(
        graph,
        producer_name="webnn models/digits/train.py",
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(result, full_check=True)
    return result


def write_png(path, pixels):
    """8-bit greyscale. Written by hand so that the bytes depend on no library's version."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = pixels.shape
    rows = b"".join(b"\0" + bytes(row) for row in pixels)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def main():
    digits = load_digits()
    # The samples are 8-bit images, so training sees the same 8-bit rounding of the 17 grey levels.
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    x = (pixels / 255).astype(np.float32)[:, None]
    train_rows, test_rows = train_test_split(
        np.arange(len(x)), test_size=0.2, random_state=SEED, stratify=digits.target
    )
    p = train(x[train_rows], digits.target[train_rows], np.random.default_rng(SEED))

    scores, _ = forward(p, x[test_rows])
    guesses = scores.argmax(1)
    right = guesses == digits.target[test_rows]
    print(f"{right.sum()} of {len(right)} held-out images right: {100 * right.mean():.2f} %")
    for row, guess in zip(test_rows[~right], guesses[~right]):
        print(f"  image {row}: {digits.target[row]} taken for {guess}")
    if right.mean() < REQUIRED_ACCURACY:
        raise SystemExit(f"accuracy below {100 * REQUIRED_ACCURACY:.0f} %: nothing written")

    path = HERE / "digits.onnx"
    path.write_bytes(model(p).SerializeToString())
    print(f"{path.name}: {path.stat().st_size} bytes, {sum(v.size for v in p.values())} parameters")
    for digit in range(10):
        row = next(r for r, ok in zip(test_rows, right) if ok and digits.target[r] == digit)
        write_png(HERE / "samples" / f"{digit}.png", pixels[row])
    # And one that it gets wrong: a demonstration that only succeeds says little.
    row, guess = next(zip(test_rows[~right], guesses[~right]))
    write_png(HERE / "samples" / f"wrong-{digits.target[row]}-as-{guess}.png", pixels[row])


if __name__ == "__main__":
    main()
