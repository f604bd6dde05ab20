"""Random policies, most of them valid, made to be near each other.

The literals of a set of policies come out of few stocks, so that the same path, its parent, its child
and its sibling stand in several rules, effects and policies. Events are made of the same stocks
(events.py).
"""

import ipaddress

import oracle
import tree
import vocabulary
from vocabulary import ADDRESS, ANY, BOOL, HOST, INT, LIST, MAP, MODULE, PATH, REGISTRY, SIGNAL, TEXT, VERSION, WORD

COMPONENTS = [b"a", b"ab", b"abc", b"b", b"A", b"srv", b"lib", b"x.py", b"y.so", b"a b", b"-", b"\xc3\xa9",
              b"\xff", b"\xc3", b"[a]", b"*", b"...", b"0"]
TEXTS = [b"git", b"gi", b"gita", b"GIT", b"-c", b"-C", b"", b"id", b"os.system", b"a b", b"\xc3\xa9", b"\xff",
         b"\xc3", b"PATH", b"LD_PRELOAD", b"alice", b"plugin", b"/srv/a", b"443", b"x*", b"a\x00b", b"'\"\\"]
MODULES = [b"numpy", b"num", b"numpyx", b"os", b"xml", b"xml.etree", b"Os", b"\xc3\xa9"]
HOSTS = [b"org", b"example.org", b"xexample.org", b"a.example.org", b"api.com", b"localhost"]
LABELS = [b"a", b"b", b"api", b"x-1", b"_s", b"A"]
NETWORKS = ["10.0.0.0/8", "10.20.0.0/16", "192.168.1.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1/128",
            "::ffff:10.20.0.0/112", "255.255.255.255/32", "fe80::/10"]
KEYS = [b"HKLM", b"HKCU\\Software", b"HKLM\\Software", b"HKLM\\SOFTWARE\\Py", b"HKEY_LOCAL_MACHINE\\Software\\Py",
        b"HKLM/Software", b"HKLM\\Soft"]
NUMBERS = [0, 1, 2, -1, 3, 22, 80, 443, 8000, 8080, 8100, 65535, 65536, 2**31, 2**63 - 1, -2**63, 0x5413, 15, 9]
NAMES = ["a", "A", "b", "deny", "log", "z", "a-b", "a_b", "a0", "r"]
VERSIONS = [b"3", b"3.9", b"3.11", b"3.11.7", b"3.12", b"2.7", b"3.0"]


class Stock:
    """Literals of one set of policies, by type; `lists` are those that lists are compared with."""

    def __init__(self, random):
        self.random = random
        some = self.some
        self.components = some(COMPONENTS, 7)
        self.paths = [b"/" + component for component in self.components[:3]]
        self.texts = some(TEXTS, 8)
        self.modules = some(MODULES, 4)
        self.hosts = some(HOSTS, 4)
        self.networks = [ipaddress.ip_network(network) for network in some(NETWORKS, 4)]
        self.keys = some(KEYS, 4)
        self.numbers = some(NUMBERS, 8) + [0, 1]
        self.map_keys = []
        self.signals = ["TERM", "SIGKILL", "INT", "SIGUSR1"]
        self.lists = []
        self.globs = []  # on paths
        self.text_globs = []
        self.event_names = []

    def some(self, items, most):
        return self.random.sample(items, min(len(items), 2 + self.random.randrange(most)))

    def choice(self, items):
        return items[int(self.random.random() * len(items))]

    def chance(self, share):
        return self.random.random() < share

    # --------------------------------------------------------------------------- literals by type

    def path(self):
        if self.chance(0.7):
            return self.choice(self.paths)
        if self.chance(0.03):
            return b"/"
        above = self.choice(self.paths) if self.chance(0.8) else b""
        if above.count(b"/") > 8:
            above = b""
        path = above + b"/" + self.choice(self.components)
        if self.chance(0.1):
            path += self.choice([b"x", b"-", b"0"])
        self.paths.append(path)
        return path

    def spelled(self, path):
        """The same path, sometimes written otherwise."""
        if self.chance(0.93):
            return path
        parts = path.split(b"/")
        at = 1 + self.random.randrange(len(parts) - 1)
        return b"/".join(parts[:at] + [self.choice([b"", b".", b"q/.."])] + parts[at:])

    def below(self):
        """What stands behind a place."""
        if self.chance(0.4):
            return None
        if self.chance(0.1):
            return b"/"
        return self.spelled(b"/" + b"/".join(self.some(self.components, 2)[:1 + self.random.randrange(2)]))

    def path_literal(self):
        if self.chance(0.12):
            return ("place", self.choice(vocabulary.PLACES), self.below())
        return ("text", self.spelled(self.path()))

    def wild_tail(self):
        component = self.choice(self.components)
        if any(byte in b"*?[" for byte in component):
            component = b"w"
        wild = self.choice([b"*", b"?", b"*" + component[-1:], component[:1] + b"*", b"[ab]*", b"[!a]*", b"[a-c]",
                            b"*.py", b"**", b"??", b"[]a]", b"[*]", b"?" + component,
                            b"[/" + component[:1] + b"]" + component[1:]])
        if self.chance(0.1):  # a glob that nothing but the end of a name tells from others
            return b"/**/" + self.choice([b"*" + component[-1:], b"[/" + component[:1] + b"]" + component[1:]])
        return self.choice([b"/" + wild, b"/**/" + component, b"/" + wild + b"/" + component, b"/**",
                            b"/" + component + b"/" + wild, b"/**/" + wild, b"/*/**/" + wild, wild,
                            b"/" + component + b"**"])

    def path_glob_literal(self):
        if self.chance(0.1):
            below = (self.below() or b"") + self.wild_tail()
            if not below.startswith(b"/"):
                below = b"/" + below
            return ("place", self.choice(vocabulary.PLACES), below if self.chance(0.9) else None)
        front = self.path()
        if any(byte in b"*?[" for byte in front):
            front = b""
        glob = self.choice([front, front, front, b"", b"**"]) + self.wild_tail()
        if self.chance(0.05):
            glob = front or b"/a"
        if not glob.startswith((b"/", b"**")):
            glob = b"/" + glob
        glob = glob.replace(b"***", b"**")
        self.globs.append(glob)
        return ("text", glob)

    def text(self):
        if self.chance(0.8):
            return self.choice(self.texts)
        text = self.choice(self.texts)
        text = self.choice([text + b"x", text[:-1], text + self.choice(self.texts), text.upper(), text[1:]])
        self.texts.append(text[:40])
        return text[:40]

    def glob_of(self, text):
        text = bytes(byte for byte in text if byte not in b"*?[")
        half = self.random.randrange(len(text) + 1)
        glob = self.choice([text[:half] + b"*", b"*" + text[half:], b"*", text, b"?" + text[1:], b"[a-h]*",
                            text[:half] + b"*" + text[half:], b"[!" + (text[:1] or b"q").replace(b"!", b"q") + b"]*",
                            text[:half] + b"?" + text[half + 1:], b"*" + text[:half] + b"*", text[:half] + b"[*]",
                            b"?*", text[:half] + b"[-a]*"])
        while b"**" in glob:
            glob = glob.replace(b"**", b"*")
        self.text_globs.append(glob)
        return glob

    def module(self):
        if self.chance(0.7):
            return self.choice(self.modules)
        module = self.choice(self.modules) + self.choice([b".a", b".ab", b"x", b".linalg"])
        self.modules.append(module[:60])
        return module[:60].rstrip(b".")

    def host(self):
        host = self.choice(self.hosts)
        if self.chance(0.3) and len(host) < 60:
            host = self.choice(LABELS) + b"." + host
            self.hosts.append(host)
        if self.chance(0.45):
            host = b"*." + host
        if self.chance(0.1):
            host = host.upper() if self.chance(0.5) else host + b"."
        return host

    def network(self):
        network = self.choice(self.networks)
        if self.chance(0.4):
            most = network.max_prefixlen
            prefix = network.prefixlen + self.choice([-9, -8, -4, -1, 0, 1, 4, 8, 9, most])
            prefix = max(0, min(most, prefix))
            address = int(network.network_address) | self.random.getrandbits(most - network.prefixlen + 1) >> 1
            kind = ipaddress.IPv4Network if most == 32 else ipaddress.IPv6Network
            address = address >> (most - prefix) << (most - prefix)
            network = kind((address, prefix))
            self.networks.append(network)
        return network

    def address_literal(self):
        network = self.network()
        if network.prefixlen == network.max_prefixlen and self.chance(0.7):
            return ("ip", str(network.network_address))
        return ("cidr", str(network))

    def number_literal(self, may_be_range):
        number = self.choice(self.numbers)
        if self.chance(0.2):
            number = max(-2**63, min(2**63 - 1, number + self.choice([-1, 1, 2, 100])))
            self.numbers.append(number)
        if may_be_range and self.chance(0.3):
            low = max(number, 0)
            return ("range", low, min(2**63 - 1, low + self.choice([0, 1, 100, 2**40])))
        return ("int", number)

    def key(self):
        if self.chance(0.7):
            return self.choice(self.keys)
        key = self.choice(self.keys)
        tails = [b"\\a", b"/B", b"\\Py", b"\\", b"\\\xff"] + ([b"x"] if b"\\" in key or b"/" in key else [])
        key += self.choice(tails)
        self.keys.append(key[:80])
        return key[:80]

    def version(self):
        return self.choice(VERSIONS)


def literal_of(stock, of_type, words, test):
    """A literal that fits the type and the operator."""
    is_glob = test in ("matches", "has matches")
    if of_type == PATH:
        return stock.path_glob_literal() if is_glob else stock.path_literal()
    if of_type == REGISTRY:
        key = stock.key()
        if is_glob:
            key = key.rstrip(b"\\/") + stock.choice([b"\\*", b"\\*x", b"\\**", b"\\**\\Py", b"\\[a-z]*", b"/?", b""])
        return ("text", key)
    if of_type == MODULE:
        module = stock.module()
        return ("text", stock.glob_of(module) if is_glob else module)
    if of_type == WORD:
        word = stock.choice(words).encode()
        return ("text", stock.glob_of(word) if is_glob else word)
    if of_type == TEXT:
        text = stock.text()
        return ("text", stock.glob_of(text) if is_glob else text)
    if of_type == HOST:
        return ("text", stock.host())
    if of_type == ADDRESS:
        return stock.address_literal()
    if of_type == VERSION:
        return ("text", stock.version())
    if of_type == SIGNAL and test in ("is", "in"):
        return ("text", stock.choice(stock.signals).encode())
    return stock.number_literal(test in ("is", "in"))


class Generator:
    """Policies from one source of chance."""

    def __init__(self, random):
        self.random = random
        self.stock = Stock(random)
        self.choice = self.stock.choice
        self.chance = self.stock.chance
        classes = list(vocabulary.CLASSES)
        usual = ["exec", "exec", "read", "write", "connect", "resolve", "resolve", "import", "registry", "run",
                 "code", "native", "signal", "control"]
        self.focus = [self.choice(usual if self.chance(0.85) else classes)
                      for _ in range(1 + random.randrange(3))]
        raised = [event for event in vocabulary.CATALOGUE.values() if event.is_raised and event.has_veto]
        near = [event for event in raised if event.classes & set(self.focus)]
        self.events = random.sample(near, min(len(near), 6)) + random.sample(raised, 5)
        self.file_sets = {}  # by type and test, to (name, literals)
        self.policy_sets = {}
        self.resolutions = {}
        self.count = 0
        self.today = 20619 if self.chance(0.93) else self.choice([0, -5, 1])

    # ----------------------------------------------------------------------------------- predicates

    def literals(self, of_type, words, test, most):
        count = 1 + self.random.randrange(self.choice([1, 2, 4, most]))
        if of_type == SIGNAL:
            of_type = self.choice([SIGNAL, INT])  # a list is of one family
        return [literal_of(self.stock, of_type, words, test) for _ in range(count)]

    def any_literals(self, test, most):
        """For an argument, which can be anything: of one family."""
        family = self.choice(["text", "text", "text", "int", "truth"])
        if test in ("matches", "has matches"):
            family = "text"
        count = 1 + self.random.randrange(most)
        if family == "truth":
            return [("truth", self.chance(0.5)) for _ in range(min(count, 2))]
        if family == "int":
            return [self.stock.number_literal(test in ("is", "in")) for _ in range(count)]
        return [literal_of(self.stock, TEXT, None, test) for _ in range(count)]

    def with_set(self, predicate, key):
        """Sometimes the list is a set, of the file or of the policy, and sometimes one that is there."""
        if not self.chance(0.15) or predicate.test == "is list" or key[0] == REGISTRY:
            return predicate  # of a key, that it is one may be said by the literal alone
        is_file_set = self.chance(0.5)
        sets = self.file_sets if is_file_set else self.policy_sets
        if key in sets and self.chance(0.5):
            predicate.set_name, predicate.literals = sets[key]
        else:
            self.count += 1
            predicate.set_name = "%s%d" % ("f" if is_file_set else "s", self.count)
            sets[key] = (predicate.set_name, predicate.literals)
        predicate.form = "set"
        predicate.is_file_set = is_file_set
        return predicate

    def predicate_with(self, attribute, part, of_type, words, test):
        if test in ("none", "absent", "alone"):
            return tree.Predicate(attribute, part, test)
        single = test in ("<", "<=", ">", ">=", "is") or \
            (test in ("under", "matches", "has", "has matches") and self.chance(0.5))
        most = 1 if single else 8 if self.chance(0.9) else 40
        if of_type == ANY:
            if test in ("<", "<=", ">", ">="):
                literals = [self.stock.number_literal(False)]
            else:
                literals = self.any_literals(test, most)
        else:
            literals = self.literals(of_type, words, test, most)
        if single:
            return tree.Predicate(attribute, part, test, literals[:1], "one")
        if test in ("is list", "starts"):
            self.stock.lists.append([literal[1] for literal in literals if literal[0] != "range"])
        predicate = tree.Predicate(attribute, part, test, literals, "list")
        kind = "glob" if test in ("matches", "has matches") else "is" if test in ("is", "in") else "other"
        return self.with_set(predicate, (of_type, kind, tuple(words or ())))

    def test_of(self, of_type):
        usual = {
            PATH: ["is", "in", "under", "under", "matches", "under", "is", "in"],
            REGISTRY: ["is", "in", "under", "matches"],
            MODULE: ["is", "in", "under", "matches"],
            TEXT: ["is", "in", "matches"],
            WORD: ["is", "in", "is", "in", "matches"],
            HOST: ["is", "in"], ADDRESS: ["is", "in"],
            INT: ["is", "in", "is", "in", "<", "<=", ">", ">="],
            SIGNAL: ["is", "in", "<", ">="],
            BOOL: ["alone"], VERSION: ["is", "in", ">=", "<"],
            LIST: ["is list", "starts", "has", "has matches"], MAP: ["has", "has matches"],
            ANY: ["is", "in", "matches", "is list", "starts", "has", "has matches", "<", ">=", "alone"],
        }[of_type]
        if self.chance(0.06):
            return self.choice(["none", "absent"])
        return self.choice(usual)

    def event_predicate(self):
        if self.chance(0.3):
            name = self.choice(self.events).name.encode()
            return tree.Predicate("event", None, "matches", [("text", self.stock.glob_of(name))], "one")
        names = [("text", self.choice(self.events).name.encode()) for _ in range(1 + self.random.randrange(3))]
        if len(names) == 1:
            return tree.Predicate("event", None, "is", names, "one")
        return tree.Predicate("event", None, "in", names)

    def argument_predicate(self, target):
        known = [vocabulary.CATALOGUE[name] for name in target.events]
        forwarded = max([event.forwarded for event in known] + [0])
        if self.chance(0.5) and any(event.forwarded for event in known):
            event = self.choice([event for event in known if event.forwarded])
            part = ("named", self.choice(event.arguments[:event.forwarded]))
        elif forwarded or target.is_open:
            part = ("argument", self.random.randrange(min(forwarded, 4) or 3))
        else:
            return None
        return self.predicate_with("arg", part, ANY, None, self.test_of(ANY))

    def session_predicate(self, attribute):
        if attribute == "label":
            part = ("label", self.choice([b"role", b"team", b"a b"]))
            return self.predicate_with("label", part, TEXT, None, self.test_of(TEXT))
        of_type = vocabulary.TYPES[attribute]
        if attribute == "group":
            return self.list_predicate(attribute)
        words = vocabulary.PLATFORMS if attribute == "platform" else None
        return self.predicate_with(attribute, None, of_type, words, self.test_of(of_type))

    def list_predicate(self, attribute):
        if self.chance(0.35):
            part = ("element", self.choice([0, 0, 1, 2, -1, -2, 5]))
            return self.predicate_with(attribute, part, TEXT, None, self.test_of(TEXT))
        return self.predicate_with(attribute, None, TEXT, None, self.test_of(LIST))

    def predicate(self, target):
        """One that the target has; None if chance chose what it has not."""
        own = target.attributes
        if not own or self.chance(0.15):
            attribute = self.choice(vocabulary.COMMON)
            if attribute == "event":
                return self.event_predicate()
            if attribute == "arg":
                return self.argument_predicate(target)
            return self.session_predicate(attribute)
        attribute = own[0] if self.chance(0.6) else self.choice(own)
        of_type = vocabulary.TYPES[attribute]
        if of_type == LIST:
            return self.list_predicate(attribute)
        if of_type == MAP:
            if self.chance(0.5):
                part = ("key", self.stock.text().replace(b"\0", b""))
                self.stock.map_keys.append(part[1])
                return self.predicate_with(attribute, part, TEXT, None, self.test_of(TEXT))
            return self.predicate_with(attribute, None, TEXT, None, self.test_of(MAP))
        if attribute == "path" and "registry" in target.classes:
            if target.path_is_key or self.chance(0.3):
                of_type = REGISTRY
        words = vocabulary.words_of(target.classes, attribute) if of_type == WORD else None
        if of_type == WORD and not words:
            return None
        return self.predicate_with(attribute, None, of_type, words, self.test_of(of_type))

    def condition(self, target, depth=3):
        what = self.random.random()
        if depth == 0 or what < 0.5:
            predicate = None
            while predicate is None:
                predicate = self.predicate(target)
            return predicate
        if what < 0.58:
            return tree.Not(self.condition(target, depth - 1))
        children = [self.condition(target, depth - 1) for _ in range(2 + self.random.randrange(2))]
        return tree.And(children) if what < 0.8 else tree.Or(children)

    # ---------------------------------------------------------------------------------------- rules

    def class_target(self):
        if self.chance(0.82):
            return [self.choice(self.focus)]
        if self.chance(0.15):
            return ["all"]
        names = [self.choice(self.focus), self.choice(list(vocabulary.CLASSES))] + \
            ([self.choice(["read", "write", "exec"])] if self.chance(0.3) else [])
        return list(dict.fromkeys(names))

    def event_target(self):
        names = []
        for _ in range(1 + self.random.randrange(3)):
            event = self.choice(self.events)
            name = event.name.encode()
            if self.chance(0.4):
                glob = self.stock.glob_of(name)
                name = glob if b"*" in glob or b"?" in glob else b"os.*"
            names.append(name)
        self.stock.event_names += names
        return names

    def rule(self, name):
        effect = self.choice(["allow", "allow", "allow", "deny", "deny", "deny", "kill", "log", "log"])
        classes = events = None
        if self.chance(0.85):
            classes = self.class_target()
        else:
            events = self.event_target()
        target = Target(classes, events)
        condition = self.condition(target) if self.chance(0.93) else None
        message = b"no" if effect in ("deny", "kill") and self.chance(0.05) else None
        return tree.Rule(effect, name, classes, events, condition, message)

    def name(self, taken):
        while True:
            name = self.choice(NAMES) if self.chance(0.2) else \
                "%s%d" % (self.choice(["r", "R", "s-", "s_", "t0"]), self.random.randrange(400))
            if name not in taken:
                taken.add(name)
                return name

    def defaults(self):
        said = {}
        defaults = []
        for _ in range(self.choice([0, 0, 1, 1, 2, 3])):
            denies = self.chance(0.7)
            names = ["all"] if self.chance(0.25) else \
                list(dict.fromkeys(self.choice(self.focus) for _ in range(1 + self.random.randrange(2))))
            names = [name for name in names if said.setdefault(name, denies) == denies]
            if names:
                defaults.append(tree.Default(denies, names))
        return defaults

    def policy(self, name, count):
        policy = tree.Policy(name)
        self.policy_sets = {}
        policy.observes = self.chance(0.15)
        for _ in range(self.choice([0, 0, 1, 1, 2])):
            parts = [self.applies_condition() for _ in range(self.choice([0, 1, 1, 2]))]
            policy.applies.append(parts)
        policy.defaults = self.defaults()
        taken = set()
        policy.rules = [self.rule(self.name(taken)) for _ in range(count)]
        self.mend_hosts(policy, taken)
        mend_covered(policy)
        return policy

    def applies_condition(self, depth=2):
        what = self.random.random()
        if depth == 0 or what < 0.7:
            return self.session_predicate(self.choice(vocabulary.SELECTORS))
        if what < 0.8:
            return tree.Not(self.applies_condition(depth - 1))
        children = [self.applies_condition(depth - 1) for _ in range(2)]
        return tree.And(children) if what < 0.9 else tree.Or(children)

    def mend_hosts(self, policy, taken):
        """A deny on `host` wants a rule on `resolve` beside it."""
        def speaks_of_hosts(rule):
            return any(predicate.attribute == "host" for predicate in tree.predicates_of(rule.condition))

        if any(rule.effect in ("deny", "kill") and speaks_of_hosts(rule) for rule in policy.rules):
            host = tree.Predicate("host", None, "is", [("text", self.stock.host())], "one")
            policy.rules.append(tree.Rule(self.choice(["deny", "allow"]), self.name(taken), ["resolve"], None, host))

    def override(self, by_tier, texts):
        """What cancels a denial of its own tier or a lower one: mostly one that is there."""
        allowed = [(text, policy) for text in texts for policy in text.policies
                   if text.tier != "mandatory" and vocabulary.TIERS.index(text.tier) >= vocabulary.TIERS.index(by_tier)]
        if not allowed:
            return None
        text, policy = self.choice(allowed)
        denies = [rule for rule in policy.rules if rule.effect == "deny"]
        self.count += 1
        if denies and self.chance(0.7):
            rule = self.choice(denies)
            name, target = rule.name, Target(rule.classes, rule.events)
        elif policy.rules and self.chance(0.1):
            rule = self.choice(policy.rules)
            name, target = rule.name, Target(rule.classes, rule.events)
        elif self.chance(0.05):
            name, target = "nothing", None
        else:
            classes = [name for default in policy.defaults for name in default.classes]
            operation_class = self.choice(classes) if classes else "exec"
            if operation_class == "all":
                operation_class = self.choice(self.focus)
            name, target = "default-" + operation_class, Target([operation_class], None)
        condition = self.condition(target, 2) if target and self.chance(0.5) else None
        until = max(1, self.today + self.choice([0, 0, 1, 30, -1, -30]))
        return tree.Override(text.tier, policy.name, name, condition, "reason%d" % self.count, until)

    def texts(self):
        """The texts of one set of policies. Most are small; some have several hundred rules."""
        size = self.choice([3, 6, 12, 12, 25, 60]) if self.chance(0.97) else 400
        texts = []
        taken = {tier: set() for tier in vocabulary.TIERS}
        for _ in range(self.choice([1, 1, 2, 2, 3, 4])):
            text = tree.Text(self.choice(vocabulary.TIERS), self.chance(0.07))
            self.file_sets = {}
            for _ in range(self.choice([1, 1, 1, 2, 3])):
                name = self.choice(["p", "q", "P", "p-1", "default", "p0", "x_y"])
                if name not in taken[text.tier]:
                    taken[text.tier].add(name)
                    text.policies.append(self.policy(name, self.random.randrange(size + 1)))
            texts.append(text)
        for text in texts:
            for policy in text.policies:
                self.policy_sets = {}
                for _ in range(self.choice([0, 0, 1, 3])):
                    override = self.override(text.tier, texts)
                    if override:
                        unset(override.condition)
                        policy.overrides.append(override)
        self.make_resolutions()
        return texts

    def make_resolutions(self):
        """Some literals are links."""
        for path in self.random.sample(self.stock.paths, min(len(self.stock.paths), self.random.randrange(6))):
            self.resolutions[path] = self.stock.path() if self.chance(0.95) else b"/"


def unset(condition):
    """Lists instead of sets: the sets of this place were named before."""
    for predicate in tree.predicates_of(condition):
        if predicate.form == "set":
            predicate.form = "list"


class Target:
    """Which attributes a rule can ask about."""

    def __init__(self, classes, events):
        target = oracle.target_of(classes and tuple(classes), events and tuple(events))
        self.classes = [name for name in vocabulary.CLASSES if name in target.classes]
        self.events = sorted(target.events)
        self.is_open = "other" in self.classes if events is None else any(map(oracle.is_glob, events))
        lists = [vocabulary.CLASSES[name] for name in self.classes]
        if events is None:
            self.attributes = [name for name in lists[0] if all(name in other for other in lists)]
        else:
            self.attributes = list(dict.fromkeys(name for other in lists for name in other))
        files = [name for name in self.classes if name != "registry" and "path" in vocabulary.CLASSES[name]]
        self.path_is_key = not files
        if events is None and "registry" in self.classes and files and "path" in self.attributes:
            self.attributes.remove("path")  # a key here and a file there


def valued_attributes(condition, joined):
    """What the condition, or a part of its `joined`, compares with values: the values are not looked at."""
    parts = condition.children if isinstance(condition, joined) else [condition]
    return {part.attribute for part in parts if isinstance(part, tree.Predicate)}


def mend_covered(policy):
    """An allow that a deny of the same policy wholly covers is an error: such a one logs instead.
    This calls more of them covered than the checker does."""
    always = [rule for rule in policy.rules if rule.effect in ("deny", "kill") and rule.condition is None]
    classes = {name for rule in always for name in rule.classes or ()}
    events = {name for rule in always for name in rule.events or ()}
    known = set()
    valued = set()
    for rule in policy.rules:
        if rule.effect in ("deny", "kill") and rule.condition is not None:
            valued |= valued_attributes(rule.condition, tree.Or)
        if rule.effect in ("deny", "kill") and rule.condition is not None:
            known.add(tree.write_condition(rule.condition))
            if isinstance(rule.condition, tree.Or):
                known |= {tree.write_condition(child) for child in rule.condition.children}
    for rule in policy.rules:
        if rule.effect != "allow":
            continue
        conditions = set()
        if rule.condition is not None:
            conditions.add(tree.write_condition(rule.condition))
            if isinstance(rule.condition, tree.And):
                conditions |= {tree.write_condition(child) for child in rule.condition.children}
        can_be = set(rule.classes or ())
        for name in rule.events or ():
            event = vocabulary.CATALOGUE.get(name.decode("utf-8", "replace"))
            can_be |= event.classes if event else set()
        if conditions & known or rule.condition is not None and \
                valued_attributes(rule.condition, tree.And) & valued or "all" in classes or can_be & classes or "all" in can_be and classes or \
                set(rule.events or ()) & events:
            rule.effect = "log"
