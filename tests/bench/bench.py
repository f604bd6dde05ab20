"""Measures what Warder costs, each time beside the same thing without it: see README.md.

    bench.py BUILD_DIRECTORY WORK_DIRECTORY [--json FILE] [NAME]...

Every round measures each variant once, in an order that turns from round to round, so that what slows the
machine down for a while slows all of them. A ratio is taken within its round; what is printed is the median
of the rounds' values and the middle half of the ratios.
"""

import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import daemon_load
import hook_cost
import others
import results

BUILD = Path(sys.argv[1])
WORK = Path(sys.argv[2])
WARDER = BUILD / "bin" / "warder"
HOOK = BUILD / "lib" / "libwarder.so"
# The interpreter itself, not a shim of a version manager that starts it.
PYTHON = os.environ.get("WARDER_BENCH_PYTHON") or os.path.realpath(sys.executable)
ROUNDS = int(os.environ.get("WARDER_BENCH_ROUNDS", "15"))

POLICY = 'policy allow-all "Everything is allowed" { applies { platform is "linux" } default allow all }\n'

# The median of so many batches of calls, in nanoseconds a call.
EVENT = """
import sys, time
arguments = tuple(range({arguments}))
count, warm_up, times = {count}, 50, []
audit, clock = sys.audit, time.perf_counter_ns
for i in range({batches} + warm_up):
    start = clock()
    for j in range(count):
        audit("bench.event", *arguments)
    if i >= warm_up:
        times.append((clock() - start) / count)
times.sort()
print(times[len(times) // 2])
"""

# Bytes of the packets of that event with two arguments: the Ask, and the Verdict that allows it.
EVENT_PACKETS = (86, 39)

PROGRAMS = {
    "-c pass": "pass",
    "five imports": "import json, asyncio, unittest, http.client, xml.dom.minidom",
    "40 subprocesses": "import subprocess\nfor i in range(40): subprocess.run(['/bin/true'])",
}


def environment(**more):
    kept = {key: value for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "LD_", "WARDER_"))}
    kept.update({key: str(value) for key, value in more.items()})
    return kept


def run(command, cores=None, **more):
    """What a program prints, which runs on the first of the cores alone, if any are named."""
    result = subprocess.run([str(part) for part in command], env=environment(**more), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                            preexec_fn=cores and (lambda: os.sched_setaffinity(0, {cores[0]})))
    if result.returncode != 0:
        sys.exit(f"{command[0]} ended with {result.returncode}: {result.stderr}")
    return result.stdout


def timed(command, **more):
    """Wall time and processor time of a program and its children, in nanoseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter_ns()
    run(command, **more)
    wall = time.perf_counter_ns() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e9


class Daemon:
    """One of a host, for all of the run."""

    def __init__(self, name="host", options=(), text=POLICY):
        self.directory = WORK / name
        self.directory.mkdir()
        self.socket = self.directory / "session.sock"
        self.admin = self.directory / "admin.sock"
        self.options = options
        self.text = text

    def __enter__(self):
        errors = self.directory / "daemon.err"
        self.process = subprocess.Popen(
            [str(BUILD / "bin" / "warderd"), *(str(option) for option in self.options), "--foreground",
             "--state-dir", str(self.directory / "state"), "--socket", str(self.socket)], env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors.open("wb"))
        end = time.monotonic() + 30
        while b"ready:" not in errors.read_bytes():
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                sys.exit(f"the daemon did not start: {errors.read_text()}")
            time.sleep(0.02)
        run([WARDER, "apply", "--admin-socket", self.admin, self.policy()])
        return self

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def policy(self):
        path = self.directory / "bench.warder"
        path.write_text(self.text)
        return path

    def stay_on(self, cores):
        """All of its threads."""
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)

    def hooked(self):
        return {"LD_PRELOAD": HOOK, "WARDER_SOCKET": self.socket}


def event_cost(arguments, hooked, daemon, cores=None):
    # With a round trip each, fewer are needed for the same time.
    count, batches = (1, 3000) if hooked else (200, 500)
    code = EVENT.format(arguments=arguments, count=count, batches=batches)
    return float(run([PYTHON, "-I", "-c", code], cores, **(daemon.hooked() if hooked else {})))


def echo(packets, cores=None):
    """A packet there and one back, of these sizes, in nanoseconds; from the one core to the other."""
    return float(run([WORK / "echo", "3000", *packets, *(cores[1:] if cores else ())], cores))


def placements():
    """Where the two ends of a question run: name -> cores of who asks and who answers; None: where the scheduler has
    them, which may change within a round."""
    free = sorted(os.sched_getaffinity(0))
    found = {"where the scheduler has them": None, "both on one core": (free[0], free[0])}
    if len(free) > 1:
        found["on a core each"] = (free[0], free[1])
    return found


def measure(variants):
    """`variants`: name -> function that gives one value. The values by name, one of each round."""
    values = {name: [] for name in variants}
    order = list(variants)
    for name in order:  # caches, first connections
        variants[name]()
    for i in range(ROUNDS):
        for name in order[i % len(order):] + order[:i % len(order)]:
            values[name].append(variants[name]())
    return values


def ratio(values, name, base):
    ratios = sorted(above / below for above, below in zip(values[name], values[base]))
    quarter = len(ratios) // 4
    return statistics.median(ratios), ratios[quarter], ratios[-1 - quarter]


def row(label, values, name, base, unit, scale):
    middle, low, high = ratio(values, name, base)
    without = statistics.median(values[base]) / scale
    with_it = statistics.median(values[name]) / scale
    results.add(label, unit.strip(), without, with_it, (middle, low, high))
    print(f"{label:<48}{without:>10.2f} {unit:<3}{with_it:>10.2f} {unit:<3}"
          f"{middle:>8.2f}  ({low:.2f} - {high:.2f})")


def heading(text, base, name):
    results.begin(text, base, name)
    print(f"\n{text}\n{'':<48}{base:>13} {name:>13}{'ratio':>8}  (middle half)")


def bench_verdict(_):
    heading("One verdict: an event's round trip through warderd, against a packet's there and back; both ends placed alike",
            "raw echo", "verdict")
    for name, cores in placements().items():
        with asked() as daemon:
            daemon.stay_on({cores[1]} if cores else os.sched_getaffinity(0))
            values = measure({
                "echo": lambda: echo(EVENT_PACKETS, cores),
                "python": lambda: event_cost(2, False, daemon, cores),
                "verdict": lambda: event_cost(2, True, daemon, cores),
            })
        values["hook to hook"] = [all_of_it - python for all_of_it, python in zip(values["verdict"], values["python"])]
        row(f"as Python sees it, {name}", values, "verdict", "echo", "us", 1e3)
        row(f"without what Python takes, {name}", values, "hook to hook", "echo", "us", 1e3)


def bench_event(_):
    with asked() as daemon:
        event_costs(daemon)


def event_costs(daemon):
    heading("One audit event, seen from Python, without a hook and with one", "none", "hook")
    for arguments in (0, 2, 4):
        values = measure({
            "none": lambda count=arguments: event_cost(count, False, daemon),
            "hook": lambda count=arguments: event_cost(count, True, daemon),
        })
        row(f"{arguments} arguments", values, "hook", "none", "us", 1e3)


def bench_programs(daemon):
    policy = daemon.policy()
    heading("Whole programs; `warder run` starts and ends a daemon of its own", "without", "with")
    for label, code in PROGRAMS.items():
        program = [PYTHON, "-c", code]
        values = measure({
            "none": lambda command=program: timed(command),
            "host": lambda command=program: timed(command, **daemon.hooked()),
            "run": lambda command=program: timed([WARDER, "run", "--policy", policy, "--", *command]),
        })
        for index, what in enumerate(("wall", "processor")):
            part = {name: [pair[index] for pair in pairs] for name, pairs in values.items()}
            row(f"{label}, host's daemon, {what}", part, "host", "none", "ms", 1e6)
            row(f"{label}, warder run, {what}", part, "run", "none", "ms", 1e6)


def asked():
    """A daemon that is asked about every event."""
    path = WORK / "asked-of-everything.toml"
    path.write_text('evaluate = "daemon"\n')
    return Daemon(f"asked{time.monotonic_ns()}", ("--config", path))


def bench_hook(_):
    hook_cost.bench(sys.modules[__name__])


def bench_daemon(_):
    daemon_load.bench(sys.modules[__name__])


def bench_loops(_):
    daemon_load.bench_loops(sys.modules[__name__])


def bench_others(_):
    others.bench(sys.modules[__name__])


BENCHES = {"verdict": bench_verdict, "event": bench_event, "programs": bench_programs,
           "hook": bench_hook, "daemon": bench_daemon, "loops": bench_loops, "others": bench_others}


def main():
    names = sys.argv[3:]
    output = None
    if "--json" in names:
        at = names.index("--json")
        output = names[at + 1] if at + 1 < len(names) else sys.exit("bench: --json wants a file")
        del names[at:at + 2]
    names = names or list(BENCHES)
    for name in names:
        if name not in BENCHES:
            sys.exit(f"bench: there is no measurement {name}; there are: {', '.join(BENCHES)}")
    print(f"{run([PYTHON, '-VV']).strip()}\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}, "
          f"{ROUNDS} rounds, medians")
    if os.getloadavg()[0] > os.cpu_count() / 2:
        print("THIS MACHINE IS BUSY: wall times are not to be trusted, see README.md")
    with Daemon() as daemon:
        for name in names:
            BENCHES[name](daemon)
    if output:
        results.write(output, run([PYTHON, "-VV"]).strip(), ROUNDS)
        print(f"\nwritten: {output}")


if __name__ == "__main__":
    main()
