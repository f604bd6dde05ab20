"""libwarder.so as the loader sees it: what it needs, what it shows, and how it is mapped.

It is put before every program of a host, so it may need nothing but libc, not even a newer one, and must
not show a name that is another library's.
"""

import re

from support import BUILD, HOOK, SOURCE, Test, execute

EXPORTS = SOURCE / "tests" / "system" / "exports.txt"

# Debian 11 and Ubuntu 20.04 have it; what is newer can run older binaries, not the other way round.
NEWEST_GLIBC = (2, 31)

# Beside libc itself: the loader, and the page that the kernel maps into every process.
LOADER = re.compile(r"(/.*/)?ld-linux.*\.so\.\d+|/lib.*/ld64\.so\.\d+|linux-vdso\.so\.1|linux-gate\.so\.1")


class Exports(Test):
    def readelf(self, *options):
        result = execute(["readelf", "--wide", *options, HOOK])
        self.assertEqual((result.status, result.err), (0, ""), result)
        return result.out

    def symbols(self):
        """(name, version or None, whether the object defines it) of each dynamic symbol."""
        found = []
        for line in self.readelf("--dyn-syms").splitlines():
            # Num: Value Size Type Bind Vis Ndx Name[@VERSION] [(INDEX)]
            fields = line.split()
            if len(fields) < 8 or not fields[0].rstrip(":").isdigit() or fields[4] == "LOCAL":
                continue
            name, _, version = fields[7].partition("@")
            found.append((name, version.lstrip("@") or None, fields[6] != "UND"))
        self.assertGreater(len(found), 10, "the table of symbols could not be read")
        return found

    def dynamic(self):
        """(tag, value) of each entry of the dynamic section."""
        found = re.findall(r"^\s*0x[0-9a-f]+\s+\((\w+)\)\s+(.*)$", self.readelf("--dynamic"), re.MULTILINE)
        self.assertIn("SONAME", dict(found))
        return found

    def segments(self):
        """(type, flags) of each program header."""
        found = re.findall(r"^\s+([A-Z_]+)\s+(?:0x[0-9a-f]+\s+){5}([R ][W ][E ])\s+0x",
                           self.readelf("--segments"), re.MULTILINE)
        self.assertIn("LOAD", dict(found))
        return found

    def test_hook_needs_libc_alone(self):
        needed = [re.fullmatch(r"Shared library: \[(.*)\]", value).group(1) for tag, value in self.dynamic()
                  if tag == "NEEDED"]
        # On arm64 the loader holds the guard of the stack.
        self.assertEqual([name for name in needed if not LOADER.fullmatch(name)], ["libc.so.6"])
        # And so does what it needs: as the loader finds it.
        result = execute(["ldd", HOOK])
        self.assertEqual(result.status, 0, result)
        names = [line.split()[0] for line in result.out.splitlines()]
        self.assertEqual([name for name in names if not LOADER.fullmatch(name)], ["libc.so.6"])

    def test_hook_exports_what_the_list_says(self):
        listed = [line for line in EXPORTS.read_text().splitlines() if line and not line.startswith("#")]
        self.assertEqual(sorted(name for name, _, defined in self.symbols() if defined), sorted(listed))

    def test_hook_needs_no_newer_glibc_than_is_promised(self):
        versions = {version for _, version, defined in self.symbols() if version and not defined}
        # What the object asks of libraries by version, also where no symbol shows it.
        versions |= set(re.findall(r"Name: (\S+)", self.readelf("--version-info")))
        self.assertIn("GLIBC_2.25", versions)  # getrandom: the versions were read
        for version in versions:
            with self.subTest(version):
                self.assertRegex(version, r"^GLIBC_[0-9.]+$")
                self.assertLessEqual(tuple(map(int, version[len("GLIBC_"):].split("."))), NEWEST_GLIBC)

    def test_hook_requires_no_symbol_of_an_interpreter(self):
        # It is put before every program: an undefined name would stop those that hold no CPython.
        for name, version, defined in self.symbols():
            if defined or not name:
                continue
            with self.subTest(name):
                self.assertNotRegex(name, "^_?Py")
                self.assertTrue(version or name.startswith(("_ITM_", "__gmon_start__")), name)

    def test_hook_is_mapped_without_writable_code(self):
        tags = dict(self.dynamic())
        self.assertNotIn("TEXTREL", tags)
        self.assertNotIn("TEXTREL", tags.get("FLAGS", ""))
        for kind, flags in self.segments():
            self.assertNotIn("WE", flags.replace(" ", ""), f"{kind} is writable and executable")
        self.assertEqual([flags for kind, flags in self.segments() if kind == "GNU_STACK"], ["RW "])

    def test_hook_is_bound_at_once_and_its_tables_are_read_only(self):
        tags = dict(self.dynamic())
        self.assertIn("NOW", tags.get("FLAGS_1", ""))
        self.assertIn("NODELETE", tags.get("FLAGS_1", ""))  # CPython keeps a pointer to the hook for good
        self.assertIn("GNU_RELRO", dict(self.segments()))
        self.assertNotIn("RPATH", tags)
        self.assertNotIn("RUNPATH", tags)


class Evaluator(Test):
    """The evaluator is to be linked into the hook too: it allocates nothing and asks nobody."""

    MODULES = ("evaluate", "rule_index", "condition", "comparison", "operand", "override", "glob", "utf8",
               "path_text")
    # Of libc: what compares and copies bytes (bcmp is what clang makes of a memcmp for equality). The compiler's own
    # guards of the stack and of copies count too.
    ALLOWED = re.compile(r"bcmp|(__)?(mem(cpy|move|set|cmp|chr|rchr)|str(len|nlen|cmp))(_chk)?|__stack_chk_(fail|guard)|"
                         r"_GLOBAL_OFFSET_TABLE_")

    def test_evaluator_calls_nothing_outside_the_engine(self):
        result = execute(["nm", "--format=posix", BUILD / "archive" / "libwarder_engine.a"])
        self.assertEqual(result.status, 0, result)
        needed, defined, module = {}, set(), None
        for line in result.out.splitlines():
            if line.endswith(":"):
                module = line.rstrip(":").rpartition("[")[2].partition(".")[0]
                needed[module] = set()
            elif line.split()[1:2] == ["U"]:
                needed[module].add(line.split()[0])
            elif line.split()[1:2] and line.split()[1] in "TRDB":
                defined.add(line.split()[0])
        if any(name.startswith(("__asan", "__tsan", "__ubsan")) for name in set().union(*needed.values())):
            self.skipTest("this build's code calls a sanitizer everywhere")
        for module in self.MODULES:
            with self.subTest(module):
                self.assertIn(module, needed)
                outside = {name for name in needed[module] - defined if not self.ALLOWED.fullmatch(name)}
                self.assertEqual(outside, set())
