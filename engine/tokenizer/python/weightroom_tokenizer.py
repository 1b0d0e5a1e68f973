"""Answers the requests of the app inside the sandbox: loads a custom tokenizer and encodes and decodes with it. Strings in, strings out."""

import builtins
import importlib
import io
import json
import sys
import traceback
import types

MODEL_FOLDER = "/model"
PACKAGE = "weightroom_model"

_tokenizer = None
# What the answers need, taken before any foreign code runs.
_dumps, _loads = json.dumps, json.loads


class _Silence(io.TextIOBase):
    def write(self, text):
        return len(text)

    def writable(self):
        return True


class _Absent(types.ModuleType):
    """Libraries that tokenizers import without need; using one says so."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(f"{self.__name__} is not in the sandbox ({self.__name__}.{name} was asked for)")


def _bridge(name):
    return name.partition(".")[0] in ("js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core", "micropip")


def prepare():
    """Imports what tokenizers import; what is in memory afterwards is kept for the next start."""
    for name in (
        "abc base64 bisect collections copy dataclasses datetime enum functools hashlib heapq html io itertools logging math operator os pathlib pickle random "
        "re shutil string struct tempfile textwrap time traceback typing unicodedata urllib.parse warnings"
    ).split():
        importlib.import_module(name)
    import regex_stub

    regex_stub.categories()
    sys.modules["regex"] = regex_stub
    import sentencepiece_stub
    import tiktoken_stub
    import transformers_stub

    sys.modules["sentencepiece"] = sentencepiece_stub
    sys.modules["tiktoken"] = tiktoken_stub
    sys.modules["tiktoken.load"] = tiktoken_stub.load
    sys.modules["tiktoken.core"] = tiktoken_stub.core
    transformers_stub.install()
    sys.modules["tokenizers"] = types.ModuleType("tokenizers")
    sys.modules["tokenizers"].AddedToken = transformers_stub.AddedToken


def seal():
    """Takes away what leads from Python to JavaScript. The gate below Python holds even where this is undone."""
    for name in ("torch", "numpy", "tensorflow", "requests", "huggingface_hub"):
        sys.modules[name] = _Absent(name)
    sys.meta_path[:] = [finder for finder in sys.meta_path if not (type(finder).__module__ or "").startswith(("_pyodide", "pyodide"))]
    for name in [name for name in sys.modules if _bridge(name)]:
        sys.modules[name] = None
    for name in ("js", "pyodide", "pyodide_js", "_pyodide_core", "micropip"):
        sys.modules[name] = None
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = _Silence()
    sys.stdin = sys.__stdin__ = io.StringIO("")
    builtins.print = lambda *args, **kwargs: None
    package = types.ModuleType(PACKAGE)
    package.__path__ = [MODEL_FOLDER]
    sys.modules[PACKAGE] = package


def _load(request):
    global _tokenizer
    module, name = request["className"].rsplit(".", 1)
    tokenizer_class = getattr(importlib.import_module(f"{PACKAGE}.{module}"), name)
    _tokenizer = tokenizer_class.from_pretrained(MODEL_FOLDER)
    vocabulary = _tokenizer.get_vocab()
    size = max(len(_tokenizer), max((index for index in vocabulary.values() if isinstance(index, int)), default=-1) + 1)
    size = min(size, request["maxTokens"] + 1)
    special = set(_tokenizer.all_special_ids)
    special.update(index for index, token in _tokenizer.added_tokens_decoder.items() if token.special)
    return {
        "pieces": [_piece(index) for index in range(size)],
        "special": sorted(index for index in special if isinstance(index, int) and 0 <= index < size),
        "named": {key: str(value) for key, value in _tokenizer.special_tokens_map.items()},
        "bosTokenId": _id(_tokenizer.bos_token_id),
        "eosTokenId": _id(_tokenizer.eos_token_id),
    }


def _id(value):
    return value if isinstance(value, int) and value >= 0 else None


_CHARACTERS = None


def _piece(index):
    """A token as the vocabulary writes it; bytes in GPT-2's characters."""
    global _CHARACTERS
    try:
        token = _tokenizer.convert_ids_to_tokens(index)
    except Exception:
        return None
    if isinstance(token, bytes):
        if _CHARACTERS is None:
            from transformers import bytes_to_unicode

            _CHARACTERS = bytes_to_unicode()
        return "".join(map(_CHARACTERS.__getitem__, token))
    return token if isinstance(token, str) else None


def _encode(request):
    options = {"add_special_tokens": request["addSpecial"]}
    if not request["parseSpecial"]:
        # As in Transformers, only tokenizers that cut at added tokens themselves know this switch.
        options["split_special_tokens"] = True
    try:
        ids = _tokenizer.encode(request["text"], **options)
    except TypeError:
        if request["parseSpecial"]:
            raise
        ids = _tokenizer.encode(request["text"], add_special_tokens=request["addSpecial"])
    return {"ids": [int(index) for index in ids]}


def _decode(request):
    return {"texts": [_tokenizer.decode(ids, skip_special_tokens=request["skipSpecial"]) for ids in request["ids"]]}


_ACTIONS = {"load": _load, "encode": _encode, "decode": _decode}


def handle(text):
    try:
        request = _loads(text)
        return _dumps(_ACTIONS[request["do"]](request))
    except MemoryError:
        return '{"problem": "MemoryError: the memory of the sandbox is used up"}'
    except BaseException as problem:
        try:
            last = traceback.extract_tb(problem.__traceback__)[-1]
            where = f" ({last.filename.rsplit('/', 1)[-1]}, line {last.lineno})"
            return _dumps({"problem": f"{type(problem).__name__}: {problem}"[:1000] + where})
        except BaseException:
            return '{"problem": "an exception that cannot be shown"}'
