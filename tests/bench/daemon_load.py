"""The daemon under load, beside a libuv server that decides and records nothing: see README.md.

`bench` is the module bench.py: what it has for every measurement is used here.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import results

CLIENTS = (1, 8, 64, 512)
MILLISECONDS = int(os.environ.get("WARDER_BENCH_MILLISECONDS", "300"))
IDLE = (1, 1000, 5000)
LOOPS = 2
FLOODS = 10
QUESTIONS = 1000

# Every event is looked at by a rule, and allowed.
POLICY = """policy bench {
    applies { platform is "linux" }
    default allow all
    deny read where path under "/bench/secret" as secret
}
"""
LIMITS = """[limits]
sessions_per_user = 16384
connections_per_user = 32768
unfinished_per_user = 1024
queue_megabytes_per_user = 96
"""


class Echo:
    """echo_server, answering with packets of the size of a Verdict."""

    def __init__(self, bench, reply_bytes):
        self.socket = bench.WORK / "echo.sock"
        self.process = subprocess.Popen([str(bench.WORK / "echo_server"), str(self.socket), str(reply_bytes)],
                                        stdout=subprocess.PIPE)

    def __enter__(self):
        if self.process.stdout.readline() != b"ready\n":
            sys.exit("the echo server did not start")
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.socket.unlink()


def load(bench, *arguments):
    return json.loads(bench.run([bench.WORK / "load", *arguments]))


def status(bench, daemon):
    return json.loads(bench.run([bench.WARDER, "status", "--json", "--admin-socket", daemon.admin]))


def until_recorded(bench, daemon):
    """The writer has done its work of one round before the next begins."""
    end = time.monotonic() + 60
    while status(bench, daemon)["records_waiting"] > 0:
        if time.monotonic() > end:
            sys.exit("what is to be recorded is not written within a minute")
        time.sleep(0.02)


def processor_time(pid, thread=None):
    """Of one thread, in nanoseconds."""
    return int(Path(f"/proc/{pid}/task/{thread or pid}/schedstat").read_text().split()[0])


def asked(bench, daemon, echo, clients, of_daemon):
    server = daemon if of_daemon else echo
    before = processor_time(server.process.pid)
    answer = load(bench, "daemon" if of_daemon else "echo", server.socket, clients, MILLISECONDS)
    answer["loop_ns"] = (processor_time(server.process.pid) - before) / answer["answers"]
    if of_daemon:
        until_recorded(bench, daemon)
    return answer


def bench_rate(bench, daemon, echo):
    results.begin("The daemon, every decision recorded, beside a libuv echo server", "echo", "daemon")
    print(f"\nThe daemon, every decision recorded, beside a libuv server that decides and records nothing"
          f"\n{'':<14}{'echo':>10}{'daemon':>12}{'ratio':>8}  {'(middle half)':<15}"
          f"{'median us':>18}{'p99 us':>18}{'loop us each':>18}")
    for clients in CLIENTS:
        values = bench.measure({
            "echo": lambda count=clients: asked(bench, daemon, echo, count, False),
            "daemon": lambda count=clients: asked(bench, daemon, echo, count, True),
        })
        rates = {name: [one["per_second"] for one in some] for name, some in values.items()}
        ratio = bench.ratio(rates, "daemon", "echo")
        middle = {name: {key: statistics.median(one[key] for one in some)
                         for key in ("per_second", "median_us", "p99_us", "loop_ns")}
                  for name, some in values.items()}
        label = f"{clients} client{'s' if clients > 1 else ''}"
        results.add(label, "1/s", middle["echo"]["per_second"], middle["daemon"]["per_second"], ratio,
                    clients=clients, details=middle)
        pairs = "".join(f"{middle['echo'][key] / scale:>9.1f}{middle['daemon'][key] / scale:>9.1f}"
                        for key, scale in (("median_us", 1), ("p99_us", 1), ("loop_ns", 1000)))
        print(f"{label:<14}{middle['echo']['per_second']:>8.0f}/s{middle['daemon']['per_second']:>10.0f}/s"
              f"{ratio[0]:>8.2f}  ({ratio[1]:.2f} - {ratio[2]:.2f}) {pairs}")
    state = status(bench, daemon)
    results.note("records written", "", state["records_written"], dropped=state["records_dropped"])
    print(f"records: {state['records_written']} written, {state['records_dropped']} dropped")


def bench_beside(bench, daemon):
    values = bench.measure({
        "alone": lambda: load(bench, "beside", daemon.socket, 0, QUESTIONS),
        "floods": lambda: load(bench, "beside", daemon.socket, FLOODS, QUESTIONS),
    })
    results.begin(f"One session that asks now and then, alone and beside {FLOODS} floods of its user", "alone",
                  "floods")
    print(f"\nOne session that asks now and then, alone and beside {FLOODS} floods of its own user"
          f"\n{'':<24}{'alone':>13}{'floods':>13}{'ratio':>8}  (middle half)")
    for key, label in (("median_us", "median"), ("p99_us", "p99")):
        part = {name: [one[key] for one in some] for name, some in values.items()}
        ratio = bench.ratio(part, "floods", "alone")
        alone, floods = (statistics.median(part[name]) for name in ("alone", "floods"))
        results.add(label, "us", alone, floods, ratio)
        print(f"{label:<24}{alone:>10.1f} us{floods:>10.1f} us{ratio[0]:>8.2f}  ({ratio[1]:.2f} - {ratio[2]:.2f})")
    until_recorded(bench, daemon)


def loops(bench, record):
    path = bench.WORK / f"loops-{record}.toml"
    path.write_text(f'record = "{record}"\n' + LIMITS)
    several = bench.WORK / f"loops-{record}-{LOOPS}.toml"
    several.write_text(f'loop_threads = {LOOPS}\n{path.read_text()}')
    title = f"Several loops: the daemon with {LOOPS} loop threads, {'every decision' if record == 'all' else 'nothing'} recorded"
    results.begin(title, "one", "several")
    print(f"\n{title}\n{'':<14}{'one':>10}{'several':>12}{'ratio':>8}  (middle half)")
    with bench.Daemon(f"one-loop-{record}", ("--config", path), POLICY) as one, \
            bench.Daemon(f"loops-{record}", ("--config", several), POLICY) as more:
        for clients in CLIENTS:
            values = bench.measure({
                name: lambda count=clients, server=daemon: asked(bench, server, None, count, True)["per_second"]
                for name, daemon in (("one", one), ("several", more))
            })
            ratio = bench.ratio(values, "several", "one")
            middle = {name: statistics.median(some) for name, some in values.items()}
            label = f"{clients} client{'s' if clients > 1 else ''}"
            results.add(label, "1/s", middle["one"], middle["several"], ratio, clients=clients)
            print(f"{label:<14}{middle['one']:>8.0f}/s{middle['several']:>10.0f}/s"
                  f"{ratio[0]:>8.2f}  ({ratio[1]:.2f} - {ratio[2]:.2f})")


def bench_loops(bench_module):
    for record in ("denied", "all"):
        loops(bench_module, record)


def resident(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def memory_of(bench, daemon, count):
    """KiB of the daemon with so many sessions, each of a process of its own that does nothing."""
    sessions = subprocess.Popen([str(bench.WORK / "load"), "idle", str(daemon.socket), str(count)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if sessions.stdout.readline() != b"ready\n":
            sys.exit("the idle sessions did not start")
        until_recorded(bench, daemon)
        there = status(bench, daemon)["sessions"]
        if there != count:
            sys.exit(f"{there} sessions are there, not {count}")
        return resident(daemon.process.pid)
    finally:
        sessions.communicate()


def bench_memory(bench, config):
    results.begin("Memory of the daemon with idle sessions, each of a process of its own", "", "daemon")
    print("\nMemory of the daemon with idle sessions, each of a process of its own")
    kib = {}
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for count in IDLE:
        if 4 * count > limit:  # two each, and as many are kept for other users
            print(f"{count:>6} sessions: not measured, for the limit of open files is {limit}")
            continue
        with bench.Daemon(f"memory{count}", ("--config", config), POLICY) as daemon:
            kib[count] = memory_of(bench, daemon, count)
        each = (kib[count] - kib[IDLE[0]]) / (count - IDLE[0]) if count > IDLE[0] else 0
        results.note(f"{count} sessions", "KiB", kib[count], each_kib=each)
        more = f", {each:.1f} KiB each beyond the first" if each else ""
        print(f"{count:>6} session{'s' if count > 1 else ' '}{kib[count] / 1024:>10.1f} MiB{more}")


def bench(bench_module):
    config = bench_module.WORK / "load.toml"
    config.write_text('record = "all"\n' + LIMITS)
    with bench_module.Daemon("loaded", ("--config", config), POLICY) as daemon:
        reply_bytes = load(bench_module, "daemon", daemon.socket, 1, 10)["reply_bytes"]
        with Echo(bench_module, reply_bytes) as echo:
            bench_rate(bench_module, daemon, echo)
        bench_beside(bench_module, daemon)
    bench_memory(bench_module, config)
