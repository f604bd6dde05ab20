"""What the hook costs where it settles events itself: one event, and whole programs. Called by bench.py (`hook`).

An event is raised in a loop by one interpreter: without a hook, with an empty one in C, with Warder's where no
rule concerns it (skipped), where rules do (settled; with a path; recorded), and where the daemon is asked.
"""

import json
import os
import statistics
import sys
from pathlib import Path

import results

# name: [median, p99] of batches of calls, in nanoseconds a call.
LOOP = """
import json, sys, time
audit, clock = sys.audit, time.perf_counter_ns
def cost(count, batches, *event):
    times = []
    for i in range(batches + 20):
        start = clock()
        for j in range(count):
            audit(*event)
        times.append((clock() - start) / count)
    times = sorted(times[20:])
    return times[len(times) // 2], times[len(times) * 99 // 100]
asked = {asked}
print(json.dumps({{name: cost(*((1, 1500) if asked else (200, 300)), *event) for name, event in {events}.items()}}))
"""

EVENTS = {
    "skipped": ("pickle.find_class", "a", "b"),
    "settled": ("import", "json", None, None, None, None),
    "with a path": ("open", "/etc/hostname", "r", 524288),
    "recorded": ("pickle.find_class", "a", "b"),
}

# Bytes of the packets about the event that is asked: the Ask, and the Verdict that allows it.
ASKED_PACKETS = (97, 46)

RULES = 'policy bench {{ applies {{ platform is "linux" }} {} }}\n'
SETTLED = RULES.format('deny import where module in ["_ctypes", "_tkinter"] as i  '
                       'deny read, write where path matches ["/proc/**/mem", "/proc/**/maps"] or path is "/dev/mem" as m')
RECORDED = RULES.format("log pickle as p")

PROGRAMS = {
    "-c pass": ["-c", "pass"],
    "five imports": ["-c", "import json, asyncio, unittest, http.client, xml.dom.minidom"],
    "import numpy": ["-c", "import numpy"],
    "compileall": ["-m", "compileall", "-q", "-f", "-d", "x", "{copy}"],
    "40 subprocesses": ["-c", "import subprocess\nfor i in range(40): subprocess.run(['/bin/true'])"],
}
INTERPRETERS = os.environ.get("WARDER_BENCH_PYTHONS", "").split()


def untrusted(bench):
    """The shipped policy, for every interpreter of the host, with an allow for the program that is started."""
    text = (Path(__file__).parent.parent.parent / "policies" / "untrusted.warder").read_text()
    lines = []
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["policy", "untrusted"]:
            line += '\n    applies { platform is "linux" }'
        elif words[:2] in (["deny", "exec"], ["deny", "fork"], ["floor", "exec,"]) or words[:1] == ["floor"]:
            line = "    deny exec where not file is \"/bin/true\" as no-exec" if words[1] == "exec" else "#" + line
        elif words[:1] == ["message"] and lines and lines[-1].startswith("#"):
            line = "#" + line
        lines.append(line)
    return "\n".join(lines) + "\n"


def events(bench, names, asked=False, **environment):
    chosen = {name: EVENTS[name] for name in names}
    return json.loads(bench.run([bench.PYTHON, "-I", "-S", "-c", LOOP.format(asked=asked, events=repr(chosen))],
                                **environment))


def over(values, name, base, index=0):
    """How much one variant takes beyond another, in the median of the rounds."""
    return statistics.median(one[index] - other[index] for one, other in zip(values[name], values[base]))


def bench_events(bench, daemons):
    empty = {"LD_PRELOAD": bench.WORK / "empty_hook.so"}
    variants = {}
    for name in EVENTS:
        daemon = daemons["recorded" if name == "recorded" else "settled"]
        variants[f"{name}: none"] = lambda name=name: events(bench, [name])[name]
        variants[f"{name}: empty"] = lambda name=name: events(bench, [name], **empty)[name]
        variants[f"{name}: hook"] = lambda name=name, daemon=daemon: events(bench, [name], **daemon.hooked())[name]
    variants["asked"] = lambda: events(bench, ["skipped"], True, **daemons["asked"].hooked())["skipped"]
    variants["asked: empty"] = lambda: events(bench, ["skipped"], True, **empty)["skipped"]
    variants["echo"] = lambda: (bench.echo(ASKED_PACKETS), 0)
    values = bench.measure(variants)
    results.begin("One event: an empty hook, and Warder's", "empty hook", "hook")
    print(f"\nOne event, ns a call (p99 of batches in brackets)\n{'':<24}{'no hook':>10}{'empty hook':>20}{'hook':>20}"
          f"{'over empty':>12}")
    for name in EVENTS:
        sides = {side: [statistics.median(one[i] for one in values[f"{name}: {side}"]) for i in (0, 1)]
                 for side in ("none", "empty", "hook")}
        beyond = over(values, f"{name}: hook", f"{name}: empty")
        print(f"{name:<24}{sides['none'][0]:>10.0f}" + "".join(
            f"{sides[side][0]:>12.0f} ({sides[side][1]:>5.0f})" for side in ("empty", "hook")) + f"{beyond:>12.0f}")
        results.note(name, "ns", sides["hook"][0], none=sides["none"][0], empty=sides["empty"][0],
                     p99=sides["hook"][1], over_empty=beyond)
    plain = {name: [one[0] for one in values[name]] for name in ("asked", "asked: empty", "echo")}
    plain["hook to hook"] = [all_of_it - python for all_of_it, python in zip(plain["asked"], plain["asked: empty"])]
    bench.heading("One event that is asked, against a packet's round trip", "raw echo", "asked")
    bench.row("event of two arguments, as Python sees it", plain, "asked", "echo", "us", 1e3)
    bench.row("the same, without what an empty hook takes", plain, "hook to hook", "echo", "us", 1e3)


def bench_programs(bench, daemons, python):
    copy = bench.WORK / "modules"
    if not copy.exists():
        copy.mkdir()
        library = Path(bench.run([python, "-c", "import os; print(os.path.dirname(os.__file__))"]).strip())
        for module in sorted(library.glob("[a-d]*.py")):
            (copy / module.name).write_bytes(module.read_bytes())
    version = bench.run([python, "-c", "import platform; print(platform.python_version())"]).strip()
    bench.heading(f"Whole programs under untrusted, CPython {version}, wall time", "without", "with")
    for label, arguments in PROGRAMS.items():
        command = [python, *(argument.format(copy=copy) for argument in arguments)]
        if label == "import numpy":
            try:
                bench.run([python, "-c", "import importlib.util as u, sys; sys.exit(not u.find_spec('numpy'))"])
            except SystemExit:
                print(f"{label:<48}not here")
                continue
        values = bench.measure({
            "none": lambda command=command: bench.timed(command)[0],
            "hook": lambda command=command: bench.timed(command, **daemons["untrusted"].hooked())[0],
            "recorded": lambda command=command: bench.timed(command, **daemons["all"].hooked())[0],
        })
        bench.row(label, values, "hook", "none", "ms", 1e6)
        bench.row(f"{label}, all recorded", values, "recorded", "none", "ms", 1e6)


def bench(module):
    def configured(name, text, **settings):
        path = module.WORK / f"{name}.toml"
        path.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        return module.Daemon(name, ("--config", path), text)

    daemons = {
        "settled": configured("settled", SETTLED), "recorded": configured("recorded", RECORDED),
        "asked": configured("asked", SETTLED, evaluate="daemon"),
        "untrusted": configured("untrusted", untrusted(module)),
        "all": configured("all", untrusted(module), record="all"),
    }
    started = []
    try:
        for daemon in daemons.values():
            started.append(daemon.__enter__())
        bench_events(module, daemons)
        for python in INTERPRETERS or [module.PYTHON]:
            bench_programs(module, daemons, python)
    finally:
        for daemon in started:
            daemon.__exit__()
    sys.stdout.flush()
