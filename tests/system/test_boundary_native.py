"""Native code and names at the C boundary: what reaches libc's dlopen and getaddrinfo is what is judged.

The libraries are tests/system/programs: `loud` says on standard error when it is loaded.
"""

import os
import shutil
import socket
import threading

from support import ALLOW_ALL, BUILD, TESTS, UNTRUSTED, Test, clean_environment, execute, interpreter_process, python

LIBRARIES = BUILD / "tests" / "libraries"
LOUD = LIBRARIES / "libloud.so"
SAYS = "loud: loaded"

# Native code of the interpreter's own, and the program itself; everything else is allowed.
OWN = """policy own "The interpreter's own native code" {{
    default deny native message "Ask before you load"
    allow native where path under [session.python{more}] or (path is absent and name is absent) as own
}}
"""

# dlopen as native code calls it, with no audit event before it.
CALL = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.dlopen.restype = libc.dlmopen.restype = ctypes.c_void_p
libc.dlclose.argtypes = [ctypes.c_void_p]
libc.dlerror.restype = ctypes.c_char_p
NOW, NOLOAD = 2, 4
def load(path, flags=NOW):
    handle = libc.dlopen(path and path.encode(), flags)
    return handle, (libc.dlerror() or b"").decode()
"""


class Native(Test):
    per_interpreter = True

    def own(self, *more):
        return self.policy(OWN.format(more="".join(f', "{one}"' for one in more)), "own.warder")

    def runs(self, policy, code, *options, **more):
        result = self.run_under(policy, [python(), self.script(CALL + code)], *options, **more)
        self.assertEqual(result.status, 0, result)
        return result

    def loads(self, policy, code):
        """The records of native code, and the result."""
        result, rows = self.recorded(policy, [python(), self.script(code)])
        self.assertEqual(result.status, 0, result)
        return result, [row for row in rows if any(one["class"] == "native" for one in row.get("operations", ()))]


class Judged(Native):
    def test_load_that_no_event_shows_is_denied(self):
        result = self.runs(self.own(), f"print(load({str(LOUD)!r}))")
        self.assertNotIn(SAYS, result.err)
        self.assertIn("(None,", result.out)
        self.assertIn("own.default-native: Ask before you load", result.out)

    def test_denial_is_told_once_and_by_dlerror(self):
        result = self.runs(self.own(), f"load({str(LOUD)!r}); print(libc.dlerror())")
        self.assertEqual(result.out, "None\n")

    def test_load_into_a_namespace_of_its_own_is_denied(self):
        result = self.runs(self.own(), f"print(libc.dlmopen(-1, {str(LOUD)!r}.encode(), NOW), libc.dlerror())")
        self.assertNotIn(SAYS, result.err)
        self.assertIn("own.default-native", result.out)

    def test_allowed_load_is_made(self):
        result = self.runs(self.own(LIBRARIES), f"print(load({str(LOUD)!r})[0] is not None)")
        self.assertEqual(result.out, "True\n")
        self.assertIn(SAYS, result.err)

    def test_relative_path_is_judged_as_the_file_that_it_names(self):
        shutil.copy(LOUD, self.directory / "libhere.so")
        result = self.runs(self.own(), "print(load('./libhere.so'))")
        self.assertNotIn(SAYS, result.err)
        self.assertIn("libhere.so", result.out)
        result = self.runs(self.own(self.directory), "print(load('./libhere.so')[0] is not None)")
        self.assertEqual(result.out, "True\n")

    def test_path_that_the_loader_expands_is_not_allowed_by_path(self):
        result = self.runs(self.own(LIBRARIES), f"print(load('{LIBRARIES}/$LIB/../libloud.so'))")
        self.assertNotIn(SAYS, result.err)
        self.assertIn("own.default-native", result.out)

    def test_program_itself_and_what_is_loaded_already_are_not_asked_about(self):
        code = """
for path in None, "", "libc.so.6":
    handle, error = load(path)
    print(handle is not None, error)
print(load("./nonexistent.so", NOW | NOLOAD)[0])
"""
        result, rows = self.recorded(self.own(), [python(), self.script(CALL + code)])
        self.assertEqual(result.out, "True \nTrue \nTrue \nNone\n", result)
        self.assertEqual([row for row in rows if row.get("event") == "libc.dlopen"], [])

    def test_file_that_is_not_there_gives_what_libc_says(self):
        code = "print(load('/nonexistent/libnone.so')[1])"
        without = execute([python(), self.script(CALL + code)])
        self.assertEqual(self.runs(self.own(), code).out, without.out)

    def test_bare_name_is_judged_by_its_name(self):
        policy = self.policy("""policy named {
    default deny native
    allow native where path under session.python or name is "libloud.so" or (path is absent and name is absent) as own
}""")
        code = "print(load('libloud.so')[0] is not None, load('libother.so')[0])"
        environment = clean_environment(LD_LIBRARY_PATH=LIBRARIES)
        result = self.runs(policy, code, env=environment)
        self.assertEqual(result.out, "True None\n")

    def test_link_that_another_thread_flips_never_leads_to_what_is_not_allowed(self):
        good = self.directory / "good"
        good.mkdir()
        shutil.copy(LIBRARIES / "libneeded.so", good / "libx.so")
        bad = self.directory / "bad"
        bad.mkdir()
        shutil.copy(LOUD, bad / "libx.so")
        code = f"""
import os, threading
os.chdir({str(self.directory)!r})
done = False
def flip():
    number = 0
    while not done:
        number += 1
        os.symlink(("good", "bad")[number % 2], "next")
        os.rename("next", "way")
os.symlink("good", "way")
thread = threading.Thread(target=flip)
thread.start()
loaded = denied = tries = 0
while tries < 400 or (tries < 40000 and not (loaded and denied)):
    tries += 1
    handle, error = load("way/libx.so")
    loaded += handle is not None
    denied += handle is None
    if handle:
        libc.dlclose(handle)
done = True
thread.join()
print(loaded > 0, denied > 0)
"""
        result = self.runs(self.own(good), code)
        self.assertNotIn(SAYS, result.err)
        self.assertEqual(result.out, "True True\n", result)

    def test_session_without_a_rule_on_native_loads_as_without_warder(self):
        policy = self.policy("policy other { deny exec as no-exec }\n")
        shutil.copy(LOUD, self.directory / "libhere.so")
        code = """
print(load("./libhere.so")[0] is not None)
print([line.split()[-1] for line in open("/proc/self/maps") if "libhere" in line and "r-xp" in line])
"""
        without = execute([python(), self.script(CALL + code)], cwd=self.directory)
        self.assertEqual(self.runs(policy, code).out, without.out)


    def test_policy_that_comes_while_the_process_runs_holds_at_the_next_load(self):
        daemon = self.daemon()
        code = CALL + f"""
print(load({str(LIBRARIES / "libneeded.so")!r})[0] is not None, flush=True)
sys.stdin.readline()
print(load({str(LOUD)!r})[1], flush=True)
"""
        with interpreter_process([python(), self.script(code)], env=daemon.preloaded()) as process:
            self.assertEqual(process.stdout.readline(), "True\n")
            daemon.apply('policy late { applies { user matches "*" } default deny native message "Not any more" }')
            out, err = process.communicate("\n", timeout=60)
        self.assertIn("late.default-native: Not any more", out)
        self.assertNotIn(SAYS, err)

    def test_forked_child_is_asked_about_no_more_than_its_parent(self):
        policy = self.policy("policy other { deny signal as no-signals }\n")
        code = f"""
import os
number = os.fork()
if number == 0:
    os.execve(sys.executable, [sys.executable, "-c", "import os; print(os.environ.get('PYTHONPATH'))"],
              {{"PYTHONPATH": "/nonexistent"}})
os.waitpid(number, 0)
"""
        self.assertEqual(self.runs(policy, code).out, "/nonexistent\n")


class Escapes(Native):
    def openssl(self):
        """A configuration that has OpenSSL load a library: as a provider (3), as an engine (1.1)."""
        path = self.directory / "openssl.cnf"
        path.write_text(f"""openssl_conf = start
[start]
providers = providers
engines = engines
[providers]
default = builtin
loud = loud
[builtin]
activate = 1
[loud]
module = {LOUD}
activate = 1
[engines]
loud = engine
[engine]
engine_id = loud
dynamic_path = {LOUD}
init = 1
""")
        return clean_environment(OPENSSL_CONF=path)

    def test_openssl_configuration_brings_no_library_in(self):
        command = [python(), "-c", "import ssl; ssl.create_default_context(); print('done')"]
        environment = self.openssl()
        without = execute(command, env=environment)
        self.assertIn(SAYS, without.err, "the configuration does not do what it should")
        result = self.run_under(UNTRUSTED, command, env=environment)
        self.assertEqual((result.status, result.out), (0, "done\n"), result)
        self.assertNotIn(SAYS, result.err)

    def test_conversions_of_libc_are_not_found_by_a_later_variable(self):
        conversions = self.directory / "gconv"
        conversions.mkdir()
        shutil.copy(LOUD, conversions / "loud.so")
        (conversions / "gconv-modules").write_text("module LOUD// INTERNAL loud 1\nmodule INTERNAL LOUD// loud 1\n")
        code = f"""
import os
os.environ["GCONV_PATH"] = {str(conversions)!r}
libc.iconv_open(b"LOUD//", b"UTF-8")
print("done")
"""
        # With another locale the interpreter's own start has libc read the variable.
        environment = clean_environment(LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
        without = execute([python(), self.script(CALL + code)], env=environment)
        self.assertIn(SAYS, without.err, "the module would not be loaded anyway")
        result = self.runs(self.own(), code, env=environment)
        self.assertEqual(result.out, "done\n")
        self.assertNotIn(SAYS, result.err)

    def test_other_root_is_judged_as_native_code(self):
        if os.geteuid() != 0:
            self.skipTest("only root may change its root directory")
        code = f"import os\ntry:\n    os.chroot({str(self.directory)!r})\nexcept OSError as error:\n    print(error)\n"
        result = self.run_under(UNTRUSTED, [python(), self.script(code)])
        self.assertEqual(result.status, 0, result)
        self.assertNotEqual(result.out, "", result)
        policy = self.policy("policy other { deny exec as no-exec }\n", "other.warder")
        result = self.run_under(policy, [python(), self.script(code)])
        self.assertEqual((result.status, result.out), (0, ""), result)


    def test_module_bound_to_libc_itself_starts_no_program_either(self):
        module = execute([python(), "-c", "import _posixsubprocess as m; print(getattr(m, '__file__', ''))"]).out.strip()
        if not module:
            self.skipTest("_posixsubprocess is built into this interpreter")
        started = self.directory / "started"
        policy = self.policy('policy no { deny exec where argv has matches "*started*" as no-touch }', "no.warder")
        attack = TESTS / "escapes" / "silent_fork_exec.py"
        code = f"""
import os, sys
sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
sys.argv[1:] = [{str(started)!r}]
exec(open({str(attack)!r}).read())
"""
        self.assertEqual(execute([python(), self.script(code)]).status, 0)
        self.assertTrue(started.exists())
        started.unlink()
        self.run_under(policy, [python(), self.script(code)])
        self.assertFalse(started.exists())


class Imported(Native):
    def test_standard_extension_modules_load_under_untrusted(self):
        modules = "ssl, decimal, hashlib, socket, json, zlib, bz2, select, multiprocessing.shared_memory"
        result = self.run_under(UNTRUSTED, [python(), "-c", f"import {modules}; print('done')"])
        self.assertEqual((result.status, result.out), (0, "done\n"), result)

    def test_codecs_that_believe_a_state_are_not_let_in(self):
        # A decoder of ISO 2022 looks for the character set that its state names beyond the end of those that it knows.
        result = self.run_under(UNTRUSTED, [python(), "-c", "print(all(b'a'.decode(name) for name in "
                                                            "('euc_jp', 'shift_jis', 'big5', 'gb18030', 'hz', 'euc_kr')))\n"
                                                            "try: b'a'.decode('iso2022_jp')\n"
                                                            "except PermissionError as error: print(error.rule)"])
        self.assertIn(result.out, ("True\nno-powerful-imports\n", "True\nno-powerful-modules\n"), result)

    def test_allowed_load_is_one_record(self):
        module = LIBRARIES / "origin_module.so"
        _, rows = self.loads(self.own(LIBRARIES), f"""
import importlib.machinery, importlib.util
loader = importlib.machinery.ExtensionFileLoader("origin_module", {str(module)!r})
spec = importlib.util.spec_from_loader("origin_module", loader)
importlib.util.module_from_spec(spec)
import ctypes
ctypes.CDLL({str(LOUD)!r})
""")
        about = [row["event"] for row in rows if "/libraries/" in str(row["operations"])]
        self.assertEqual(about, ["import", "ctypes.dlopen"])

    def test_library_beside_a_module_is_found_by_origin(self):
        code = """
import sys
sys.path.insert(0, {0!r})
import origin_module
print(origin_module.number)
"""
        result, _ = self.loads(self.own(LIBRARIES), code.format(str(LIBRARIES)))
        self.assertEqual(result.out, "42\n")
        (self.directory / "way").symlink_to(LIBRARIES)
        result, _ = self.loads(self.own(LIBRARIES), code.format(str(self.directory / "way")))
        self.assertEqual(result.out, "42\n")

    def test_path_that_is_an_object_is_judged_as_the_path_that_comes_of_it(self):
        shutil.copy(LIBRARIES / "libneeded.so", self.directory / "libgood.so")
        code = f"""
import ctypes, os
class Path(os.PathLike):
    def __init__(self, *paths):
        self.paths = list(paths)
    def __fspath__(self):
        return self.paths.pop(0) if len(self.paths) > 1 else self.paths[0]
class Text(str):
    pass
good, bad = {str(self.directory / "libgood.so")!r}, {str(LOUD)!r}
for path in Path(good), Text(good), Path(bad), Text(bad), Path(good, good, bad), Path(good, bad), Path(bad, good):
    try:
        ctypes.CDLL(path)
        print("loaded")
    except (OSError, TypeError) as error:
        print(isinstance(error, OSError) and "own.default-native" in str(error))
"""
        result = self.run_under(self.own(self.directory), [python(), self.script(code)])
        self.assertEqual(result.status, 0, result)
        self.assertNotIn(SAYS, result.err)
        self.assertEqual(result.out.split()[:4], ["loaded", "loaded", "True", "True"], result)

    def test_import_error_says_the_rule(self):
        # A file without a separator has no path for the audit event; the C boundary sees the file.
        policy = self.policy("""policy by-event {
    default deny native message "Ask before you load"
    allow native where path under session.python or event is "import" as events
}""")
        shutil.copy(LIBRARIES / "origin_module.so", self.directory)
        code = """
import _imp, types
try:
    _imp.create_dynamic(types.SimpleNamespace(name="origin_module", origin="origin_module.so"))
except ImportError as error:
    print(error)
"""
        result = self.run_under(policy, [python(), self.script(code)])
        self.assertIn("by-event.default-native: Ask before you load", result.out, result)


class Names(Test):
    per_interpreter = True

    POLICY = """policy names {
    default deny connect message "Ask before you connect"
    allow connect where host is "localhost" as local
}
"""

    def setUp(self):
        super().setUp()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listening.close)
        self.port = self.listening.getsockname()[1]

    def connects(self, code, policy=POLICY, **more):
        """What a script prints that may call connect(): True or the name of the exception."""
        script = self.script(f"""
import os, socket, sys, threading
def connect(host="127.0.0.1"):
    with socket.socket() as reached:
        try:
            reached.connect((host, {self.port}))
            return True
        except OSError as error:
            return type(error).__name__
{code}
""")
        result = self.run_under(self.policy(policy), [python(), script], **more)
        self.assertEqual(result.status, 0, result)
        return result.out.split()

    def test_address_without_a_lookup_has_no_name(self):
        self.assertEqual(self.connects("print(connect())"), ["PolicyDenied"])

    def test_address_has_the_name_that_led_to_it(self):
        # Clause B-1.
        for call in ("getaddrinfo('localhost', 80)", "gethostbyname('localhost')", "gethostbyname_ex('localhost')",
                     "create_connection(('localhost', PORT)).close()"):
            with self.subTest(call):
                code = f"socket.{call.replace('PORT', str(self.port))}\nprint(connect())"
                self.assertEqual(self.connects(code), ["True"])

    def test_lookup_of_another_name_is_no_reason(self):
        other = socket.gethostname()
        try:
            address = socket.gethostbyname(other)
        except OSError:
            self.skipTest("this machine does not find its own name")
        self.assertEqual(self.connects(f"socket.getaddrinfo({other!r}, 80)\nprint(connect({address!r}))"),
                         ["PolicyDenied"])

    def test_event_that_code_raises_is_no_lookup(self):
        # Clause B-1.
        code = """
sys.audit("socket.getaddrinfo", "localhost", 80, 0, 0, 0)
sys.audit("socket.gethostbyname", "localhost")
socket.getaddrinfo = lambda *arguments: [(2, 1, 6, "", ("127.0.0.1", 80))]
socket.getaddrinfo("localhost", 80)
print(connect())
"""
        self.assertEqual(self.connects(code), ["PolicyDenied"])

    def test_reverse_lookup_is_no_reason(self):
        # Clause B-1.
        code = """
for ask in (lambda: socket.gethostbyaddr("127.0.0.1"), lambda: socket.getnameinfo(("127.0.0.1", 80), 0)):
    try:
        ask()
    except OSError:
        pass
print(connect())
"""
        self.assertEqual(self.connects(code), ["PolicyDenied"])

    def test_deny_by_name_reaches_the_address_that_it_led_to(self):
        policy = """policy names {
    deny connect where host is "localhost" as not-here
    deny resolve where host is "other.invalid" as not-asked
}
"""
        self.assertEqual(self.connects("socket.getaddrinfo('localhost', 80)\nprint(connect())", policy),
                         ["PolicyDenied"])

    def test_variables_that_steer_lookups_end_the_trust_in_names(self):
        # Clause B-2.
        for variable in "LOCALDOMAIN", "RES_OPTIONS", "HOSTALIASES":
            with self.subTest(variable):
                code = f"""
os.environ[{variable!r}] = "x"
del os.environ[{variable!r}]
socket.getaddrinfo("localhost", 80)
print(connect())
"""
                self.assertEqual(self.connects(code), ["PolicyDenied"])

    def test_twenty_threads_look_up_and_connect(self):
        code = """
outcomes = []
def work():
    for _ in range(5):
        socket.getaddrinfo("localhost", 80)
        outcomes.append(connect())
threads = [threading.Thread(target=work) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(outcomes), *sorted(set(map(str, outcomes))))
"""
        accepting = threading.Thread(target=self.accept_all, daemon=True)
        accepting.start()
        self.assertEqual(self.connects(code), ["100", "True"])

    def accept_all(self):
        while True:
            try:
                self.listening.accept()[0].close()
            except OSError:
                return

    def test_forked_child_has_the_names_of_its_parent(self):
        # Clause B-1.
        code = """
socket.getaddrinfo("localhost", 80)
child = os.fork()
if child == 0:
    os._exit(connect() is not True)
print(os.waitpid(child, 0)[1])
"""
        self.assertEqual(self.connects(code), ["0"])


class Environment(Test):
    per_interpreter = True

    SHOWN = ("import os; print(sorted(name for name in os.environ if name.startswith(('WARDER_', 'LD_')) "
             "and not name.startswith('WARDER_TEST_')), os.environ.get('LD_PRELOAD'))")
    # A child says whether it is under policy by what becomes of a denied operation.
    CHILD = "import os\ntry:\n    os.kill(1, 0)\n    print('free')\nexcept PermissionError as error:\n    " \
            "print(type(error).__name__)\n"
    POLICY = "policy guarded { deny signal as no-signals }\n"
    NO_EXEC = "policy guarded { deny signal as no-signals deny exec where argv has 'never' as no-never }\n"

    def test_preload_and_the_way_to_the_daemon_are_not_shown(self):
        self.assertEqual(self.python_under(self.policy(ALLOW_ALL), self.SHOWN).out, "[] None\n")

    def test_other_preloads_and_variables_stay(self):
        environment = clean_environment(LD_PRELOAD=LOUD, WARDER_OTHER="1", LD_BIND_NOW="1")
        result = self.python_under(self.policy(ALLOW_ALL), self.SHOWN, env=environment)
        self.assertEqual(result.out, f"['LD_BIND_NOW', 'LD_PRELOAD', 'WARDER_OTHER'] {LOUD}\n", result)

    def test_environment_is_the_same_as_without_warder(self):
        code = "import os; print(sorted(os.environ.items()))"
        environment = clean_environment(A="1", B="", C="x=y")
        without = execute([python(), "-c", code], env=environment)
        result = self.python_under(self.policy(ALLOW_ALL), code, env=environment)
        self.assertEqual(result.out, without.out)

    def test_daemon_of_the_host_is_found_and_hidden(self):
        daemon = self.daemon()
        result = execute([python(), "-c", self.SHOWN], env=daemon.preloaded())
        self.assertEqual(result.out, "[] None\n", result)
        self.assertEqual(daemon.status()["sessions_total"], 1)

    def test_children_stay_under_policy_however_they_are_started(self):
        child = self.script(self.CHILD, "child.py")
        code = f"""
import os, subprocess, sys
child = [sys.executable, {str(child)!r}]
line = " ".join(child)
sys.stdout.reconfigure(line_buffering=True)
subprocess.run(child)
subprocess.run(child, env={{}})
subprocess.run(child, close_fds=False)
subprocess.run(line, shell=True, env={{"LD_PRELOAD": ""}})
os.system(line)
print(os.popen(line).read(), end="")
os.waitpid(os.posix_spawn(child[0], child, {{}}), 0)
os.waitpid(os.spawnv(os.P_NOWAIT, child[0], child), 0)
os.waitpid(os.spawnve(os.P_NOWAIT, child[0], child, {{"A": "1"}}), 0)
os.environ.clear()
subprocess.run(child)
number = os.fork()
if number == 0:
    os.execv(child[0], child)
os.waitpid(number, 0)
"""
        for text in self.POLICY, self.NO_EXEC:
            with self.subTest(text):
                result = self.run_under(self.policy(text), [python(), self.script(code)])
                self.assertEqual(result.status, 0, result)
                self.assertEqual(result.out.split(), ["PolicyDenied"] * 11, result)

    def test_children_get_a_preload_of_the_programs_own_beside_the_hooks(self):
        child = self.script(self.CHILD, "child.py")
        code = f"""
import subprocess, sys
subprocess.run([sys.executable, {str(child)!r}], env={{"LD_PRELOAD": {str(LOUD)!r}}})
"""
        result = self.run_under(self.policy(self.POLICY), [python(), self.script(code)])
        self.assertEqual((result.status, result.out), (0, "PolicyDenied\n"), result)
        self.assertIn(SAYS, result.err)

    def test_the_hook_by_a_name_of_the_programs_own_does_not_take_its_place(self):
        child = self.script(self.CHILD, "child.py")
        code = f"""
import os, subprocess, sys
hook = next(line.split()[-1] for line in open("/proc/self/maps") if "libwarder" in line)
descriptor = os.open(hook, os.O_RDONLY | os.O_CLOEXEC)
for name in f"/proc/self/fd/{{descriptor}}", "libwarder.so", "/nonexistent/" + os.path.basename(hook):
    subprocess.run([sys.executable, {str(child)!r}], env={{"LD_PRELOAD": name}})
"""
        result = self.run_under(self.policy(self.POLICY), [python(), self.script(code)])
        self.assertEqual((result.status, result.out), (0, "PolicyDenied\n" * 3), result)
