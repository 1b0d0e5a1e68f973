"""Reads files that `weightroom convert` wrote with the libraries they are meant for, and compares every tensor with the source.

Usage, after `npm run build`: python3 test/oracle/check_written_files.py [MODEL_FOLDER]   (torch, safetensors, transformers, numpy, gguf)
Prints a table in Markdown, which docs/real-libraries.md holds. Exits with 1 when anything differs.
"""

import importlib.metadata
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "test/fixtures/models/bf16"
failed = False


def convert(out, to, *more):
    command = ["node", str(ROOT / "out/main/cli.mjs"), "convert", str(MODEL), "--to", to, "--out", str(out), *more]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out


def row(what, library, found, expected):
    global failed
    same = found.keys() == expected.keys() and all(
        torch.equal(found[name].to(expected[name].dtype), expected[name]) and found[name].shape == expected[name].shape for name in expected
    )
    failed |= not same
    print(f"| {what} | {library} | {len(found)} tensors, {'identical' if same else '**different**'} |")


def sharded(folder, index, load):
    weight_map = json.loads((folder / index).read_text())["weight_map"]
    found = {}
    for shard in sorted(set(weight_map.values())):
        found.update(load(folder / shard))
    assert set(weight_map) == set(found)
    return found


source = {}
for file in sorted(MODEL.glob("*.safetensors")):
    if file.name != "golden.safetensors":
        source.update(load_file(file))
versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "safetensors", "transformers", "numpy", "gguf"))
print(f"Source: {MODEL.name}, {len(source)} tensors. {versions}.\n")
print("| written | read by | result |")
print("|---|---|---|")


def torch_load(path):
    return torch.load(path, weights_only=True)


with tempfile.TemporaryDirectory() as name:
    work = pathlib.Path(name)
    one = convert(work / "safetensors", "safetensors")
    row("safetensors", "safetensors", load_file(one / "model.safetensors"), source)
    shards = convert(work / "shards", "safetensors", "--max-shard-size", "20KB")
    row("safetensors, sharded", "safetensors", sharded(shards, "model.safetensors.index.json", load_file), source)
    binary = convert(work / "bin", "torch")
    row(".bin", "torch.load, weights_only=True", torch_load(binary / "pytorch_model.bin"), source)
    shards = convert(work / "bin-shards", "torch", "--max-shard-size", "20KB")
    row(".bin, sharded", "torch.load, weights_only=True", sharded(shards, "pytorch_model.bin.index.json", torch_load), source)
    row(".pth", "torch.load, weights_only=True", torch_load(convert(work / "one.pth", "pth")), source)
    arrays = numpy.load(convert(work / "one.npz", "npz"))
    row(".npz, BF16 widened to F32", "numpy.load", {key: torch.from_numpy(arrays[key]) for key in arrays.files}, {key: value.float() for key, value in source.items()})
    from gguf import GGUFReader

    reader = GGUFReader(convert(work / "one.gguf", "gguf"))
    architecture = str(reader.fields["general.architecture"].contents())
    print(f"| .gguf | gguf.GGUFReader | {len(reader.tensors)} tensors, {len(reader.fields)} fields, architecture {architecture} |")
    failed |= len(reader.tensors) != len(source)
    from transformers import AutoModelForCausalLM

    for what, folder in (("safetensors folder", one), (".bin folder", binary)):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
        state = model.state_dict()
        row(what, "transformers, from_pretrained", {key: state[key] for key in source}, source)
sys.exit(failed)
