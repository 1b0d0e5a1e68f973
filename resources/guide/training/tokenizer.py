"""Trains the SentencePiece tokenizer (BPE, byte fallback, identity normalisation) and writes its Hugging Face files."""
import json
import random
from pathlib import Path

import sentencepiece as spm

from corpus import REFUSAL, REFUSAL_ZH, NOTHING_MORE, SYSTEM_PROMPTS, ZH_SYSTEM_PROMPTS, Stream, load_corpus, every_training_text

VOCAB_SIZE = 4096
ROLES = ["<|system|>", "<|user|>", "<|assistant|>"]  # control pieces 3, 4, 5: text cannot produce them

# " Q" after the role and no space before the answer; a newline is the byte piece <0x0A>.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ '<|system|> ' + message['content'] | trim + '\n' }}"
    "{% elif message['role'] == 'user' %}{{ '<|user|> ' + message['content'] | trim + '\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>' + message['content'] | trim + eos_token }}"
    "{% else %}{{ raise_exception('unknown role: ' + message['role']) }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def train_tokenizer(target: Path, work: Path, seed: int) -> None:
    english, chinese, to_traditional = load_corpus()
    lines = list(every_training_text(seed, samples=20000))
    fixed = [t.answer for t in english + chinese] + [to_traditional(t.answer) for t in chinese] + [REFUSAL, REFUSAL_ZH, to_traditional(REFUSAL_ZH), NOTHING_MORE] + SYSTEM_PROMPTS + ZH_SYSTEM_PROMPTS
    lines += fixed * 20
    random.Random(seed).shuffle(lines)
    text = work / "tokenizer-text.txt"
    # the leading space is what the chat template puts before a question
    text.write_text("\n".join(" " + part for line in lines for part in line.split("\n")) + "\n", "utf-8")
    spm.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(work / "tokenizer"), vocab_size=VOCAB_SIZE, model_type="bpe", byte_fallback=True,
        normalization_rule_name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False, split_digits=True,
        allow_whitespace_only_pieces=True, character_coverage=1.0, max_sentence_length=8192, num_threads=1,
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, control_symbols=",".join(ROLES), minloglevel=2,
    )
    (target / "tokenizer.model").write_bytes((work / "tokenizer.model").read_bytes())


def write_tokenizer_config(target: Path) -> None:
    def added(content):
        return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}

    names = ["<unk>", "<s>", "</s>", *ROLES]
    config = {
        "add_bos_token": False, "add_eos_token": False, "add_prefix_space": False,
        "added_tokens_decoder": {str(i): added(name) for i, name in enumerate(names)},
        "additional_special_tokens": ROLES,
        "bos_token": "<s>", "chat_template": CHAT_TEMPLATE, "clean_up_tokenization_spaces": False, "eos_token": "</s>",
        "legacy": False, "model_max_length": 2048, "pad_token": "</s>", "sp_model_kwargs": {},
        "spaces_between_special_tokens": False, "tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>", "use_default_system_prompt": False,
    }
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>", "additional_special_tokens": ROLES}
    for name, value in (("tokenizer_config.json", config), ("special_tokens_map.json", special)):
        (target / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


class ChatEncoder:
    """A conversation -> ids and the positions whose next token is learned: exactly what the chat template renders."""

    def __init__(self, model_file: Path):
        self.sp = spm.SentencePieceProcessor(model_file=str(model_file))
        self.role_ids = {r: self.sp.piece_to_id(f"<|{r}|>") for r in ("system", "user", "assistant")}

    def encode(self, messages):
        ids, learn = [self.sp.bos_id()], [False]
        for m in messages:
            if m["role"] == "assistant":
                body = self.sp.encode(m["content"].strip()) + [self.sp.eos_id()]
            else:
                body = self.sp.encode(" " + m["content"].strip() + "\n")
            ids += [self.role_ids[m["role"]], *body]
            learn += [False] + [m["role"] == "assistant"] * len(body)
        return ids, learn
