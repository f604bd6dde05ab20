"""Another thread replaces a descriptor (dup2) or a name while a call at the C boundary is under way: what is judged
is what the call is made on.
"""

import unittest

from support import Test, python

# A process looks for the resolver's /etc/hosts among the descriptors that the threads of its parent share.
LOOKING = """
import os, signal, socket, time
free = os.open("/dev/null", os.O_RDONLY)
os.close(free)
hosts = os.path.realpath("/etc/hosts")
child = os.fork()
if child == 0:
    seen = 0
    links = [f"/proc/{os.getppid()}/fd/{number}" for number in range(free, free + 6)]
    until = time.monotonic() + 3
    while time.monotonic() < until:
        for link in links:
            try:
                seen += os.readlink(link) == hosts
            except OSError:
                pass
    os._exit(min(seen, 100))
while True:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid:
        break
    CALL
print("seen", os.WEXITSTATUS(status))
"""

NAMES = """policy p {
    default deny connect
    allow connect where host is "localhost" as local
}"""


class Names(Test):
    per_interpreter = True
    interpreters = "ends"

    def looked_up_by(self, call, policy=NAMES):
        result = self.run_under(self.policy(policy), [python(), self.script(LOOKING.replace("CALL", call))])
        self.assertRegex(result.out, "^seen [0-9]+\n$", result)
        return int(result.out.split()[1])

    def test_no_thread_reaches_the_files_that_a_name_is_looked_up_in(self):
        for call in ("socket.getaddrinfo('localhost', 1)", "socket.gethostbyname_ex('localhost')"):
            with self.subTest(call):
                self.assertEqual(self.looked_up_by(call), 0)

    def test_where_no_connection_could_be_denied_a_name_is_looked_up_in_place(self):
        self.assertGreater(self.looked_up_by("socket.getaddrinfo('localhost', 1)", "policy p { log connect as all }"), 0)


if __name__ == "__main__":
    unittest.main()
