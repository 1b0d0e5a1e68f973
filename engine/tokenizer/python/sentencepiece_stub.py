"""SentencePieceProcessor in Python: the parts of sentencepiece 0.2 that custom tokenizers use.
Follows sentencepiece_model.proto, normalizer.cc, bpe_model.cc, unigram_model.cc and sentencepiece_processor.cc."""

import heapq
import struct

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
SPACE = "\u2581"
_UNKNOWN_PENALTY = 10.0


def _fields(data):
    """(number, value) of a protobuf message: an int, or bytes; floats stay their four bytes."""
    at, end = 0, len(data)

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at += 1
            if byte < 128:
                return value, at
            shift += 7

    while at < end:
        key, at = varint(at)
        kind = key & 7
        if kind == 0:
            value, at = varint(at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at : at + size], at + size
        elif kind == 2:
            size, at = varint(at)
            value, at = data[at : at + size], at + size
        else:
            raise RuntimeError("the model file is broken")
        yield key >> 3, value


class _Charsmap:
    """Normalization rules as a double-array trie (Darts) with the replacements behind it."""

    def __init__(self, blob):
        size = struct.unpack_from("<I", blob)[0]
        self.units = struct.unpack_from(f"<{size // 4}I", blob, 4)
        self.texts = blob[4 + size :]

    def prefix(self, data, start):
        """Length of the longest rule at `start` and its replacement, or (0, b"")."""
        units = self.units

        def offset(unit):
            return (unit >> 10) << ((unit & 512) >> 6)

        best, length = None, 0
        position = offset(units[0])
        for at in range(start, len(data)):
            byte = data[at]
            position ^= byte
            if position >= len(units):
                break
            unit = units[position]
            if unit & 0x800000FF != byte:
                break
            position ^= offset(unit)
            if (unit >> 8) & 1:
                best, length = units[position] & 0x7FFFFFFF, at + 1 - start
        if best is None:
            return 0, b""
        return length, self.texts[best : self.texts.index(0, best)]


class SentencePieceProcessor:
    def __init__(self, model_file=None, model_proto=None, add_bos=False, add_eos=False, **options):
        self.add_bos, self.add_eos = add_bos, add_eos
        self.pieces = []
        if model_file:
            self.Load(model_file)
        elif model_proto:
            self.LoadFromSerializedProto(model_proto)

    # Loading

    def Load(self, model_file=None, model_proto=None):
        if model_proto:
            return self.LoadFromSerializedProto(model_proto)
        with open(model_file, "rb") as file:
            return self.LoadFromSerializedProto(file.read())

    load = LoadFromFile = Load

    def LoadFromSerializedProto(self, data):
        self.pieces, self.scores, self.types = [], [], []
        self.kind, self.byte_fallback, self.unknown_surface, self.suffix = 1, False, " \u2047 ", False
        special = {"unk": (40, 45, 0), "bos": (41, 46, 1), "eos": (42, 47, 2), "pad": (43, 48, -1)}
        numbers = {name: default for name, (_, _, default) in special.items()}
        names = {"unk": "<unk>", "bos": "<s>", "eos": "</s>", "pad": "<pad>"}
        self.dummy_prefix, self.remove_extra, self.escape, charsmap = True, True, True, b""
        for number, value in _fields(bytes(data)):
            if number == 1:
                piece, score, kind = "", 0.0, NORMAL
                for inner, each in _fields(value):
                    if inner == 1:
                        piece = each.decode("utf-8")
                    elif inner == 2:
                        score = struct.unpack("<f", each)[0]
                    elif inner == 3:
                        kind = each
                self.pieces.append(piece)
                self.scores.append(score)
                self.types.append(kind)
            elif number == 2:
                for inner, each in _fields(value):
                    if inner == 3:
                        self.kind = each
                    elif inner == 24:
                        self.suffix = bool(each)
                    elif inner == 35:
                        self.byte_fallback = bool(each)
                    elif inner == 44:
                        self.unknown_surface = each.decode("utf-8")
                    for name, (id_field, piece_field, _) in special.items():
                        if inner == id_field:
                            numbers[name] = each - (1 << 64) if each >= 1 << 63 else each
                        elif inner == piece_field:
                            names[name] = each.decode("utf-8")
            elif number == 3:
                for inner, each in _fields(value):
                    if inner == 2:
                        charsmap = each
                    elif inner == 3:
                        self.dummy_prefix = bool(each)
                    elif inner == 4:
                        self.remove_extra = bool(each)
                    elif inner == 5:
                        self.escape = bool(each)
        if self.kind not in (1, 2):
            raise RuntimeError("only BPE and Unigram models are run in the sandbox")
        self.charsmap = _Charsmap(charsmap) if charsmap else None
        self.ids = {}
        self.matchable = {}
        self.user_defined = {}
        for index, piece in enumerate(self.pieces):
            self.ids.setdefault(piece, index)
            if self.types[index] in (NORMAL, USER_DEFINED, UNUSED):
                self.matchable.setdefault(piece, index)
            if self.types[index] == USER_DEFINED:
                self.user_defined.setdefault(piece[0], []).append(piece)
        for each in self.user_defined.values():
            each.sort(key=len, reverse=True)
        self.user_bytes = {}
        for each in self.user_defined.values():
            for piece in each:
                self.user_bytes.setdefault(piece.encode("utf-8")[0], []).append(piece.encode("utf-8"))
        for each in self.user_bytes.values():
            each.sort(key=len, reverse=True)
        self.unknown = self.types.index(UNKNOWN) if UNKNOWN in self.types else 0
        self.byte_ids = {piece: index for index, piece in enumerate(self.pieces) if self.types[index] == BYTE}
        self.longest = max(map(len, self.pieces), default=0)
        normal = [self.scores[index] for index, kind in enumerate(self.types) if kind == NORMAL]
        self.lowest, self.highest = min(normal, default=0.0), max(normal, default=0.0)
        self._numbers = {}
        for name in names:
            index = self.ids.get(names[name], self.unknown)
            usable = self.types[index] == (UNKNOWN if name == "unk" else CONTROL) if self.pieces else False
            self._numbers[name] = index if usable and (name == "unk" or names[name] in self.ids) else -1
        return True

    load_from_serialized_proto = LoadFromSerializedProto

    # Facts

    def GetPieceSize(self):
        return len(self.pieces)

    get_piece_size = vocab_size = piece_size = GetPieceSize
    __len__ = GetPieceSize

    def _each(self, one, many):
        return [one(each) for each in many] if isinstance(many, (list, tuple)) else one(many)

    def PieceToId(self, piece):
        return self._each(lambda each: self.ids.get(each.decode("utf-8") if isinstance(each, bytes) else each, self.unknown), piece)

    def IdToPiece(self, index):
        return self._each(self._piece, index)

    def _piece(self, index):
        if not 0 <= index < len(self.pieces):
            raise IndexError("piece id is out of range.")
        return self.pieces[index]

    piece_to_id, id_to_piece = PieceToId, IdToPiece

    def GetScore(self, index):
        return self._each(lambda each: self.scores[each], index)

    get_score = GetScore

    def IsUnknown(self, index):
        return self._each(lambda each: self.types[each] == UNKNOWN, index)

    def IsControl(self, index):
        return self._each(lambda each: self.types[each] == CONTROL, index)

    def IsUnused(self, index):
        return self._each(lambda each: self.types[each] == UNUSED, index)

    def IsByte(self, index):
        return self._each(lambda each: self.types[each] == BYTE, index)

    is_unknown, is_control, is_unused, is_byte = IsUnknown, IsControl, IsUnused, IsByte

    def unk_id(self):
        return self._numbers["unk"]

    def bos_id(self):
        return self._numbers["bos"]

    def eos_id(self):
        return self._numbers["eos"]

    def pad_id(self):
        return self._numbers["pad"]

    # Normalizing

    def _normalize(self, text):
        if self.charsmap is not None:
            data = text.encode("utf-8", "replace")
            out, at = bytearray(), 0
            while at < len(data):
                # Symbols that a user defined are not normalized.
                kept = next((symbol for symbol in self.user_bytes.get(data[at], ()) if data.startswith(symbol, at)), b"")
                size, put = (len(kept), kept) if kept else self.charsmap.prefix(data, at)
                if size == 0:
                    first = data[at]
                    size = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
                    put = data[at : at + size]
                out += put
                at += size
            text = out.decode("utf-8", "replace")
        if self.remove_extra:
            text = " ".join(word for word in text.split(" ") if word)
        if not text:
            return ""
        if self.dummy_prefix:
            text = text + " " if self.suffix else " " + text
        if self.escape:
            text = text.replace(" ", SPACE)
        if self.remove_extra:
            text = text.rstrip(SPACE if self.escape else " ")
        return text

    # Encoding

    def _symbols(self, text):
        """Characters, and the user-defined symbols as wholes."""
        at = 0
        while at < len(text):
            found = next((piece for piece in self.user_defined.get(text[at], ()) if text.startswith(piece, at)), None)
            yield found or text[at], found is not None
            at += len(found or text[at])

    def _bpe(self, text):
        symbols = []
        frozen = []
        for symbol, is_frozen in self._symbols(text):
            symbols.append(symbol)
            frozen.append(is_frozen)
        count = len(symbols)
        after = list(range(1, count + 1))
        before = list(range(-1, count - 1))
        queue = []
        matchable, scores = self.matchable, self.scores
        unused = {}

        def offer(left, right):
            if left < 0 or right >= count or frozen[left] or frozen[right]:
                return
            joined = symbols[left] + symbols[right]
            index = matchable.get(joined)
            if index is None:
                return
            if self.types[index] == UNUSED:
                unused[joined] = (symbols[left], symbols[right])
            heapq.heappush(queue, (-scores[index], left, right, joined))

        for at in range(count - 1):
            offer(at, at + 1)
        while queue:
            _, left, right, joined = heapq.heappop(queue)
            if symbols[left] == "" or symbols[right] == "" or symbols[left] + symbols[right] != joined or after[left] != right:
                continue
            symbols[left], symbols[right] = joined, ""
            after[left] = after[right]
            if after[right] < count:
                before[after[right]] = left
            offer(before[left], left)
            offer(left, after[left])

        def resegment(symbol):
            if symbol in unused and self.types[self.ids[symbol]] == UNUSED:
                first, second = unused[symbol]
                return resegment(first) + resegment(second)
            return [symbol]

        return [part for symbol in symbols if symbol for part in resegment(symbol)]

    def _unigram(self, text):
        size = len(text)
        best = [float("-inf")] * (size + 1)
        step = [0] * (size + 1)
        best[0] = 0.0
        unknown_score = self.lowest - _UNKNOWN_PENALTY
        user = self.user_defined
        for at in range(size):
            if best[at] == float("-inf"):
                continue
            single = False
            for length in range(1, min(self.longest, size - at) + 1):
                piece = text[at : at + length]
                index = self.matchable.get(piece)
                if index is None or self.types[index] == UNUSED:
                    continue
                single = single or length == 1
                # A user-defined symbol is always better than what it is made of.
                own = len(piece.encode("utf-8")) * self.highest - 0.1 if self.types[index] == USER_DEFINED else self.scores[index]
                if best[at] + own > best[at + length]:
                    best[at + length], step[at + length] = best[at] + own, length
            if not single and best[at] + unknown_score > best[at + 1]:
                best[at + 1], step[at + 1] = best[at] + unknown_score, 1
        parts, at = [], size
        while at > 0:
            parts.append(text[at - step[at] : at])
            at -= step[at]
        return parts[::-1]

    def _pieces(self, text):
        """(piece as written, id) of a text."""
        text = self._normalize(text)
        if not text:
            return []
        result = []
        for part in self._bpe(text) if self.kind == 2 else self._unigram(text):
            index = self.matchable.get(part, self.unknown)
            if index != self.unknown:
                result.append((part, index))
            elif self.byte_fallback:
                for byte in part.encode("utf-8"):
                    piece = f"<0x{byte:02X}>"
                    result.append((piece, self.byte_ids[piece]))
            elif result and result[-1][1] == self.unknown:
                # Neighbours that are unknown become one.
                result[-1] = (result[-1][0] + part, self.unknown)
            else:
                result.append((part, self.unknown))
        return result

    def Encode(self, input, out_type=int, add_bos=None, add_eos=None, **options):
        if isinstance(input, (list, tuple)):
            return [self.Encode(each, out_type=out_type, add_bos=add_bos, add_eos=add_eos) for each in input]
        pairs = self._pieces(input)
        if self.add_bos if add_bos is None else add_bos:
            pairs = [(self.pieces[self.bos_id()], self.bos_id())] + pairs
        if self.add_eos if add_eos is None else add_eos:
            pairs = pairs + [(self.pieces[self.eos_id()], self.eos_id())]
        return [piece for piece, _ in pairs] if out_type in (str, "str") else [index for _, index in pairs]

    encode = Encode

    def EncodeAsPieces(self, input, **options):
        return self.Encode(input, out_type=str, **options)

    def EncodeAsIds(self, input, **options):
        return self.Encode(input, out_type=int, **options)

    encode_as_pieces, encode_as_ids = EncodeAsPieces, EncodeAsIds
    tokenize = Tokenize = EncodeAsPieces

    # Decoding

    def _text_of(self, pieces):
        out, held, start = [], bytearray(), True

        def flush():
            if held:
                out.append(_utf8(bytes(held)))
                held.clear()

        for piece in pieces:
            index = self.ids.get(piece, self.unknown)
            if self.types[index] == BYTE:
                held.append(int(piece[3:5], 16))
                start = False
                continue
            flush()
            if self.types[index] == CONTROL:
                continue
            if self.types[index] == UNKNOWN:
                out.append(self.unknown_surface if piece == self.pieces[self.unknown] else piece.replace(SPACE, " "))
                start = False
                continue
            if start and (self.dummy_prefix or self.remove_extra) and not self.suffix and piece.startswith(SPACE):
                piece = piece[1:]
                # With extra spaces removed, those at the beginning of several pieces go too.
                start = self.remove_extra and piece == ""
            elif piece:
                start = False
            out.append(piece.replace(SPACE, " "))
        flush()
        text = "".join(out)
        return text[:-1] if self.suffix and self.dummy_prefix and text.endswith(" ") else text

    def Decode(self, input, **options):
        if isinstance(input, int):
            return self._text_of([self._piece(input)])
        if isinstance(input, str):
            return self._text_of([input])
        if input and isinstance(input[0], (list, tuple)):
            return [self.Decode(each) for each in input]
        return self._text_of([self._piece(each) if isinstance(each, int) else each for each in input])

    decode = DecodePieces = DecodeIds = Decode
    decode_pieces = decode_ids = detokenize = Detokenize = Decode


def _utf8(data):
    """Bytes that are no characters become one U+FFFD each."""
    text, at = [], 0
    while at < len(data):
        first = data[at]
        size = 1 if first < 0x80 else 2 if 0xC2 <= first < 0xE0 else 3 if 0xE0 <= first < 0xF0 else 4 if 0xF0 <= first < 0xF5 else 0
        try:
            if size == 0 or at + size > len(data):
                raise UnicodeDecodeError("utf-8", data, at, at + 1, "")
            text.append(data[at : at + size].decode("utf-8"))
            at += size
        except UnicodeDecodeError:
            text.append("\ufffd")
            at += 1
    return "".join(text)
