"""Globs and paths, naively.

A character is a code point where the text is UTF-8 and a byte where it is not; such bytes stand
behind all code points (policies/engine/glob.h).
"""

import functools

RAW = 0x110000  # + the byte

ONE, STAR, CROSS, FOLDERS = "one", "star", "cross", "folders"


@functools.lru_cache(maxsize=4096)
def characters(text):
    decoded = text.decode("utf-8", "surrogateescape")
    return [RAW + ord(c) - 0xdc00 if 0xdc80 <= ord(c) <= 0xdcff else ord(c) for c in decoded]


def lower(c):
    return c + 32 if 65 <= c <= 90 else c


def same(c):
    return c


def registry_folded(c):
    return ord("\\") if c == ord("/") else lower(c)


def parse_set(pattern, at, fold):
    """The set that opens at `at`, and where it ends."""
    at += 1
    negated = pattern[at] == ord("!")
    at += 1 if negated else 0
    ranges = []
    first = True
    while first or pattern[at] != ord("]"):
        first = False
        low = high = pattern[at]
        at += 1
        if pattern[at] == ord("-") and pattern[at + 1] != ord("]"):
            high = pattern[at + 1]
            at += 2
        ranges.append((fold(low), fold(high)))
    return (negated, ranges), at + 1


def parse_glob(pattern, separators, fold=same):
    """Tokens: a character, ONE, STAR, CROSS, FOLDERS, or a set. `separators` is empty where the text
    has no components."""
    pattern = characters(pattern)
    tokens = []
    at = 0
    while at < len(pattern):
        c = pattern[at]
        if c == ord("["):
            token, at = parse_set(pattern, at, fold)
            tokens.append(token)
        elif c == ord("?"):
            tokens.append(ONE)
            at += 1
        elif c != ord("*"):
            tokens.append(fold(c))
            at += 1
        else:
            start = at
            while at < len(pattern) and pattern[at] == ord("*"):
                at += 1
            opens = start == 0 or fold(pattern[start - 1]) in separators
            closes = at < len(pattern) and fold(pattern[at]) in separators
            if at - start == 1:
                tokens.append(STAR)
            elif opens and closes:
                tokens.append(FOLDERS)
                at += 1
            else:
                tokens.append(CROSS)
    return tokens


def reads(token, c, separators):
    if isinstance(token, int):
        return token == c
    if c in separators:
        return False
    if token == ONE:
        return True
    negated, ranges = token
    return any(low <= c <= high for low, high in ranges) != negated


def run_of(text, start, barred):
    """The places that a run of any characters but those reaches from `start`, itself among them."""
    end = start
    while end < len(text) and text[end] not in barred:
        end += 1
    return range(start, end + 1)


def matches(tokens, text, separators):
    """`text` is a list of characters, folded as the tokens are. Token by token: the places in the
    text that can be reached."""
    places = {0}
    for token in tokens:
        if token == STAR:
            places = {to for place in places for to in run_of(text, place, separators)}
        elif token == CROSS:
            places = set(range(min(places), len(text) + 1))
        elif token == FOLDERS:
            behind = min(places)
            places = places | {at + 1 for at in range(behind, len(text)) if text[at] in separators}
        else:
            places = {place + 1 for place in places
                      if place < len(text) and reads(token, text[place], separators)}
        if not places:
            return False
    return len(text) in places


def first_wildcard(pattern):
    """Where it is; the length where there is none."""
    for at, byte in enumerate(pattern):
        if byte in b"*?[":
            return at
    return len(pattern)


def normalised(path):
    """An absolute path without `.`, `..` and doubled separators."""
    parts = []
    for part in path.split(b"/"):
        if part == b"..":
            parts = parts[:-1]
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/" + b"/".join(parts)


def is_below(path, directory):
    """It or anything below, by whole components."""
    if directory == b"/":
        return path.startswith(b"/")
    return path == directory or path.startswith(directory + b"/")
