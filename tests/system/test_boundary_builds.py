"""The C boundary in every way that an interpreter comes to be: sub-interpreters with a lock of their own, a
venv, a program that embeds one, a program that opens one.

What is tried is _posixsubprocess.fork_exec, which raises no event before 3.14.
"""

import re
import subprocess
import unittest
from pathlib import Path

from support import BUILD, TESTS, Test, clean_environment, execute, python, python_version

PROGRAMS = BUILD / "tests" / "programs"
ATTACK = TESTS / "escapes" / "silent_fork_exec.py"

# No floor: what holds is the C boundary.
POLICY = 'policy boundary { deny exec where argv has matches "*started*" as no-touch }\n'


def attack(started):
    """Code that starts `touch` of a file, raising no event before 3.14."""
    return f"import sys\nsys.argv = ['attack', {str(started)!r}]\n{ATTACK.read_text()}"


class Attacked(Test):
    def held(self, command, **more):
        """`command` runs code that is its last argument."""
        started = self.directory / "started"
        without = execute([*command, attack(started)], **more)
        self.assertTrue(started.exists(), without)
        started.unlink()
        result = self.run_under(self.policy(POLICY), [*command, attack(started)], **more)
        self.assertFalse(started.exists(), result)
        return result


class Interpreters(Attacked):
    per_interpreter = True

    def test_fork_exec_is_held_in_a_plain_interpreter(self):
        self.held([python(), "-c"])

    def test_fork_exec_is_held_in_a_venv(self):
        place = self.directory / "venv"
        made = execute([python(), "-m", "venv", "--without-pip", place])
        self.assertEqual(made.status, 0, made)
        self.held([place / "bin" / "python", "-c"])
        self.held([place / "bin" / "python", "-I", "-S", "-c"])

    def test_extension_module_of_a_venv_loads_where_its_place_is_allowed(self):
        place = self.directory / "venv"
        made = execute([python(), "-m", "venv", "--without-pip", place])
        self.assertEqual(made.status, 0, made)
        packages = next((place / "lib").glob("python3*")) / "site-packages"
        for library in "origin_module.so", "libneeded.so":
            (packages / library).write_bytes((BUILD / "tests" / "libraries" / library).read_bytes())
        policy = self.policy("""policy venv {
    default deny native
    allow native where path under [session.python, session.venv] as modules
}""")
        result = self.run_under(policy, [place / "bin" / "python", "-c",
                                         "import origin_module, ssl; print(origin_module.number)"])
        self.assertEqual((result.status, result.out), (0, "42\n"), result)
        other = self.directory / "other"
        packages.rename(other)
        result = self.run_under(policy, [place / "bin" / "python", "-c",
                                         f"import sys; sys.path.insert(0, {str(other)!r}); import origin_module"])
        self.assertDenied(result, "venv.default-native")

    def test_fork_exec_is_held_in_sub_interpreters_with_a_lock_of_their_own(self):
        if python_version() < (3, 12):
            self.skipTest("an interpreter's own lock came with 3.12")
        started = self.directory / "started"
        (self.directory / "attack.py").write_text(attack(started))
        code = f"""
import threading
try:
    import _interpreters as interpreters
    run, create = interpreters.exec, lambda: interpreters.create("isolated")
except ImportError:
    import _xxsubinterpreters as interpreters
    run, create = interpreters.run_string, lambda: interpreters.create(isolated=True)
inside = '''
try:
    exec(open("attack.py").read())
except BaseException as error:
    import os
    os.write(1, type(error).__name__.encode() + b" ")
'''
made = [create() for _ in range(4)]
threads = [threading.Thread(target=run, args=(one, inside)) for one in made]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
        # Isolated interpreters may not fork (RuntimeError): what goes on then is no escape.
        without = execute([python(), "-c", code], cwd=self.directory)
        if not started.exists():
            self.skipTest(f"isolated interpreters of {python()} start no programs anyway: {without.out}")
        started.unlink()
        result = self.run_under(self.policy(POLICY), [python(), "-c", code])
        self.assertFalse(started.exists(), result)


class Opened(Attacked):
    per_interpreter = True

    def test_fork_exec_is_held_where_libpython_comes_by_dlopen(self):
        out = subprocess.run(["ldd", python()], capture_output=True, text=True).stdout
        found = re.search(r"libpython\S+ => (\S+)", out)
        if not found:
            self.skipTest("this interpreter has no shared library")
        library = found.group(1)
        environment = clean_environment(PYTHONHOME=Path(library).parent.parent)
        # An extension module needs the library's names: it is opened for all.
        self.held([PROGRAMS / "late_python", library, "global"], env=environment)


class Embedded(Attacked):
    def test_fork_exec_is_held_in_an_embedding_program(self):
        program = PROGRAMS / "embedding"
        if not program.exists():
            self.skipTest("embedding was not built: python3-embed (Debian: python3-dev) was missing")
        self.held([program], env=clean_environment())

    def test_embedding_program_shows_its_code_no_preload(self):
        program = PROGRAMS / "embedding"
        if not program.exists():
            self.skipTest("embedding was not built: python3-embed (Debian: python3-dev) was missing")
        result = self.run_under(self.policy(POLICY), [program, "import os; print(os.environ.get('LD_PRELOAD'))"])
        self.assertEqual((result.status, result.out), (0, "None\n"), result)


if __name__ == "__main__":
    unittest.main()
