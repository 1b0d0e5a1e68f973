"""Trains guide from scratch and writes the Hugging Face directory. Usage: python train.py [--steps N] [--out DIR]; see README.md."""
import argparse
import json
import os
import platform
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

if "MALLOC_TRIM_THRESHOLD_" not in os.environ:  # keep freed tensors in the process (glibc reads this at start only); saves page faults
    os.environ.update(MALLOC_MMAP_THRESHOLD_="8589934592", MALLOC_TRIM_THRESHOLD_="8589934592", MALLOC_TOP_PAD_="268435456")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from corpus import Stream  # noqa: E402
from model import Guide, GuideConfig  # noqa: E402
from tokenizer import ChatEncoder, train_tokenizer, write_tokenizer_config  # noqa: E402

HERE = Path(__file__).parent
TOKENS_PER_STEP = 2048


class Batches:
    """Packs conversations into rows; a token sees only its own conversation. Returns ids, mask, positions in ids to learn from, targets."""

    def __init__(self, encoder: ChatEncoder, seed: int):
        self.encoder, self.stream, self.rng = encoder, Stream(seed), random.Random(seed + 1)
        self.pending = None

    def document(self, short_share: float):
        rng = self.rng
        if rng.random() < short_share:
            # only the beginning of the answer: choosing the right answer is what is hard, reciting it is not
            ids, learn = self.encoder.encode(self.stream.conversation(1))
            keep = learn.index(True) + rng.randint(6, 14)
            return ids[:keep], learn[:keep]
        turns = rng.choices([1, 2, 3, 4], [0.52, 0.24, 0.14, 0.1])[0]
        return self.encoder.encode(self.stream.conversation(turns))

    def next(self, short_share: float):
        long_rows = self.rng.random() < 0.05
        length = 1024 if long_rows else 256
        rows = TOKENS_PER_STEP // length
        ids = torch.zeros(rows, length, dtype=torch.long)
        owner = torch.full((rows, length), -1)
        targets = torch.full((rows, length), -100)
        for row in range(rows):
            at, count = 0, 0
            while True:
                if self.pending is None:
                    self.pending = self.encoder.encode(self.stream.conversation(self.rng.randint(8, 15))) if long_rows and at == 0 else self.document(short_share)
                d, learn = self.pending
                if len(d) > length:
                    self.pending = None
                    continue
                if at + len(d) > length:
                    break
                ids[row, at:at + len(d)] = torch.tensor(d)
                owner[row, at:at + len(d)] = count
                for i in range(len(d) - 1):
                    if learn[i + 1]:
                        targets[row, at + i] = d[i + 1]
                at, count, self.pending = at + len(d), count + 1, None
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        mask = (owner[:, None, :, None] == owner[:, None, None, :]) & causal
        chosen = targets.view(-1).ge(0).nonzero().squeeze(1)
        return ids, mask, chosen, targets.view(-1)[chosen]


def write_model(model: Guide, config: GuideConfig, target: Path) -> int:
    """bf16 weights in two shards with their index, config.json and generation_config.json. Returns the number of parameters."""
    tensors = {name: p.detach().to(torch.bfloat16).contiguous() for name, p in model.named_parameters()}
    second = {n for n in tensors if n == "model.norm.weight" or any(n.startswith(f"model.layers.{i}.") for i in range(config.num_hidden_layers // 2, config.num_hidden_layers))}
    names = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    for file, part in zip(names, ([n for n in tensors if n not in second], sorted(second))):
        save_file({n: tensors[n] for n in part}, target / file, metadata={"format": "pt"})
        (target / file).chmod(0o644)
    parameters = sum(t.numel() for t in tensors.values())
    index = {"metadata": {"total_parameters": parameters, "total_size": parameters * 2}, "weight_map": {n: names[n in second] for n in sorted(tensors)}}
    settings = {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 1, "dtype": "bfloat16", "eos_token_id": 2,
        "head_dim": config.head_dim, "hidden_act": "silu", "hidden_size": config.hidden_size, "initializer_range": 0.02, "intermediate_size": config.intermediate_size,
        "max_position_embeddings": config.max_position_embeddings, "mlp_bias": False, "model_type": "llama", "num_attention_heads": config.num_attention_heads,
        "num_hidden_layers": config.num_hidden_layers, "num_key_value_heads": config.num_key_value_heads, "pretraining_tp": 1, "rms_norm_eps": config.rms_norm_eps,
        "rope_scaling": None, "rope_theta": config.rope_theta, "tie_word_embeddings": True, "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": config.vocab_size,
    }
    generation = {"bos_token_id": 1, "do_sample": False, "eos_token_id": 2, "max_new_tokens": 160}
    for name, value in (("model.safetensors.index.json", index), ("config.json", settings), ("generation_config.json", generation)):
        (target / name).write_text(json.dumps(value, indent=2) + "\n", "utf-8")
    return parameters


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=2700)
    parser.add_argument("--seed", type=int, default=20260)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=HERE.parent)
    parser.add_argument("--keep-tokenizer", action="store_true", help="use the tokenizer.model already in --out")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(True)
    args.out.mkdir(parents=True, exist_ok=True)
    started = time.time()

    if not args.keep_tokenizer:
        with tempfile.TemporaryDirectory() as work:
            train_tokenizer(args.out, Path(work), args.seed)
    write_tokenizer_config(args.out)
    encoder = ChatEncoder(args.out / "tokenizer.model")
    config = GuideConfig(vocab_size=encoder.sp.get_piece_size())
    model = Guide(config)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=args.lr, betas=(0.9, 0.98), fused=True)
    batches = Batches(encoder, args.seed)
    warmup, smooth = 150, None
    for step in range(args.steps):
        # level, then a straight line down over the last 40 %: the beginning of a run does not depend on its length
        lr = args.lr * min(1, (step + 1) / warmup, 0.02 + 0.98 * (args.steps - step) / (0.4 * args.steps))
        for group in optimizer.param_groups:
            group["lr"] = lr
        ids, mask, chosen, wanted = batches.next(short_share=0.35 if step < 500 else 0.75)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model.logits(model(ids, mask).view(-1, config.hidden_size)[chosen])
        loss = F.cross_entropy(logits.float(), wanted, label_smoothing=0.02)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if step % 50 == 0 or step == args.steps - 1:
            print(f"step {step} loss {smooth:.3f} lr {lr:.5f} {time.time() - started:.0f} s", flush=True)
        if step and step % 400 == 0:
            write_model(model, config, args.out)
    parameters = write_model(model, config, args.out)
    run = {"seed": args.seed, "steps": args.steps, "learning_rate": args.lr, "tokens_per_step": TOKENS_PER_STEP, "threads": args.threads, "seconds": round(time.time() - started),
           "machine": f"{platform.machine()} CPU, {args.threads} thread(s)", "torch": torch.__version__, "parameters": parameters, "final_training_loss": round(smooth, 4), "config": asdict(config)}
    (args.out / "training").mkdir(exist_ok=True)
    (args.out / "training" / "run.json").write_text(json.dumps(run, indent=2) + "\n", "utf-8")
    print(json.dumps(run))


if __name__ == "__main__":
    main()
