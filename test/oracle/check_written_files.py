"""Reads files that `weightroom convert` wrote with the libraries they are meant for, and compares every tensor with the source.

Usage, after `npm run build`: python3 test/oracle/check_written_files.py [MODEL_FOLDER]   (torch, safetensors, transformers, numpy, gguf, onnxruntime)
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


def convert(out, to, *more, source=None):
    command = ["node", str(ROOT / "out/main/cli.mjs"), "convert", str(source or MODEL), "--to", to, "--out", str(out), *more]
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


def gguf_names(name):
    """llama.cpp's name of a Llama tensor."""
    for theirs, ours in LLAMA_NAMES.items():
        name = name.replace(theirs, ours)
    return name


LLAMA_NAMES = {
    "model.layers": "blk", "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}


def as_neighbours(weight, heads):
    """Transformers rotates halves of a head, llama.cpp's Llama neighbours."""
    return weight.reshape(heads, 2, -1, *weight.shape[1:]).transpose(1, 2).reshape(weight.shape)


def gguf_row(what, path):
    """Every tensor as gguf dequantizes it, against what gguf's own quantization makes of the source."""
    global failed
    from gguf import GGUFReader
    from gguf.quants import dequantize, quantize

    config = json.loads((MODEL / "config.json").read_text())
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config.get("num_key_value_heads", config["num_attention_heads"])}
    expected = {}
    for name, value in source.items():
        new = gguf_names(name)
        part = new.split(".")[-2]
        expected[new] = (as_neighbours(value, heads[part]) if part in heads else value).float().numpy()
    reader = GGUFReader(path)
    kinds, wrong = {}, []
    for tensor in reader.tensors:
        kinds[tensor.tensor_type.name] = kinds.get(tensor.tensor_type.name, 0) + 1
        ours = dequantize(tensor.data, tensor.tensor_type)
        theirs = dequantize(quantize(expected[tensor.name], tensor.tensor_type), tensor.tensor_type)
        if ours.shape != theirs.shape or not numpy.array_equal(ours, theirs):
            wrong.append(tensor.name)
    missing = set(expected) ^ {tensor.name for tensor in reader.tensors}
    failed |= bool(wrong or missing)
    result = "values identical" if not wrong and not missing else f"**different: {', '.join([*wrong, *missing])}**"
    print(f"| {what} | gguf.GGUFReader, dequantize | {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}: {result} |")


def onnx_row(what, folder):
    """Logits of the exported graph, at once and with its cache, against those of Transformers."""
    global failed
    import onnxruntime
    from transformers import AutoModelForCausalLM

    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.randint(0, model.config.vocab_size, (1, 12), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = model(ids).logits.numpy()
    outputs = [each.name for each in session.get_outputs()]
    kinds = {"tensor(float)": numpy.float32, "tensor(float16)": numpy.float16, "tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32}

    def run(part, past):
        before = 0 if past is None else next(iter(past.values())).shape[2]
        feed = {}
        for each in session.get_inputs():
            if each.name == "input_ids":
                value = part.numpy()
            elif each.name == "attention_mask":
                value = numpy.ones((1, before + part.shape[1]))
            elif each.name == "position_ids":
                value = numpy.arange(before, before + part.shape[1])[None]
            elif past is not None:
                value = past[each.name]
            else:
                # Batch, heads, no positions yet, size of a head.
                value = numpy.zeros([1, each.shape[1], 0, each.shape[3]])
            feed[each.name] = value.astype(kinds[each.type])
        found = dict(zip(outputs, session.run(None, feed)))
        return found["logits"], {name.replace("present", "past_key_values"): value for name, value in found.items() if name != "logits"}

    whole, _ = run(ids, None)
    first, past = run(ids[:, :7], None)
    rest, _ = run(ids[:, 7:], past)
    error = max(numpy.abs(found - expected).max() for found in (whole, numpy.concatenate((first, rest), axis=1))) / expected.std()
    failed |= bool(error > 1e-4)
    print(f"| {what} | onnxruntime | logits within {error:.1e} of Transformers' standard deviation, with and without cache |")


source = {}
for file in sorted(MODEL.glob("*.safetensors")):
    if file.name != "golden.safetensors":
        source.update(load_file(file))
versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "safetensors", "transformers", "numpy", "gguf", "onnxruntime"))
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
    for what, more in ((".gguf, F32", ["--dtype", "f32"]), (".gguf, F16", ["--dtype", "f16"]), (".gguf, BF16", ["--dtype", "bf16"]), (".gguf, Q8_0", ["--quantize", "q8"]), (".gguf, Q4_0", ["--quantize", "q4"])):
        gguf_row(what, convert(work / f"{what[-4:].strip()}.gguf", "gguf", *more))
    onnx_row(".onnx", convert(work / "onnx", "onnx"))
    from transformers import AutoModelForCausalLM

    for what, folder in (("safetensors folder", one), (".bin folder", binary)):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
        state = model.state_dict()
        row(what, "transformers, from_pretrained", {key: state[key] for key in source}, source)
    # GGUF files that the gguf package wrote (test/fixtures/gguf/make_gguf_models.py) come back as models of Transformers.
    worst, read = 0.0, []
    for file in sorted((ROOT / "test/fixtures/gguf").glob("*.gguf")):
        golden = load_file(file.with_suffix(".golden.safetensors"))
        model, info = AutoModelForCausalLM.from_pretrained(
            convert(work / "from-gguf" / file.stem, "safetensors", source=file), output_loading_info=True, dtype=torch.float32, attn_implementation="eager"
        )
        with torch.no_grad():
            logits = model.eval()(golden["input_ids"]).logits
        worst = max(worst, ((logits - golden["logits"]).abs().max() / golden["logits"].std()).item())
        failed |= any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
        read.append(type(model).__name__)
    failed |= worst > 1e-4
    print(f"| safetensors folders from {len(read)} GGUF files | transformers, from_pretrained | every tensor taken, logits within {worst:.1e} of the original's standard deviation |")
    print(f"\nClasses that read them: {', '.join(sorted(set(read)))}.")
sys.exit(failed)
