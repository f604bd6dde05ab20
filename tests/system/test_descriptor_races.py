"""Another thread replaces a descriptor (dup2) or a name while a call at the C boundary is under way: what is judged
is what the call is made on.
"""

import socket
import unittest

from support import Test, python

# Replaces the resolver's /etc/hosts as soon as it is seen among the descriptors of the process.
FORGING = """
import os, socket, sys, threading, time
sys.setswitchinterval(1e-6)
with open("hosts", "w") as file:
    file.write("127.0.0.1 good.example\\n")
opened = os.open("hosts", os.O_RDONLY)
os.dup2(opened, 60)
free = os.open("/dev/null", os.O_RDONLY)
os.close(free)
hosts = os.stat("/etc/hosts").st_ino
seen = [0]
stop = False

def replace():
    fstat, dup2, lseek = os.fstat, os.dup2, os.lseek
    while not stop:
        for number in range(free, free + 6):
            try:
                if fstat(number).st_ino == hosts:
                    seen[0] += 1
                    dup2(60, number, False)
                    lseek(number, 0, 0)
            except OSError:
                pass

def connects():
    with socket.socket() as reached:
        reached.settimeout(2)
        try:
            reached.connect(("127.0.0.1", PORT))
            return True
        except PermissionError:
            return False

thread = threading.Thread(target=replace, daemon=True)
thread.start()
until = time.monotonic() + 4
while time.monotonic() < until:
    try:
        socket.getaddrinfo("good.example", PORT, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        pass
stop = True
thread.join()
print(seen[0], connects())
"""

NAMES = """policy p {
    default deny connect
    allow connect where host is "good.example" as good
}"""


class Names(Test):
    per_interpreter = True

    def test_what_another_thread_puts_in_the_place_of_a_file_of_the_resolver_counts_for_no_name(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            code = FORGING.replace("PORT", str(server.getsockname()[1]))
            result = self.run_under(self.policy(NAMES), [python(), self.script(code)], cwd=self.directory)
        self.assertEqual(result.out, "0 False\n", result)


if __name__ == "__main__":
    unittest.main()
