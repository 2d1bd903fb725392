#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Turns the harness's results into the tables of BENCHMARKS.md.

    python bench_table.py RESULTS.json                  prints the tables
    python bench_table.py RESULTS.json BENCHMARKS.md    writes them between the file's markers

With the folders of the profiles (`webnn bench --profile --roofline --json`) and of the models'
accounts, the tables also say how near a model comes to what the machine can do, and where the time
of a row goes that misses a target.
"""
import argparse
import json
import math
import statistics
import sys
from pathlib import Path

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"

PEERS = {
    "ort": "ONNX Runtime",
    "openvino": "OpenVINO",
    "litert": "LiteRT",
    "tract": "tract",
    "rten": "rten",
}
# Others run 8-bit models by other means, or not at all.
INT8_PEERS = {"ort", "openvino", "litert"}

# What is aimed at: the ratio to the best peer in the worst row, and as a geometric mean over f32.
WORST_RATIO, WORST_INT8_RATIO, MEAN_RATIO = 1.20, 1.10, 1.00
# Load and compile against ONNX Runtime, as a geometric mean; peak memory against the lesser of
# ONNX Runtime's and OpenVINO's, in the worst row.
MEAN_LOAD, WORST_MEMORY = 0.80, 1.10
# Per cent of the machine's peak, by number of threads.
PERCENT = {
    "gemm1024": {1: 85, 2: 80},
    "resnet50": {1: 75, 2: 70},
    "minilm_l6": {1: 80, 2: 75},
    "vit_tiny": {1: 75, 2: 70},
    "gpt_decode": {1: 85, 2: 85},
}


def is_int8(model):
    return model.endswith("_int8")


def is_right(row):
    """Whether a row was measured and its outputs are near enough to the reference's."""
    if not row.get("bursts") or "failed" in row or not isinstance(row.get("err"), float):
        return False
    return row["err"] < (0.2 if is_int8(row["model"]) else 2e-3)


def clean(row, most_foreign):
    """The rounds that no other process disturbed, or the quieter half where those are too few."""
    foreign = [burst["foreign"] for burst in row["bursts"]]
    quiet = [k for k, used in enumerate(foreign) if used <= most_foreign]
    if len(quiet) >= max(3, len(foreign) // 3):
        return quiet
    return sorted(range(len(foreign)), key=foreign.__getitem__)[: max(1, len(foreign) // 2)]


def latency(row, most_foreign):
    return statistics.median(row["bursts"][k]["ns"] for k in clean(row, most_foreign)) / 1e6


def ratio(ours, theirs, most_foreign):
    """The median over rounds: both engines ran within the same second or so of each round."""
    rounds = set(clean(ours, most_foreign)) & set(clean(theirs, most_foreign))
    rounds = rounds or range(min(len(ours["bursts"]), len(theirs["bursts"])))
    pairs = ((ours["bursts"][k]["ns"], theirs["bursts"][k]["ns"]) for k in rounds)
    return statistics.median(a / b for a, b in pairs)


def load(row):
    return statistics.median(row["loads"]) / 1e6


def mean(ratios):
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else float("nan")


def number(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def over(value, most, shown):
    """The value, and by how much it misses its target, if it does."""
    by = value - most
    return f"{shown}, {by:.2f} over" if round(by, 2) > 0 else shown


class Machine:
    """What profiles and the models' accounts know."""

    def __init__(self, profiles, models):
        self.profiles, self.accounts = {}, {}
        for path in sorted(profiles.glob("*.*.*.json")) if profiles else []:
            model, threads, _, _ = path.name.split(".")
            profile = json.loads(path.read_text())
            self.profiles.setdefault((model, int(threads)), []).append(profile)
        for model in {model for model, _ in self.profiles}:
            self.accounts[model] = json.loads((models / f"{model}.json").read_text())

    def peaks(self, threads):
        """The best arithmetic that was measured, in operations a second; how fast memory was read,
        and the times that a line took, all in ascending order."""
        all_of = [p for (_, count), ps in self.profiles.items() if count == threads for p in ps]
        peaks = [profile["roofline"] for profile in all_of]
        if not peaks:
            return None
        best = {key: max(p[key] for p in peaks) for key in ("floatOpsPerSecond", "int8OpsPerSecond")}
        memory = sorted(peak["reads"][-1]["bytesPerSecond"] for peak in peaks)
        lines = sorted(peak["lineNs"] for peak in peaks if peak["lineNs"])
        return best | {"memory": memory, "lines": lines}

    def percent_of(self, model, profile):
        """The time of the arithmetic at the peak rate, or of reading the weights, in per cent: by
        what the profile's own process measured right before."""
        peaks, account = profile["roofline"], self.accounts[model]
        kind = "int8OpsPerSecond" if is_int8(model) else "floatOpsPerSecond"
        weights = account["read_weight_bytes"]
        reads = peaks["reads"]
        fits = [read for read in reads if weights <= read["bytes"]] or reads[-1:]
        least = max(account["flops"] / peaks[kind], weights / fits[0]["bytesPerSecond"])
        return 100 * least / (profile["medianNs"] / 1e9)

    def median(self, model, threads):
        """The profile in the middle, by the per cent that it says."""
        profiles = self.profiles.get((model, threads), [])
        order = sorted(profiles, key=lambda profile: self.percent_of(model, profile))
        return order[len(order) // 2] if order else None

    def percent(self, model, threads):
        """How near a model comes to what the machine can do."""
        profile = self.median(model, threads)
        return None if profile is None else self.percent_of(model, profile)

    def why(self, model, threads):
        """Where the time goes beyond the least that it takes: the kinds of steps that lose most."""
        profile = self.median(model, threads)
        if profile is None:
            return ""
        kinds = {}
        for step in profile["steps"]:
            kind = kinds.setdefault(step["ops"], [0, 0, 0])
            kind[0] += 1
            kind[1] += step["ns"]
            kind[2] += step["roofline"]["leastNs"]
        lost = sorted(kinds.items(), key=lambda item: item[1][2] - item[1][1])
        total = profile["roofline"]
        parts = [
            f"{(ns - least) / 1e6:.2f} ms in {count} × {ops} ({100 * least / max(ns, 1):.0f} %)"
            for ops, (count, ns, least) in lost[:3]
            if ns > least
        ]
        return (
            f"of {total['ns'] / 1e6:.2f} ms the steps need {total['leastNs'] / 1e6:.2f} at the "
            f"machine's peaks; lost are {', '.join(parts)}"
        )


def table(threads, models, machine, most_foreign):
    """The lines for one number of threads."""
    yield f"### {threads} thread{'s' if threads > 1 else ''}"
    yield ""
    if peaks := machine.peaks(threads):
        least, *_, most = (rate / 1e9 for rate in peaks["memory"])
        yield (
            f"Peaks: {peaks['floatOpsPerSecond'] / 1e9:.1f} GFLOP/s, "
            f"{peaks['int8OpsPerSecond'] / 1e9:.0f} GOP/s of 8-bit integers, "
            f"reading {least:.1f} to {most:.1f} GB/s."
        )
        if lines := peaks["lines"]:
            yield f"A line passed between threads in {lines[0]} to {lines[-1]} ns."
        yield ""
    yield (
        "| model | webnn, ms | best peer, ms | ratio | of peak | load and compile, ms | ratio "
        "| peak memory, MB | ratio | distance |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    to_best, loads, memories, misses = [], [], [], []
    to_each = {engine: [] for engine in PEERS}
    for model, row in models.items():
        ours = row["ours"]
        if not is_right(ours) or not is_right(row["ort"]):
            who, bad = ("webnn", ours) if not is_right(ours) else (PEERS["ort"], row["ort"])
            error = bad.get("failed") or f"outputs are wrong: {bad.get('err')}"
            yield f"| {model} | {who} fails: {error} | | | | | | | | |"
            continue
        peers = {e: r for e, r in row.items() if e in PEERS and is_right(r)}
        for engine, peer in peers.items():
            to_each[engine].append(ratio(ours, peer, most_foreign))
        if is_int8(model):
            peers = {e: r for e, r in peers.items() if e in INT8_PEERS}
        time = latency(ours, most_foreign)
        best = min(peers, key=lambda engine: latency(peers[engine], most_foreign))
        value = ratio(ours, peers[best], most_foreign)
        most = WORST_INT8_RATIO if is_int8(model) else WORST_RATIO
        missed = round(value - most, 2) > 0
        speed = over(value, most, f"**{value:.2f}**")
        if not is_int8(model):
            to_best.append((value, model))
        percent = machine.percent(model, threads)
        least = PERCENT.get(model, {}).get(threads, 0)
        peak = "" if percent is None else f"{percent:.0f} %"
        if percent is not None and round(least - percent) > 0:
            missed = True
            peak += f", {least - percent:.0f} below"
        loads.append(load(ours) / load(row["ort"]))
        lean = min((row[e] for e in ("ort", "openvino") if e in peers), key=lambda r: r["peak_mb"])
        memory = ours["peak_mb"] / max(lean["peak_mb"], 1e-9)
        memories.append((memory, model))
        yield (
            f"| {model} | {number(time)} "
            f"| {number(latency(peers[best], most_foreign))} {PEERS[best]} | {speed} | {peak} "
            f"| {number(load(ours))} / {number(load(row['ort']))} | {loads[-1]:.2f} "
            f"| {ours['peak_mb']:.0f} / {lean['peak_mb']:.0f} "
            f"| {over(memory, WORST_MEMORY, f'{memory:.2f}')} | {ours['err']:.0e} |"
        )
        if missed:
            misses.append((model, machine.why(model, threads)))
    yield ""
    yield from summary(to_best, to_each, loads, memories)
    if explained := [f"- {model}: {why}." for model, why in misses if why]:
        yield ""
        yield "Where the time goes in the rows that miss a target:"
        yield ""
        yield from explained


def summary(to_best, to_each, loads, memories):
    """The means and the worst rows, beside what is aimed at."""
    if not to_best and not loads:
        return
    if to_best:
        value, (worst, model) = mean([value for value, _ in to_best]), max(to_best)
        yield (
            f"- Latency, f32, to the best peer: geometric mean "
            f"{over(value, MEAN_RATIO, f'{value:.2f}')} (target: {MEAN_RATIO:.2f}) over "
            f"{len(to_best)} models, worst {over(worst, WORST_RATIO, f'{worst:.2f}')} in {model} "
            f"(target: {WORST_RATIO:.2f})."
        )
    each = [f"{mean(r):.2f} to {PEERS[e]} ({len(r)})" for e, r in to_each.items() if r]
    yield f"- Geometric mean over the models that the peer computes rightly: {', '.join(each)}."
    value, (worst, model) = mean(loads), max(memories)
    yield (
        f"- Load and compile, to ONNX Runtime: geometric mean "
        f"{over(value, MEAN_LOAD, f'{value:.2f}')} (target: {MEAN_LOAD:.2f}). Peak memory: worst "
        f"{over(worst, WORST_MEMORY, f'{worst:.2f}')} in {model} (target: {WORST_MEMORY:.2f})."
    )


def tables(results, machine):
    most_foreign = results["args"]["max_foreign"]
    by_threads, versions = {}, {}
    for row in results["results"]:
        by_threads.setdefault(row["threads"], {}).setdefault(row["model"], {})[row["engine"]] = row
        versions.setdefault(row["engine"], row.get("version", ""))
    peers = ", ".join(v.split(", ")[0] for e, v in versions.items() if e in PEERS and v)
    # The number of threads stands above each table.
    ours = versions.get("ours", "").split(" ", 1)[-1].split(",")[0]
    yield (
        f"{results['when'][:10]}, {results['cpu']}, {results['ncpu']} cores; {peers}; webnn {ours}."
    )
    for threads, models in sorted(by_threads.items()):
        both = {model: row for model, row in models.items() if {"ours", "ort"} <= row.keys()}
        yield ""
        yield from table(threads, both, machine, most_foreign)
    foreign = [b["foreign"] for row in results["results"] for b in row.get("bursts", [])]
    if foreign:
        yield ""
        yield (
            f"CPUs that other processes used during the bursts: median "
            f"{statistics.median(foreign):.2f} of {results['ncpu']}."
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("into", type=Path, nargs="?")
    parser.add_argument("--profiles", type=Path, help="folder of MODEL.THREADS.ROUND.json")
    parser.add_argument("--models", type=Path, help="folder of the models' accounts, MODEL.json")
    arguments = parser.parse_args()
    machine = Machine(arguments.profiles, arguments.models)
    text = "\n".join(tables(json.loads(arguments.results.read_text()), machine))
    if arguments.into is None:
        print(text)
        return
    page = arguments.into.read_text()
    before, marker, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not marker or not end:
        sys.exit(f"{arguments.into}: the markers are missing")
    arguments.into.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
