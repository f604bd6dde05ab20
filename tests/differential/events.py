"""Random subjects and events, made of what the policies name: exactly it, a little more, a little
less, something beside it."""

import patterns
import scene
import vocabulary
from policies import LABELS, VERSIONS
from scene import Value
from vocabulary import ADDRESS, ANY, BOOL, HOST, INT, LIST, MAP, MODULE, PATH, SIGNAL, TEXT, WORD

MARKS = [scene.CUT, scene.SUBCLASS, scene.OPAQUE, scene.CUT | scene.SUBCLASS]
POOL = 40  # values of a type


def big(number):
    return number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)


class Scenes:
    """What events of one set of policies are made of. The driver is told `pool`, in this order."""

    def __init__(self, random, generator):
        self.random = random
        self.generator = generator
        self.stock = generator.stock
        self.choice = self.stock.choice
        self.chance = self.stock.chance
        self.pool = []
        self.nothing = self.keep(Value(scene.NONE))
        self.unread = self.keep(Value(scene.OBJECT, b"Path", scene.OPAQUE))
        self.subjects = [self.subject() for _ in range(3)]
        self.values = {}
        makers = {PATH: self.path, TEXT: self.text, MODULE: self.module, HOST: self.host, ADDRESS: self.address,
                  INT: self.number, SIGNAL: self.number, BOOL: self.truth, LIST: self.list, MAP: self.map,
                  ANY: self.anything, "key": self.key}
        for of_type, make in makers.items():
            self.values[of_type] = [self.varied(of_type, make()) for _ in range(POOL)]
        self.words = {key: [self.varied(WORD, Value(scene.TEXT, word.encode())) for word in words + words[:3]]
                      for key, words in vocabulary.WORDS.items()}
        self.class_events = {}
        for name in vocabulary.CLASSES:
            fitting = [event for event in generator.events if name in event.classes]
            fitting = fitting or [event for event in vocabulary.CATALOGUE.values() if name in event.classes]
            self.class_events[name] = [event.name.encode() for event in fitting] or [b"nobody.knows"]
        self.strange_names = [b"nobody.knows", b"os.", b"os.x", b"OS.system", b"\xc3\xa9", b"open2", b"\xff.x", b"*"]
        self.strange_names += [self.instance(name) for name in self.stock.event_names[:8]]

    def keep(self, value):
        value.number = len(self.pool)
        self.pool.append(value)
        return value

    def varied(self, of_type, value):
        """Sometimes in doubt, or of a kind that nobody expects."""
        chance = self.random.random()
        if chance < 0.07 and value.kind != scene.NONE:
            value = Value(value.kind, value.content, self.choice(MARKS))
        elif chance < 0.09:
            value = self.anything() if of_type != PATH else Value(scene.BYTES, self.text().content)
        elif chance < 0.12 and value.kind == scene.TEXT:
            value = Value(scene.BYTES, value.content)
        return self.keep(value)

    def mutated(self, text):
        """Near a text, without regard to what it means."""
        chance = self.random.random()
        if chance < 0.45:
            return text
        at = self.random.randrange(len(text) + 1)
        return self.choice([text + b"x", text[:-1], text.upper(), text.swapcase(), text[:at] + b"\xff" + text[at:],
                            text[:at] + text[at + 1:], text + text, b"\xc3\xa9" + text, text + b"\xa9", b"x" + text])

    def instance(self, pattern):
        """A text that the glob matches, more often than not."""
        out = b""
        at = 0
        while at < len(pattern):
            byte = pattern[at:at + 1]
            end = pattern.find(b"]", at + 2) if byte == b"[" else -1
            if byte == b"*":
                while pattern[at:at + 1] == b"*":
                    at += 1
                out += self.choice([b"", b"x", b"a/b", b".py", b"\xc3\xa9", b"ab"])
                if out.endswith(b"/") and pattern[at:at + 1] == b"/":
                    at += 1
                continue
            if end > 0:
                out += self.choice([b"a", b"b", b"*", pattern[at + 1:at + 2]])
                at = end
            elif byte == b"?":
                out += self.choice([b"a", b"\xc3\xa9", b"\xff", b""])
            else:
                out += byte
            at += 1
        return out

    # ------------------------------------------------------------------------------- values by type

    def near_path(self):
        stock = self.stock
        chance = self.random.random()
        if chance < 0.2 and stock.globs:
            path = self.instance(self.choice(stock.globs))
        elif chance < 0.3 and self.generator.resolutions:
            path = self.choice(list(self.generator.resolutions.values()))
        elif chance < 0.45:
            places = [path for subject in self.subjects for paths in subject.places.values() for path in paths]
            path = (self.choice(places) if places else b"/") + (stock.below() or b"")
        elif chance < 0.48:
            return self.choice([b"/", b"relative/a", b"C:\\a", b"\\\\?\\C:\\a", b"//a"])
        else:
            path = self.choice(stock.paths)
        chance = self.random.random()
        if chance < 0.15:
            path += b"/" + self.choice(stock.components)
        elif chance < 0.22:
            path += b"/" + self.choice(stock.components) + b"/" + self.choice(stock.components)
        elif chance < 0.32:
            path = path.rsplit(b"/", 1)[0]
        elif chance < 0.42:
            path += self.choice([b"x", b"\xa9", b"."])
        elif chance < 0.48:
            path = path[:-1]
        elif chance < 0.52:
            path = path.swapcase()
        return patterns.normalised(path)

    def path(self):
        return Value(scene.TEXT, self.near_path()) if self.chance(0.97) else Value(scene.NONE)

    def near_text(self):
        if self.stock.text_globs and self.chance(0.3):
            return self.instance(self.choice(self.stock.text_globs))
        return self.mutated(self.choice(self.stock.texts))

    def text(self):
        return Value(scene.TEXT, self.near_text())

    def module(self):
        module = self.choice(self.stock.modules)
        if self.stock.text_globs and self.chance(0.2):
            module = self.instance(self.choice(self.stock.text_globs))
        return Value(scene.TEXT, self.choice([module, module, module + b".a", module + b"x", module[:-1],
                                              module.rsplit(b".", 1)[0], self.mutated(module)]))

    def near_host(self):
        host = self.choice(self.stock.hosts)
        host = self.choice([host, host, self.choice(LABELS) + b"." + host, b"a.b." + host, b"x" + host, b"a.x" + host,
                            b"x" + host, host + b".",
                            host.upper(), host.split(b".", 1)[-1], b"." + host, b".a." + host, b"a.." + host,
                            b"\xc3\xa9." + host, host + b".a", host[:-1], b"a." + host + b"..", b""])
        return host

    def host(self):
        if self.chance(0.6):
            return Value(scene.LIST, self.items(lambda: Value(scene.TEXT, self.near_host()), 4))
        return Value(scene.TEXT, self.near_host())

    def address(self):
        network = self.choice(self.stock.networks)
        most = network.max_prefixlen
        address = int(network.network_address)
        chance = self.random.random()
        if chance < 0.5:
            address |= self.random.getrandbits(most) >> network.prefixlen
        elif chance < 0.6:
            address |= int(network.hostmask)
        elif chance < 0.8:
            address ^= 1 << self.random.randrange(most)
        elif chance < 0.9:
            address = max(0, min(2**most - 1, address + self.choice([-1, 1]) * (int(network.hostmask) + 1)))
        address %= 2**most
        if most == 32 and self.chance(0.25):
            return Value(scene.BYTES, b"\0" * 10 + b"\xff\xff" + address.to_bytes(4, "big"))
        if self.chance(0.03):
            return Value(scene.BYTES, self.choice([b"", b"\x0a\0\0", b"\x0a\0\0\1\0"]))
        return Value(scene.BYTES, address.to_bytes(most // 8, "big"))

    def number(self):
        number = self.choice(self.stock.numbers)
        number += self.choice([0, 0, 0, -1, 1, 50])
        chance = self.random.random()
        if chance < 0.05:
            return Value(scene.FLOAT, self.choice([float(number), number + 0.5, float("nan"), float("inf"), -0.0]))
        if chance < 0.12:
            return Value(scene.TRUTH, self.chance(0.5))
        if not -2**63 <= number < 2**63 or chance < 0.14:
            return Value(scene.BIG, big(self.choice([2**63, -2**63 - 1, 2**200, -2**99])))
        return Value(scene.INTEGER, number)

    def truth(self):
        if self.chance(0.2):
            return Value(scene.INTEGER, self.choice([0, 1, 2]))
        return Value(scene.TRUTH, self.chance(0.5))

    def key(self):
        key = self.choice(self.stock.keys)
        key = self.choice([key, key.upper(), key.replace(b"\\", b"/"), key + b"\\a", key + b"x", key + b"\\Py\\z",
                           key.rsplit(b"\\", 1)[0], key[:-1]])
        return Value(scene.TEXT, key.replace(b"HKEY_LOCAL_MACHINE", b"HKLM"))

    def items(self, make, most):
        items = [make() for _ in range(self.random.randrange(most + 1))]
        return [Value(item.kind, item.content, self.choice(MARKS)) if self.chance(0.04) else item for item in items]

    def of_literal(self, content):
        if isinstance(content, bool):
            return Value(scene.TRUTH, content)
        if isinstance(content, int):
            return Value(scene.INTEGER, content)
        return Value(scene.TEXT, content)

    def list(self):
        if not self.stock.lists or self.chance(0.3):
            return Value(scene.LIST, self.items(self.text, 5))
        items = [self.of_literal(content) for content in self.choice(self.stock.lists)]
        chance = self.random.random()
        if chance < 0.3:
            items += self.items(self.text, 3)
        elif chance < 0.5 and items:
            items = items[:self.random.randrange(len(items))]
        elif chance < 0.65 and items:
            items[self.random.randrange(len(items))] = self.text()
        elif chance < 0.7 and items:
            at = self.random.randrange(len(items))
            items[at] = Value(items[at].kind, items[at].content, self.choice(MARKS))
        return Value(scene.LIST, items)

    def map(self):
        if self.chance(0.1):
            return Value(scene.NONE)
        pairs = [(key, self.text()) for key in self.items(self.map_key, 5)]
        if pairs and self.chance(0.25):
            pairs.append((Value(scene.BYTES, pairs[0][0].content), self.text()))
        return Value(scene.MAP, pairs)

    def map_key(self):
        if self.stock.map_keys and self.chance(0.7):
            return Value(scene.TEXT, self.choice(self.stock.map_keys))
        return self.text()

    def anything(self):
        make = self.choice([self.text, self.text, self.text, self.number, self.number, self.truth, self.list,
                            self.map, self.path, lambda: Value(scene.NONE),
                            lambda: Value(scene.OBJECT, b"object", scene.OPAQUE)])
        return make()

    # ------------------------------------------------------------------------------------- subjects

    def subject(self):
        stock = self.stock
        subject = scene.Subject()
        maybe = lambda make: make() if self.chance(0.8) else None
        clean = lambda: stock.text().replace(b"\0", b"")
        subject.user = maybe(clean)
        subject.exe = maybe(stock.path)
        subject.unit = maybe(clean)
        subject.platform = maybe(lambda: self.choice([b"linux", b"linux", b"windows"]))
        subject.python = maybe(lambda: self.choice(VERSIONS + [b"3.11.7rc1", b"3.x", b"3.9.18"]))
        subject.script = maybe(stock.path)
        subject.groups = [clean() for _ in range(self.random.randrange(4))]
        for name in (b"role", b"team", b"a b"):
            if self.chance(0.5):
                subject.labels.append((name, clean()))
        for place in vocabulary.PLACES:
            count = self.choice([0, 1, 1, 2])
            subject.places[place] = [stock.path() if self.chance(0.9) else b"/" for _ in range(count)]
        return subject

    # --------------------------------------------------------------------------------------- events

    def attribute(self, operation_class, name):
        of_type = vocabulary.TYPES[name]
        if name == "host" and operation_class == "connect" and self.chance(0.15):
            return scene.Attribute(self.nothing, None, True)
        if of_type == WORD:
            return scene.Attribute(self.choice(self.words[operation_class, name]))
        if operation_class == "registry" and name == "path":
            return scene.Attribute(self.choice(self.values["key"]))
        value = self.choice(self.values[of_type])
        if of_type != PATH:
            return scene.Attribute(value)
        chance = self.random.random()
        if chance < 0.55:
            return scene.Attribute(value, value)
        if chance < 0.9:
            return scene.Attribute(value, self.choice(self.values[PATH]))
        return scene.Attribute(value, self.unread if chance < 0.97 else None)

    def operation(self):
        if self.chance(0.93):
            name = self.choice(self.generator.focus)
        else:
            name = self.choice(list(vocabulary.CLASSES))
        attributes = {}
        for attribute in vocabulary.CLASSES[name]:
            if self.random.random() < 0.85:
                attributes[attribute] = self.attribute(name, attribute)
        return scene.Operation(name, attributes)

    def event(self):
        chance = self.random.random()
        count = 1 if chance < 0.72 else 0 if chance < 0.8 else 2 if chance < 0.93 else 3 + self.random.randrange(3)
        operations = [self.operation() for _ in range(count)]
        chance = self.random.random()
        if chance < 0.65 and operations:
            name = self.choice(self.class_events[operations[0].operation_class])
        elif chance < 0.9:
            name = self.choice(self.generator.events).name.encode()
        else:
            name = self.choice(self.strange_names)
        is_cut = self.random.random() < 0.01
        arguments = [self.choice(self.values[ANY]) for _ in range(int(self.random.random() * 5))]
        return scene.Event((name * 256)[:200] if is_cut else name, is_cut, arguments, operations)
