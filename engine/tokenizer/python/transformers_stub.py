"""What custom tokenizers use of Transformers: the slow PreTrainedTokenizer and what stands around it.
Behaves as transformers 5.18 (tokenization_python.py, tokenization_utils_base.py); models, files of the hub and tensors are left out."""

import copy
import enum
import json
import logging as _logging
import os
import re
import sys
import types

VERY_LARGE_INTEGER = int(1e30)
LARGE_INTEGER = int(1e20)
TextInput = str
PreTokenizedInput = list
EncodedInput = list
TextInputPair = tuple
PreTokenizedInputPair = tuple
EncodedInputPair = tuple


class AddedToken:
    def __init__(self, content="", single_word=False, lstrip=False, rstrip=False, special=False, normalized=None):
        self.content = content
        self.single_word = single_word
        self.lstrip = lstrip
        self.rstrip = rstrip
        self.special = special
        self.normalized = (not special) if normalized is None else normalized

    def __getstate__(self):
        return dict(self.__dict__)

    def __setstate__(self, state):
        self.__dict__.update(state)

    def __eq__(self, other):
        return isinstance(other, AddedToken) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash(self.content)

    def __str__(self):
        return self.content

    def __repr__(self):
        return f"AddedToken({self.content!r}, special={self.special})"


class PaddingStrategy(str, enum.Enum):
    LONGEST = "longest"
    MAX_LENGTH = "max_length"
    DO_NOT_PAD = "do_not_pad"


class TruncationStrategy(str, enum.Enum):
    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"


class TensorType(str, enum.Enum):
    PYTORCH = "pt"
    NUMPY = "np"


class BatchEncoding(dict):
    def __init__(self, data=None, *args, **kwargs):
        super().__init__(data or {})
        self.data = self

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def to(self, *args, **kwargs):
        return self


class Splitter:
    """Cuts a text at added tokens: the leftmost, and of those the longest."""

    def __init__(self):
        self._tokens = set()
        self._lengths = {}
        self._starts = None

    def add(self, word):
        if not word or word in self._tokens:
            return
        self._tokens.add(word)
        lengths = self._lengths.setdefault(word[0], set())
        lengths.add(len(word))
        self._starts = None

    def split(self, text):
        if not self._tokens:
            return [text]
        if self._starts is None:
            self._starts = re.compile("[" + "".join(re.escape(first) for first in self._lengths) + "]")
            self._sorted = {first: sorted(lengths, reverse=True) for first, lengths in self._lengths.items()}
        parts, begin, at = [], 0, 0
        while (found := self._starts.search(text, at)) is not None:
            at = found.start()
            length = next((size for size in self._sorted[text[at]] if text[at : at + size] in self._tokens), 0)
            if length == 0:
                at += 1
                continue
            if at > begin:
                parts.append(text[begin:at])
            parts.append(text[at : at + length])
            begin = at = at + length
        if begin < len(text):
            parts.append(text[begin:])
        return parts


class SpecialTokensMixin:
    SPECIAL_TOKENS_ATTRIBUTES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]


def _name_of(key):
    """The attribute behind `bos_token_id` and the like, and whether an id was asked for."""
    for ending in ("_ids", "_id"):
        if key.endswith(ending):
            return key[: -len(ending)], True
    return key, False


class PreTrainedTokenizerBase(SpecialTokensMixin):
    vocab_files_names = {}
    pretrained_vocab_files_map = {}
    max_model_input_sizes = {}
    model_input_names = ["input_ids", "attention_mask"]
    padding_side = "right"
    truncation_side = "right"
    slow_tokenizer_class = None
    is_fast = False

    def __init__(self, **kwargs):
        if "additional_special_tokens" in kwargs and "extra_special_tokens" not in kwargs:
            kwargs["extra_special_tokens"] = kwargs.pop("additional_special_tokens")
        self.init_inputs = ()
        self.init_kwargs = copy.deepcopy(kwargs)
        self.name_or_path = kwargs.pop("name_or_path", "")
        self.verbose = kwargs.pop("verbose", False)
        self._pad_token_type_id = 0
        self._special_tokens_map = dict.fromkeys(self.SPECIAL_TOKENS_ATTRIBUTES)
        self._extra_special_tokens = []
        own = dict(kwargs.pop("model_specific_special_tokens", None) or {})
        for key in list(kwargs):
            value = kwargs[key]
            if key in self.SPECIAL_TOKENS_ATTRIBUTES:
                kwargs.pop(key)
                if value is None:
                    continue
                if not isinstance(value, (str, AddedToken)):
                    raise TypeError(f"Special token {key} has to be either str or AddedToken but got: {type(value)}")
                self._special_tokens_map[key] = value
            elif key in ("extra_special_tokens", "additional_special_tokens"):
                kwargs.pop(key)
                if isinstance(value, dict):
                    own.update(value)
                elif value is not None:
                    self._extra_special_tokens = list(value)
            elif key.endswith("_token") and isinstance(value, (str, AddedToken)):
                own.setdefault(key, kwargs.pop(key))
        length = kwargs.pop("model_max_length", kwargs.pop("max_len", None))
        self.model_max_length = VERY_LARGE_INTEGER if length is None else length
        self.padding_side = kwargs.pop("padding_side", self.padding_side)
        self.truncation_side = kwargs.pop("truncation_side", self.truncation_side)
        self.model_input_names = kwargs.pop("model_input_names", self.model_input_names)
        self.clean_up_tokenization_spaces = kwargs.pop("clean_up_tokenization_spaces", False)
        self.split_special_tokens = kwargs.pop("split_special_tokens", False)
        self.chat_template = kwargs.pop("chat_template", None)
        self.deprecation_warnings = {}
        if own:
            self.SPECIAL_TOKENS_ATTRIBUTES = self.SPECIAL_TOKENS_ATTRIBUTES + list(own)
            self._special_tokens_map.update(own)

    def __setattr__(self, key, value):
        name, is_id = _name_of(key)
        if name in self.SPECIAL_TOKENS_ATTRIBUTES and not hasattr(type(self), key):
            if is_id and value is not None:
                value = self.convert_ids_to_tokens(value)
            if value is not None and not isinstance(value, (str, AddedToken)):
                raise ValueError(f"Cannot set a non-string value as the {name}")
            self._special_tokens_map[name] = value
        elif name in ("extra_special_tokens", "additional_special_tokens") and not hasattr(type(self), key):
            self._extra_special_tokens = [] if value is None else [self.convert_ids_to_tokens(each) if is_id else each for each in value]
        else:
            super().__setattr__(key, value)

    def __getattr__(self, key):
        name, is_id = _name_of(key)
        if name in self.SPECIAL_TOKENS_ATTRIBUTES:
            value = self.__dict__.get("_special_tokens_map", {}).get(name)
            if value is None:
                return None
            return self.convert_tokens_to_ids(str(value)) if is_id else str(value)
        if name in ("extra_special_tokens", "additional_special_tokens"):
            tokens = [str(token) for token in self.__dict__.get("_extra_special_tokens", [])]
            return self.convert_tokens_to_ids(tokens) if is_id else tokens
        raise AttributeError(f"{type(self).__name__} has no attribute {key}")

    @property
    def special_tokens_map(self):
        named = {key: self._special_tokens_map.get(key) for key in self.SPECIAL_TOKENS_ATTRIBUTES}
        return {key: str(value) for key, value in named.items() if value is not None}

    @property
    def special_tokens_map_extended(self):
        return self.special_tokens_map

    @property
    def all_special_tokens(self):
        return list(dict.fromkeys([*self.special_tokens_map.values(), *map(str, self._extra_special_tokens)]))

    all_special_tokens_extended = all_special_tokens

    @property
    def all_special_ids(self):
        return self.convert_tokens_to_ids(self.all_special_tokens)

    @property
    def pad_token_type_id(self):
        return self._pad_token_type_id

    def sanitize_special_tokens(self):
        return self.add_tokens(self.all_special_tokens, special_tokens=True)

    def add_special_tokens(self, special_tokens_dict, replace_extra_special_tokens=True, replace_additional_special_tokens=True):
        added = []
        for key, value in dict(special_tokens_dict or {}).items():
            if key in ("additional_special_tokens", "extra_special_tokens"):
                tokens = [self._as_special(each) for each in value]
                if replace_extra_special_tokens and replace_additional_special_tokens:
                    self._extra_special_tokens = list(tokens)
                else:
                    self._extra_special_tokens.extend(tokens)
                added.extend(tokens)
            else:
                token = self._as_special(value)
                setattr(self, key, token)
                added.append(token)
        return self.add_tokens(added, special_tokens=True)

    @staticmethod
    def _as_special(value):
        return value if isinstance(value, AddedToken) else AddedToken(value, normalized=False, special=True)

    def add_tokens(self, new_tokens, special_tokens=False):
        if not new_tokens:
            return 0
        return self._add_tokens(new_tokens if isinstance(new_tokens, (list, tuple)) else [new_tokens], special_tokens=special_tokens)

    @staticmethod
    def clean_up_tokenization(text):
        for found, put in (
            (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"),
            (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
        ):
            text = text.replace(found, put)
        return text

    def save_pretrained(self, *args, **kwargs):
        raise OSError("nothing can be saved in the sandbox")

    def apply_chat_template(self, *args, **kwargs):
        raise NotImplementedError("chat templates are rendered outside of the sandbox")


class PreTrainedTokenizer(PreTrainedTokenizerBase):
    def __init__(self, **kwargs):
        self.tokens_trie = Splitter()
        if not hasattr(self, "_added_tokens_decoder"):
            self._added_tokens_decoder = {}
        self._added_tokens_encoder = {}
        for index, token in (kwargs.pop("added_tokens_decoder", None) or {}).items():
            if isinstance(token, dict):
                token = AddedToken(**token)
            self._added_tokens_decoder[int(index)] = token
        self._added_tokens_encoder.update({token.content: index for index, token in self._added_tokens_decoder.items()})
        self.special_tokens_pattern = kwargs.pop("special_tokens_pattern", None)
        super().__init__(**kwargs)
        missing = [token for token in self.all_special_tokens if token not in self._added_tokens_encoder]
        self._add_tokens(missing, special_tokens=True)

    @property
    def added_tokens_encoder(self):
        return {token.content: index for index, token in sorted(self._added_tokens_decoder.items())}

    @property
    def added_tokens_decoder(self):
        return dict(sorted(self._added_tokens_decoder.items()))

    @added_tokens_decoder.setter
    def added_tokens_decoder(self, value):
        for index, token in value.items():
            self._added_tokens_decoder[index] = AddedToken(token) if isinstance(token, str) else token
            self._added_tokens_encoder[str(token)] = index

    def get_added_vocab(self):
        return self._added_tokens_encoder

    def __len__(self):
        return len(self.get_vocab())

    def _add_tokens(self, new_tokens, special_tokens=False):
        added = 0
        if new_tokens is None:
            return added
        vocabulary = dict(self.get_vocab())
        next_index = len(vocabulary)
        for token in new_tokens:
            if not isinstance(token, (str, AddedToken)):
                raise TypeError(f"Token {token} is not a string but a {type(token)}.")
            if str(token) == "":
                continue
            if isinstance(token, str):
                if token in self._added_tokens_encoder:
                    continue
                special = special_tokens or token in self.all_special_tokens
                token = AddedToken(token, normalized=not special, special=special)
            elif special_tokens:
                token.special = True
            if not token.special and token.normalized and getattr(self, "do_lower_case", False):
                token.content = token.content.lower()
            index = vocabulary.get(token.content)
            if index is None:
                index = next_index + added
                vocabulary[token.content] = index
                added += 1
            if token.special and token.content not in self.all_special_tokens:
                self._extra_special_tokens.append(token)
            self._added_tokens_decoder[index] = token
            self._added_tokens_encoder[token.content] = index
        self._update_trie()
        return added

    def _update_trie(self, unique_no_split_tokens=None):
        for token in self._added_tokens_decoder.values():
            self.tokens_trie.add(token.content)
        for token in unique_no_split_tokens or []:
            self.tokens_trie.add(token)

    def num_special_tokens_to_add(self, pair=False):
        return len(self.build_inputs_with_special_tokens([], [] if pair else None))

    def prepare_for_tokenization(self, text, is_split_into_words=False, **kwargs):
        return (text, kwargs)

    def tokenize(self, text, **kwargs):
        split_special = kwargs.pop("split_special_tokens", self.split_special_tokens)
        text, kwargs = self.prepare_for_tokenization(text, **kwargs)
        if split_special:
            return self._tokenize(text)
        added = self._added_tokens_encoder
        parts = self.tokens_trie.split(text)
        for at, part in enumerate(parts):
            token = self._added_tokens_decoder.get(added[part]) if part in added else None
            if not isinstance(token, AddedToken):
                continue
            left = parts[at - 1] if at > 0 else None
            right = parts[at + 1] if at + 1 < len(parts) else None
            if token.rstrip and right:
                parts[at + 1] = right.lstrip()
            if token.lstrip and left:
                parts[at - 1] = left.rstrip()
            if token.single_word and left and left[-1] != " ":
                parts[at - 1] += part
                parts[at] = ""
            elif token.single_word and right and right[0] != " ":
                parts[at + 1] = part + parts[at + 1]
                parts[at] = ""
        special = set(self.all_special_tokens)
        result = []
        for part in parts:
            if part in added or part in special:
                result.append(part)
            elif part:
                result.extend(self._tokenize(part))
        return result

    def _tokenize(self, text, **kwargs):
        raise NotImplementedError

    def _convert_token_to_id(self, token):
        raise NotImplementedError

    def _convert_id_to_token(self, index):
        raise NotImplementedError

    def _convert_token_to_id_with_added_voc(self, token):
        if token in self._added_tokens_encoder:
            return self._added_tokens_encoder[token]
        return self._convert_token_to_id(token)

    def convert_tokens_to_ids(self, tokens):
        if tokens is None:
            return None
        if isinstance(tokens, (str, bytes)):
            return self._convert_token_to_id_with_added_voc(tokens)
        return [self._convert_token_to_id_with_added_voc(token) for token in tokens]

    def convert_ids_to_tokens(self, ids, skip_special_tokens=False):
        if isinstance(ids, int):
            token = self._added_tokens_decoder.get(ids)
            return self._convert_id_to_token(ids) if token is None else token.content
        skipped = set(self.all_special_ids) if skip_special_tokens else set()
        added = self._added_tokens_decoder
        return [added[index].content if index in added else self._convert_id_to_token(index) for index in map(int, ids) if index not in skipped]

    def convert_tokens_to_string(self, tokens):
        return " ".join(tokens)

    def build_inputs_with_special_tokens(self, token_ids_0, token_ids_1=None):
        return token_ids_0 if token_ids_1 is None else token_ids_0 + token_ids_1

    def create_token_type_ids_from_sequences(self, token_ids_0, token_ids_1=None):
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))

    def get_special_tokens_mask(self, token_ids_0, token_ids_1=None, already_has_special_tokens=False):
        special = set(self.all_special_ids) if already_has_special_tokens else set()
        return [int(index in special) for index in token_ids_0 + (token_ids_1 or [])]

    def prepare_for_model(self, ids, pair_ids=None, add_special_tokens=True, **kwargs):
        if add_special_tokens:
            ids = self.build_inputs_with_special_tokens(ids, pair_ids)
        else:
            ids = ids + (pair_ids or [])
        return BatchEncoding({"input_ids": ids, "attention_mask": [1] * len(ids)})

    def pad(self, encoded_inputs, *args, **kwargs):
        return encoded_inputs

    def encode_plus(self, text, text_pair=None, add_special_tokens=True, **kwargs):
        for option in ("padding", "truncation", "max_length", "return_tensors", "return_attention_mask", "return_token_type_ids", "verbose"):
            kwargs.pop(option, None)
        first = self.convert_tokens_to_ids(self.tokenize(text, **kwargs))
        second = None if text_pair is None else self.convert_tokens_to_ids(self.tokenize(text_pair, **kwargs))
        return self.prepare_for_model(first, pair_ids=second, add_special_tokens=add_special_tokens)

    _encode_plus = encode_plus

    def encode(self, text, text_pair=None, add_special_tokens=True, **kwargs):
        return self.encode_plus(text, text_pair, add_special_tokens=add_special_tokens, **kwargs)["input_ids"]

    def __call__(self, text, text_pair=None, add_special_tokens=True, **kwargs):
        return self.encode_plus(text, text_pair, add_special_tokens=add_special_tokens, **kwargs)

    def decode(self, token_ids, skip_special_tokens=False, clean_up_tokenization_spaces=None, **kwargs):
        return self._decode(
            token_ids, skip_special_tokens=skip_special_tokens, clean_up_tokenization_spaces=clean_up_tokenization_spaces, **kwargs
        )

    def _decode(self, token_ids, skip_special_tokens=False, clean_up_tokenization_spaces=None, **kwargs):
        tokens = self.convert_ids_to_tokens(token_ids, skip_special_tokens=skip_special_tokens)
        text = self.convert_tokens_to_string(tokens if isinstance(tokens, list) else [tokens])
        clean = self.clean_up_tokenization_spaces if clean_up_tokenization_spaces is None else clean_up_tokenization_spaces
        return self.clean_up_tokenization(text) if clean else text

    def batch_decode(self, sequences, **kwargs):
        return [self.decode(each, **kwargs) for each in sequences]

    @classmethod
    def register_for_auto_class(cls, *args, **kwargs):
        return None

    @classmethod
    def from_pretrained(cls, folder, **overrides):
        """Builds the tokenizer from the files of a folder, as transformers does with a directory."""

        def read(name):
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                return None
            with open(path, encoding="utf-8") as file:
                return json.load(file)

        options = read("tokenizer_config.json") or {}
        for key in ("auto_map", "tokenizer_class", "fast_tokenizer_files", "tokenizer_file", "backend", "processor_class"):
            options.pop(key, None)
        by_content = {}
        added = {}
        if "added_tokens_decoder" in options:
            for index, token in options["added_tokens_decoder"].items():
                added[int(index)] = AddedToken(**token) if isinstance(token, dict) else token
        else:
            for key, value in (read("special_tokens_map.json") or {}).items():
                if isinstance(value, dict):
                    value.pop("special", None)
                    value = AddedToken(**value, special=True)
                elif isinstance(value, list):
                    value = [AddedToken(**each, special=True) if isinstance(each, dict) else each for each in value]
                options[key] = value
            special = {str(options[key]) for key in cls.SPECIAL_TOKENS_ATTRIBUTES if options.get(key)}
            special.update(map(str, options.get("extra_special_tokens") or options.get("additional_special_tokens") or []))
            for content, index in (read("added_tokens.json") or {}).items():
                added[index] = AddedToken(content, normalized=content not in special, special=content in special)
        by_content = {str(token): token for token in added.values()}
        options["added_tokens_decoder"] = added
        options = _revive(options)
        for key in cls.SPECIAL_TOKENS_ATTRIBUTES:
            if options.get(key) is not None:
                options[key] = by_content.get(str(options[key]), options[key])
        for argument, name in cls.vocab_files_names.items():
            path = os.path.join(folder, name)
            options[argument] = path if os.path.isfile(path) else None
        options["name_or_path"] = folder
        options.update(overrides)
        return cls(**options)


def _revive(value):
    if isinstance(value, dict):
        if value.get("__type") == "AddedToken":
            return AddedToken(**{key: each for key, each in value.items() if key != "__type"})
        return {key: _revive(each) for key, each in value.items()}
    return [_revive(each) for each in value] if isinstance(value, list) else value


class PreTrainedTokenizerFast:
    def __init__(self, *args, **kwargs):
        raise NotImplementedError("fast tokenizers are read from tokenizer.json, not run in the sandbox")


class PretrainedConfig:
    def __init__(self, **kwargs):
        self.__dict__.update(kwargs)


class _Logging(types.ModuleType):
    @staticmethod
    def get_logger(name=None):
        return _logger

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_logging, name, lambda *args, **kwargs: None)


class _Logger(_logging.Logger):
    def warning_once(self, *args, **kwargs):
        return None


_logger = _Logger("transformers")
_logger.addHandler(_logging.NullHandler())
_logger.propagate = False


def bytes_to_unicode():
    """GPT-2's characters for bytes: printable ones stand for themselves, the others follow from 256 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + at) for at, byte in enumerate(others)}


def _nothing(*args, **kwargs):
    return lambda function: function


def _false(*args, **kwargs):
    return False


def install():
    """Makes `transformers` and its submodules importable."""
    shared = {
        name: value
        for name, value in globals().items()
        if isinstance(value, type) or name in ("bytes_to_unicode", "VERY_LARGE_INTEGER", "LARGE_INTEGER")
    }
    shared |= {name: value for name, value in globals().items() if name.endswith(("Input", "InputPair"))}
    shared |= {
        "add_end_docstrings": _nothing, "add_start_docstrings": _nothing, "requires_backends": _false, "Trie": Splitter,
        "is_torch_available": _false, "is_tf_available": _false, "is_flax_available": _false, "to_py_obj": lambda value: value,
        "__version__": "5.18.0", "PythonBackend": PreTrainedTokenizer, "SPIECE_UNDERLINE": "\u2581",
        "INIT_TOKENIZER_DOCSTRING": "", "ENCODE_KWARGS_DOCSTRING": "", "ENCODE_PLUS_ADDITIONAL_KWARGS_DOCSTRING": "",
    }
    logging = _Logging("transformers.utils.logging")
    for name in (
        "transformers", "transformers.tokenization_utils", "transformers.tokenization_utils_base", "transformers.tokenization_python",
        "transformers.utils", "transformers.utils.generic", "transformers.file_utils", "transformers.configuration_utils",
        "transformers.convert_slow_tokenizer", "transformers.models", "transformers.models.gpt2",
        "transformers.models.gpt2.tokenization_gpt2", "transformers.tokenization_utils_fast",
    ):
        module = types.ModuleType(name)
        module.__path__ = []
        module.__dict__.update(shared)
        module.logging = logging
        sys.modules[name] = module
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, module)
    sys.modules["transformers.utils.logging"] = logging
