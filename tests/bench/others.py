"""Warder beside others on the same work, in the same run. Called by bench.py (`others`).

Those that ask nobody: a hook in Python (`sys.addaudithook`) and one in C (name_hook.c), which both veto by the
event's name and look at nothing else. One that asks: Deno's permission broker, answered by broker.c. Deno is taken
from the path, from WARDER_BENCH_DENO, or from its package if npm can have it; without it the figure is left out.
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tarfile

import hook_cost
import results

PYTHON_HOOK = """
import sys
vetoed = {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn",
          "subprocess.Popen", "ctypes.dlopen", "ctypes.dlsym", "ctypes.call_function"}
def hook(name, args):
    if name in vetoed:
        raise PermissionError(name)
sys.addaudithook(hook)
"""

IMPORTS = "import json, asyncio, unittest, http.client, xml.dom.minidom\n"

# The median of so many calls that need a permission, in nanoseconds.
DENO_LOOP = """
const count = 3000, warmUp = 200, times = [];
for (let i = 0; i < count + warmUp; i++) {
    const start = performance.now();
    Deno.env.get("HOME");
    if (i >= warmUp) times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
console.log(times[count / 2] * 1e6);
"""

MACHINES = {"x86_64": "x64", "aarch64": "arm64"}


def in_process(bench, daemon):
    """Nanoseconds an event, by hook."""
    code = hook_cost.LOOP
    for name in ("skipped", "settled", "with a path"):
        chosen = {name: hook_cost.EVENTS[name]}
        loop = code.format(asked=False, events=repr(chosen))

        def cost(prefix="", loop=loop, name=name, **environment):
            out = bench.run([bench.PYTHON, "-I", "-S", "-c", prefix + loop], **environment)
            return json.loads(out)[name][0]

        values = bench.measure({
            "none": cost,
            "name": lambda: cost(LD_PRELOAD=bench.WORK / "name_hook.so"),
            "python": lambda: cost(PYTHON_HOOK),
            "warder": lambda: cost(**daemon.hooked()),
        })
        sides = {side: statistics.median(values[side]) for side in values}
        print(f"{name:<24}" + "".join(f"{sides[side]:>14.0f}" for side in ("none", "name", "python", "warder")))
        results.note(name, "ns", sides["warder"], none=sides["none"], name_hook=sides["name"],
                     python_hook=sides["python"])


def programs(bench, daemon):
    command = [bench.PYTHON, "-c", IMPORTS]
    values = bench.measure({
        "name": lambda: bench.timed(command, LD_PRELOAD=bench.WORK / "name_hook.so")[0],
        "python": lambda: bench.timed([bench.PYTHON, "-c", PYTHON_HOOK + IMPORTS])[0],
        "warder": lambda: bench.timed(command, **daemon.hooked())[0],
    })
    for base, what in (("name", "a C hook that compares names"), ("python", "a Python hook that compares names")):
        bench.heading(f"Five imports under untrusted, against {what}", "the other", "Warder")
        bench.row("five imports", values, "warder", base, "ms", 1e6)


def fetched_deno(bench):
    """The program out of its package; None if it cannot be had."""
    npm = shutil.which("npm")
    machine = MACHINES.get(platform.machine())
    if not npm or not machine:
        return None
    place = bench.WORK / "deno"
    place.mkdir()
    try:
        subprocess.run([npm, "pack", "--silent", f"@deno/linux-{machine}-glibc"], cwd=place, check=True, timeout=300,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        archive, = place.glob("*.tgz")
        with tarfile.open(archive) as package:
            package.extract("package/deno", place)
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, ValueError):
        return None
    return place / "package" / "deno"


def deno(bench):
    """A function that gives the nanoseconds of a permission, with the broker or without; None without Deno."""
    program = os.environ.get("WARDER_BENCH_DENO") or shutil.which("deno") or fetched_deno(bench)
    if not program:
        return None
    script = bench.WORK / "permission.js"
    script.write_text(DENO_LOOP)
    more = {"DENO_DIR": bench.WORK / "deno-dir", "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}

    def cost(*options, **environment):
        return float(bench.run([program, "run", "--no-prompt", *options, script], **more, **environment))

    return cost


def asked(bench, daemon):
    ask = deno(bench)
    loop = hook_cost.LOOP.format(asked=True, events=repr({"asked": hook_cost.EVENTS["skipped"]}))

    def event(**environment):
        return json.loads(bench.run([bench.PYTHON, "-I", "-S", "-c", loop], **environment))["asked"][0]

    variants = {
        "echo": lambda: bench.echo(hook_cost.ASKED_PACKETS),
        "empty": lambda: event(LD_PRELOAD=bench.WORK / "empty_hook.so"),
        "warder": lambda: event(**daemon.hooked()),
    }
    broker = None
    if ask:
        socket = bench.WORK / "broker.sock"
        broker = subprocess.Popen([str(bench.WORK / "broker"), str(socket)], stdout=subprocess.PIPE)
        broker.stdout.readline()
        variants["deno"] = lambda: ask(DENO_PERMISSION_BROKER_PATH=socket)
        variants["deno: none"] = lambda: ask("--allow-env")
    try:
        values = bench.measure(variants)
    finally:
        if broker:
            broker.kill()
            broker.wait()
    values["Warder"] = [one - other for one, other in zip(values["warder"], values["empty"])]
    bench.heading("One decision that is asked for, without what the call takes anyway", "raw echo", "asked")
    bench.row("Warder's daemon, every decision judged by rules", values, "Warder", "echo", "us", 1e3)
    if not ask:
        print(f"{'Deno, its permission broker':<48}not here: no `deno` on the path, and npm could not have its package")
        return
    values["Deno"] = [one - other for one, other in zip(values["deno"], values["deno: none"])]
    bench.row("Deno's permission broker, allowing all", values, "Deno", "echo", "us", 1e3)


def bench(module):
    def configured(name, text, **settings):
        path = module.WORK / f"others-{name}.toml"
        path.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
        return module.Daemon(f"others-{name}", ("--config", path), text)

    with configured("settled", hook_cost.SETTLED) as settled, \
            configured("untrusted", hook_cost.untrusted(module)) as untrusted, \
            configured("asked", hook_cost.SETTLED, evaluate="daemon") as asking:
        results.begin("One event, beside hooks that ask nobody", "no hook", "Warder")
        print(f"\nOne event beside hooks that ask nobody, ns a call\n{'':<24}{'no hook':>14}{'names, in C':>14}"
              f"{'in Python':>14}{'Warder':>14}")
        in_process(module, settled)
        programs(module, untrusted)
        asked(module, asking)
    sys.stdout.flush()
