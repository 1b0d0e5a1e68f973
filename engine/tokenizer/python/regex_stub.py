"""The module `regex` over Python's `re`: classes of characters by Unicode property, set operations, and `$` and `\\s` as in other engines.
Follows the syntax of fancy-regex (tiktoken) and of regex (PyPI) as far as tokenizers use it; anything else is refused."""

import functools
import re as _re
import unicodedata

from re import (  # noqa: F401  the module offers what `re` offers
    A, ASCII, DOTALL, I, IGNORECASE, M, MULTILINE, S, U, UNICODE, VERBOSE, X, escape,
)

error = _re.error
V0 = V1 = VERSION0 = VERSION1 = 0

# Assigned characters end in plane 3; beyond are tags, variation selectors and private use.
_SCANNED = (range(0, 0x33480), range(0xE0000, 0xE01F0))
_PRIVATE = ((0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))
_SPACES = [(9, 13), (32, 32), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)]
_LAST = 0x10FFFF
# Unicode's Scripts.txt, version 16.
_SCRIPTS = {
    "han": [
        (0x2E80, 0x2E99), (0x2E9B, 0x2EF3), (0x2F00, 0x2FD5), (0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B),
        (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFA6D), (0xFA70, 0xFAD9), (0x16FE2, 0x16FE3), (0x16FF0, 0x16FF1), (0x20000, 0x2A6DF),
        (0x2A700, 0x2B739), (0x2B740, 0x2B81D), (0x2B820, 0x2CEA1), (0x2CEB0, 0x2EBE0), (0x2EBF0, 0x2EE5D), (0x2F800, 0x2FA1D), (0x30000, 0x3134A),
        (0x31350, 0x323AF),
    ],
    "hiragana": [(0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1B132, 0x1B132), (0x1B150, 0x1B152), (0x1F200, 0x1F200)],
    "katakana": [
        (0x30A1, 0x30FA), (0x30FD, 0x30FF), (0x31F0, 0x31FF), (0x32D0, 0x32FE), (0x3300, 0x3357), (0xFF66, 0xFF6F), (0xFF71, 0xFF9D),
        (0x1AFF0, 0x1AFF3), (0x1AFF5, 0x1AFFB), (0x1AFFD, 0x1AFFE), (0x1B000, 0x1B000), (0x1B120, 0x1B122), (0x1B155, 0x1B155), (0x1B164, 0x1B167),
    ],
    "hangul": [
        (0x1100, 0x11FF), (0x302E, 0x302F), (0x3131, 0x318E), (0x3200, 0x321E), (0x3260, 0x327E), (0xA960, 0xA97C), (0xAC00, 0xD7A3),
        (0xD7B0, 0xD7C6), (0xD7CB, 0xD7FB), (0xFFA0, 0xFFBE), (0xFFC2, 0xFFC7), (0xFFCA, 0xFFCF), (0xFFD2, 0xFFD7), (0xFFDA, 0xFFDC),
    ],
}


@functools.cache
def categories():
    """Ranges of characters by general category."""
    found, category = {}, unicodedata.category
    for scanned in _SCANNED:
        begin, current = scanned.start, category(chr(scanned.start))
        for code in scanned:
            kind = category(chr(code))
            if kind != current:
                found.setdefault(current, []).append((begin, code - 1))
                begin, current = code, kind
        found.setdefault(current, []).append((begin, scanned.stop - 1))
    found.setdefault("Co", []).extend(_PRIVATE)
    assigned = _union(*(ranges for kind, ranges in found.items() if kind != "Cn"))
    found["Cn"] = _complement(assigned)
    return found


def _union(*sets):
    merged = []
    for begin, end in sorted(each for ranges in sets for each in ranges):
        if merged and begin <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _complement(ranges):
    result, at = [], 0
    for begin, end in _union(ranges):
        if begin > at:
            result.append((at, begin - 1))
        at = end + 1
    if at <= _LAST:
        result.append((at, _LAST))
    return result


def _intersection(first, second):
    return _complement(_union(_complement(first), _complement(second)))


@functools.cache
def _property(name):
    negated = name.startswith("^")
    plain = name.lstrip("^").split("=")[-1].replace("_", "").replace(" ", "").lower()
    if plain.startswith("is") and plain[2:] in _SCRIPTS:
        plain = plain[2:]
    if plain in _SCRIPTS:
        ranges = _SCRIPTS[plain]
    elif plain in ("whitespace", "space"):
        ranges = _SPACES
    else:
        long = {"letter": "l", "number": "n", "punctuation": "p", "symbol": "s", "mark": "m", "separator": "z", "other": "c", "alphabetic": "l"}
        short = long.get(plain, plain)
        ranges = _union(*(each for kind, each in categories().items() if kind.lower().startswith(short) and len(short) <= 2))
        if not ranges:
            raise error(f"the property {name} is not known in the sandbox")
    return _complement(ranges) if negated else ranges


_SIMPLE = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "a": 7, "0": 0}


class _Translator:
    def __init__(self, pattern):
        self.pattern, self.at = pattern, 0

    def _name(self):
        """Of \\pL, \\p{L} and \\p{^L}."""
        if self.pattern[self.at] != "{":
            self.at += 1
            return self.pattern[self.at - 1]
        end = self.pattern.index("}", self.at)
        name, self.at = self.pattern[self.at + 1 : end], end + 1
        return name

    def _code(self, letter):
        """Of \\xHH, \\x{H..}, \\uHHHH and \\UHHHHHHHH, behind the letter."""
        if self.pattern[self.at] == "{":
            return int(self._name(), 16)
        size = {"x": 2, "u": 4, "U": 8}[letter]
        self.at += size
        return int(self.pattern[self.at - size : self.at], 16)

    def _class_of(self, letter):
        """Characters of an escape that stands for several, or None."""
        if letter in "pP":
            ranges = _property(self._name())
        elif letter in "sS":
            ranges = _SPACES
        elif letter in "dD":
            ranges = categories()["Nd"]
        elif letter in "wW":
            ranges = _union(_property("L"), _property("N"), _property("M"), categories()["Pc"])
        else:
            return None
        return _complement(ranges) if letter.isupper() else ranges

    def _member(self):
        """One character of a set, or a class as ranges."""
        character = self.pattern[self.at]
        self.at += 1
        if character != "\\":
            return ord(character)
        letter = self.pattern[self.at]
        self.at += 1
        if letter in "xuU":
            return self._code(letter)
        ranges = self._class_of(letter)
        return _SIMPLE.get(letter, ord(letter)) if ranges is None else ranges

    def set(self):
        """Ranges of a set; stands behind its opening bracket."""
        negated = self.pattern[self.at] == "^"
        self.at += negated
        sets, first = [], True
        intersected = None
        while first or self.pattern[self.at] != "]":
            first = False
            if self.pattern.startswith("&&", self.at):
                self.at += 2
                held = _union(*sets)
                intersected = held if intersected is None else _intersection(intersected, held)
                sets = []
            elif self.pattern[self.at] == "[":
                self.at += 1
                sets.append(self.set())
            else:
                begin = self._member()
                if isinstance(begin, int):
                    end = begin
                    if self.pattern[self.at] == "-" and self.pattern[self.at + 1] != "]":
                        self.at += 1
                        end = self._member()
                    sets.append([(begin, end)])
                else:
                    sets.append(begin)
        self.at += 1
        ranges = _union(*sets)
        if intersected is not None:
            ranges = _intersection(intersected, ranges)
        return _complement(ranges) if negated else ranges

    def run(self):
        out = []
        while self.at < len(self.pattern):
            character = self.pattern[self.at]
            self.at += 1
            if character == "[":
                out.append(_written(self.set()))
            elif character == "$":
                out.append(r"\Z")
            elif character == "\\":
                letter = self.pattern[self.at]
                self.at += 1
                ranges = self._class_of(letter)
                if ranges is not None:
                    out.append(_written(ranges))
                elif letter in "xuU":
                    out.append(_re.escape(chr(self._code(letter))))
                elif letter == "z":
                    out.append(r"\Z")
                elif letter in "RXKGhHN":
                    raise error(f"\\{letter} is not known in the sandbox")
                else:
                    out.append("\\" + letter)
            else:
                out.append(character)
        return "".join(out)


def _written(ranges):
    def one(code):
        return f"\\U{code:08x}"

    if not ranges:
        return "(?!)"
    return "[" + "".join(one(begin) if begin == end else f"{one(begin)}-{one(end)}" for begin, end in ranges) + "]"


@functools.lru_cache(256)
def compile(pattern, flags=0, **options):
    if not isinstance(pattern, str):
        return pattern if isinstance(pattern, _re.Pattern) else _re.compile(pattern, flags)
    if flags & _re.VERBOSE:
        raise error("verbose patterns are not known in the sandbox")
    return _re.compile(_Translator(pattern).run(), flags)


def _through(name):
    def call(pattern, *args, flags=0, **options):
        return getattr(compile(pattern, flags), name)(*args, **options)

    return call


match, fullmatch, search, findall, finditer, split, sub, subn = map(
    _through, ("match", "fullmatch", "search", "findall", "finditer", "split", "sub", "subn")
)
Pattern, Match, Regex = _re.Pattern, _re.Match, _re.compile
