#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Turns the harness's results into the tables of BENCHMARKS.md.

    python bench_table.py RESULTS.json                  prints the tables
    python bench_table.py RESULTS.json BENCHMARKS.md    writes them between the file's markers
"""
import argparse
import json
import math
import statistics
import sys
from pathlib import Path

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"


def clean(row, most_foreign):
    """The rounds that no other process disturbed, or the quieter half where those are too few."""
    foreign = [burst["foreign"] for burst in row["bursts"]]
    quiet = [k for k, used in enumerate(foreign) if used <= most_foreign]
    if len(quiet) >= max(3, len(foreign) // 3):
        return quiet
    return sorted(range(len(foreign)), key=foreign.__getitem__)[: max(1, len(foreign) // 2)]


def latency(row, rounds):
    return statistics.median(row["bursts"][k]["ns"] for k in rounds) / 1e6


def ratio(ours, theirs, rounds):
    """The median over rounds: both engines ran within the same second or so of each round."""
    pairs = ((ours["bursts"][k]["ns"], theirs["bursts"][k]["ns"]) for k in rounds)
    return statistics.median(a / b for a, b in pairs)


def number(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def table(threads, pairs, most_foreign):
    yield f"### {threads} thread{'s' if threads > 1 else ''}"
    yield ""
    yield (
        "| model | ONNX Runtime, ms | webnn, ms | ratio | load and compile, ms | ratio "
        "| peak memory, MB | ratio | distance |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    ratios = []
    for model, (ours, theirs) in pairs.items():
        if "failed" in ours or not ours.get("bursts"):
            yield f"| {model} | | fails: {ours.get('failed', 'no runs')} | | | | | | |"
            continue
        rounds = sorted(set(clean(ours, most_foreign)) & set(clean(theirs, most_foreign)))
        rounds = rounds or range(min(len(ours["bursts"]), len(theirs["bursts"])))
        ratios.append(ratio(ours, theirs, rounds))
        loads = [statistics.median(row["loads"]) / 1e6 for row in (theirs, ours)]
        peaks = [row["peak_mb"] for row in (theirs, ours)]
        yield (
            f"| {model} | {number(latency(theirs, rounds))} | {number(latency(ours, rounds))} "
            f"| **{ratios[-1]:.2f}** "
            f"| {number(loads[0])} / {number(loads[1])} | {loads[1] / loads[0]:.2f} "
            f"| {peaks[0]:.0f} / {peaks[1]:.0f} | {peaks[1] / max(peaks[0], 1e-9):.2f} "
            f"| {ours['err']:.0e} |"
        )
    mean = math.exp(statistics.fmean(map(math.log, ratios))) if ratios else float("nan")
    yield ""
    yield f"Geometric mean of the latency ratios: {mean:.2f} over {len(ratios)} models."


def tables(results):
    most_foreign = results["args"]["max_foreign"]
    by_threads, versions = {}, {}
    for row in results["results"]:
        by_threads.setdefault(row["threads"], {}).setdefault(row["model"], {})[row["engine"]] = row
        versions.setdefault(row["engine"], row.get("version", ""))
    yield (
        f"{results['when'][:10]}, {results['cpu']}, {results['ncpu']} cores; "
        f"{versions.get('ort', '')}; webnn {versions.get('ours', '').split(' ', 1)[-1]}."
    )
    for threads, models in sorted(by_threads.items()):
        pairs = {m: (r["ours"], r["ort"]) for m, r in models.items() if {"ours", "ort"} <= r.keys()}
        yield ""
        yield from table(threads, pairs, most_foreign)
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
    arguments = parser.parse_args()
    text = "\n".join(tables(json.loads(arguments.results.read_text())))
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
