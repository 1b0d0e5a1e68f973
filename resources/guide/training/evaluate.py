"""Asks the model the questions of a set (default: heldout.json, kept out of training), greedily, through transformers, and prints the share of answers with the required fact.

An answer counts when every entry of "must" (a regular expression) is found in it and the model ended its turn itself.
Usage: python evaluate.py [--model DIR] [--set heldout.json] [--report report] [--failures]; --check only verifies that no question is in the training text.
"""
import argparse
import json
import re
import sys
import time
import unicodedata
from collections import defaultdict
from pathlib import Path

from corpus import every_training_text

HERE = Path(__file__).parent
COMMAND = "python train.py --keep-tokenizer"


def normalised(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(re.sub(r"[^\w\s]", " ", text).split())


def leaked(items) -> list:
    """Questions of the set that also occur in training, after case, punctuation and spacing are removed. Follow-ups of one or two words are no paraphrases and are left out."""
    training = {normalised(t) for t in every_training_text(samples=200_000)}
    return [i["question"] for i in items if "before" not in i and normalised(i["question"]) in training]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, default=HERE.parent)
    parser.add_argument("--set", type=Path, default=HERE / "heldout.json")
    parser.add_argument("--report", type=Path, help="write the result to REPORT.json and REPORT.md")
    parser.add_argument("--failures", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    items = json.loads(args.set.read_text("utf-8"))
    if args.check:
        found = leaked(items)
        print(f"{len(items)} questions, {len(found)} of them in the training text", *found, sep="\n")
        return 1 if found else 0

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()

    def replies(conversations) -> list:
        """(text, ended by itself) for each; padded on the left, in float32, where padding does not change the arithmetic noticeably."""
        prompts = [tokenizer.apply_chat_template(c, add_generation_prompt=True, return_dict=False) for c in conversations]
        width = max(map(len, prompts))
        ids = torch.tensor([[2] * (width - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        with torch.no_grad():
            out = model.generate(ids, attention_mask=mask, do_sample=False, pad_token_id=2)[:, width:].tolist()
        return [(tokenizer.decode(o[: o.index(2)] if 2 in o else o), 2 in o) for o in out]

    groups, failures, started = defaultdict(lambda: [0, 0]), [], time.time()
    conversations = [[{"role": "system", "content": i["system"]}] if "system" in i else [] for i in items]
    turns = [[*i.get("before", []), i["question"]] for i in items]
    answers = [None] * len(items)
    for turn in range(max(map(len, turns))):
        due = [k for k in range(len(items)) if turn < len(turns[k])]
        for k in due:
            conversations[k].append({"role": "user", "content": turns[k][turn]})
        for start in range(0, len(due), 48):
            batch = due[start:start + 48]
            for k, result in zip(batch, replies([conversations[k] for k in batch])):
                answers[k] = result
                conversations[k].append({"role": "assistant", "content": result[0]})
    for item, (answer, ended) in zip(items, answers):
        good = ended and all(re.search(pattern, answer) for pattern in item["must"])
        groups[item["group"]][0] += good
        groups[item["group"]][1] += 1
        if not good:
            failures.append({"question": item["question"], "answer": answer, "ended": ended})
    right, total = (sum(g[i] for g in groups.values()) for i in (0, 1))
    if args.failures:
        for f in failures:
            print(f"- {f['question']}\n    {f['answer']!r}{'' if f['ended'] else ' (did not end)'}")
    for name, (r, n) in groups.items():
        print(f"{name:14} {r:3} of {n:3}  {100 * r / n:5.1f} %")
    print(f"{'all':14} {right:3} of {total:3}  {100 * right / total:5.1f} %   ({time.time() - started:.0f} s)")
    if args.report:
        run = json.loads((args.model / "training" / "run.json").read_text("utf-8"))
        result = {"set": args.set.name, "questions": total, "right": right, "share": round(right / total, 4),
                  "groups": {k: {"right": r, "questions": n} for k, (r, n) in groups.items()}, "failures": failures, "command": COMMAND, "run": run}
        args.report.with_suffix(".json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
        rows = "\n".join(f"| {k} | {r} of {n} | {100 * r / n:.1f} % |" for k, (r, n) in groups.items())
        args.report.with_suffix(".md").write_text(
            f"# What was measured\n\nGreedy answers to {total} questions kept out of training (`{args.set.name}`); an answer counts when it contains the required fact and ends by itself.\n\n"
            f"| group | right | share |\n|---|---|---|\n{rows}\n| **all** | **{right} of {total}** | **{100 * right / total:.1f} %** |\n\n"
            f"Training: `{COMMAND}`, seed {run['seed']}, {run['steps']} steps of {run['tokens_per_step']} tokens, {run['seconds'] / 60:.0f} minutes on a {run['machine']} (torch {run['torch']}), "
            f"{run['parameters']:,} parameters. The answers that missed are in `{args.report.with_suffix('.json').name}`.\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
