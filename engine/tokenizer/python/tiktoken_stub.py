"""tiktoken's Encoding and the loader of its ranks. Follows tiktoken 0.12 (core.py, src/lib.rs)."""

import base64
import functools
import types

import regex


def load_tiktoken_bpe(tiktoken_bpe_file, expected_hash=None):
    with open(tiktoken_bpe_file, "rb") as file:
        lines = [line.split() for line in file.read().splitlines() if line]
    return {base64.b64decode(token): int(rank) for token, rank in lines}


class Encoding:
    def __init__(self, name, *, pat_str, mergeable_ranks, special_tokens, explicit_n_vocab=None):
        self.name = name
        self._pat_str = pat_str
        self._mergeable_ranks = mergeable_ranks
        self._special_tokens = special_tokens
        self._pattern = regex.compile(pat_str)
        self._texts = {rank: token for token, rank in mergeable_ranks.items()}
        self._special_texts = {rank: token.encode("utf-8") for token, rank in special_tokens.items()}
        self.max_token_value = max(max(mergeable_ranks.values(), default=0), max(special_tokens.values(), default=0))
        if explicit_n_vocab:
            assert len(mergeable_ranks) + len(special_tokens) == explicit_n_vocab
            assert self.max_token_value == explicit_n_vocab - 1

    @property
    def n_vocab(self):
        return self.max_token_value + 1

    @property
    def eot_token(self):
        return self._special_tokens["<|endoftext|>"]

    @property
    def special_tokens_set(self):
        return set(self._special_tokens)

    def is_special_token(self, token):
        return token in self._special_texts

    def _merge(self, piece):
        ranks = self._mergeable_ranks
        whole = ranks.get(piece)
        if whole is not None:
            return [whole]
        parts = [piece[at : at + 1] for at in range(len(piece))]
        pairs = [ranks.get(parts[at] + parts[at + 1]) for at in range(len(parts) - 1)]
        while True:
            best, place = None, 0
            for at, rank in enumerate(pairs):
                if rank is not None and (best is None or rank < best):
                    best, place = rank, at
            if best is None:
                break
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
            del pairs[place]
            if place < len(pairs):
                pairs[place] = ranks.get(parts[place] + parts[place + 1])
            if place > 0:
                pairs[place - 1] = ranks.get(parts[place - 1] + parts[place])
        return [ranks[part] for part in parts]

    def encode_ordinary(self, text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        merge = functools.lru_cache(8192)(self._merge)
        ids = []
        for found in self._pattern.finditer(text):
            ids.extend(merge(found[0].encode("utf-8")))
        return ids

    def encode(self, text, *, allowed_special=frozenset(), disallowed_special="all"):
        known = self.special_tokens_set
        allowed = known if allowed_special == "all" else set(allowed_special)
        refused = known - allowed if disallowed_special == "all" else set(disallowed_special)
        for token in refused:
            if token in text:
                raise ValueError(f"Encountered text corresponding to disallowed special token {token!r}.")
        allowed &= known
        if not allowed:
            return self.encode_ordinary(text)
        ids, at = [], 0
        for found in _alternatives(frozenset(allowed)).finditer(text):
            ids.extend(self.encode_ordinary(text[at : found.start()]))
            ids.append(self._special_tokens[found[0]])
            at = found.end()
        ids.extend(self.encode_ordinary(text[at:]))
        return ids

    def encode_single_token(self, text_or_bytes):
        data = text_or_bytes.encode("utf-8") if isinstance(text_or_bytes, str) else text_or_bytes
        rank = self._mergeable_ranks.get(data)
        return self._special_tokens[data.decode("utf-8")] if rank is None else rank

    def encode_batch(self, texts, **options):
        return [self.encode(text, **options) for text in texts]

    def encode_ordinary_batch(self, texts, **options):
        return [self.encode_ordinary(text) for text in texts]

    def decode_single_token_bytes(self, token):
        found = self._texts.get(token)
        return self._special_texts[token] if found is None else found

    def decode_bytes(self, tokens):
        return b"".join(map(self.decode_single_token_bytes, tokens))

    def decode(self, tokens, errors="replace"):
        return self.decode_bytes(tokens).decode("utf-8", errors=errors)

    def decode_tokens_bytes(self, tokens):
        return [self.decode_single_token_bytes(token) for token in tokens]

    def token_byte_values(self):
        return [self._texts[rank] for rank in sorted(self._texts)]


@functools.lru_cache(64)
def _alternatives(tokens):
    return regex._re.compile("|".join(map(regex.escape, sorted(tokens, key=len, reverse=True))))


load = types.ModuleType("tiktoken.load")
load.load_tiktoken_bpe = load_tiktoken_bpe
core = types.ModuleType("tiktoken.core")
core.Encoding = Encoding


def get_encoding(name):
    raise ValueError(f"the encoding {name} would have to be downloaded; the sandbox has no network")


encoding_for_model = get_encoding
