"""The session's key, which makes every answer believed, is in no core file that the program could read.

The daemon is the test's own, and keeps its sessions beside its socket, with their keys.
"""

import re
from pathlib import Path

from support import Test, interpreter_process, python

NO_PROGRAMS = """policy no-programs "Forks alone" {
    applies { platform is "linux" }
    deny exec as no-exec
}
"""

# A child of the program's ends so that the kernel writes down what it had in memory: its parent's too.
ABORTS = """
import os, resource
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
if os.fork() == 0:
    try:
        os.execv("/bin/true", ["true"])
    except PermissionError:
        os.abort()
    os._exit(0)
print(os.WCOREDUMP(os.wait()[1]), flush=True)
input()
"""

LEFT_OUT = """
import re
with open("/proc/self/smaps") as maps:
    areas = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", maps.read())
own = [area for area in areas if "libwarder" in area and area.split()[1].startswith("rw")]
print(len(own) > 0 and all(" dd" in re.search("VmFlags:.*", area).group() for area in own))
"""


def kept_keys(directory):
    """Keys of the sessions that the daemon keeps: field 2 of warder.v1.KeptSession, 16 bytes."""
    keys = []
    for path in Path(directory).rglob("*"):
        if path.is_file() and path.parent.name == "sessions":
            keys += re.findall(rb"\x12\x10(.{16})[\x18\x20]", path.read_bytes(), re.DOTALL)
    return keys


class CoreFiles(Test):
    per_interpreter = True

    def waiting(self, daemon, code, place):
        return interpreter_process([python(), "-S", self.script(code)], env=daemon.preloaded(), cwd=place)

    def test_core_file_of_a_forked_child_has_no_key_of_a_session(self):
        if Path("/proc/sys/kernel/core_pattern").read_text().startswith("|"):
            self.skipTest("this host gives core files to a program")
        daemon = self.daemon()
        daemon.apply(NO_PROGRAMS)
        place = self.directory / "place"
        place.mkdir()
        with self.waiting(daemon, ABORTS, place) as process:
            dumped = process.stdout.readline()
            keys = kept_keys(Path(daemon.socket).parent)
        self.assertEqual(dumped, "True\n")
        cores = [path.read_bytes() for path in place.glob("core*")]
        self.assertTrue(keys and cores, (keys, cores))
        for key in keys:
            self.assertFalse(any(key in core for core in cores), "the key of a session is in a core file")
        # The test has looked at the right thing: what is in ordinary memory is there.
        self.assertTrue(any(b"WCOREDUMP" in core for core in cores))

    def test_data_of_the_hook_is_left_out_of_core_files(self):
        result = self.run_under(self.policy(NO_PROGRAMS), [python(), self.script(LEFT_OUT)])
        self.assertEqual(result.out, "True\n", result)
