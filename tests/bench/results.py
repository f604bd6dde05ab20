"""The figures of a run, for whoever wants them as JSON: with the machine that they were measured on."""

import json
import os
import platform
import time
from pathlib import Path

TABLES = []


def begin(title, base, name):
    TABLES.append({"title": title, "base": base, "name": name, "rows": []})


def add(label, unit, base, value, ratio, **more):
    """A row of the table that was begun last. `ratio`: its median, and the middle half of it."""
    TABLES[-1]["rows"].append({"label": label, "unit": unit, "base": base, "value": value, "ratio": ratio[0],
                               "ratio_low": ratio[1], "ratio_high": ratio[2], **more})


def note(label, unit, value, **more):
    """A figure that has nothing beside it."""
    TABLES[-1]["rows"].append({"label": label, "unit": unit, "value": value, **more})


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def machine():
    memory = int(Path("/proc/meminfo").read_text().split()[1])
    release = platform.freedesktop_os_release() if hasattr(platform, "freedesktop_os_release") else {}
    return {"processor": processor(), "cores": os.cpu_count(), "memory_mib": memory // 1024,
            "kernel": platform.release(), "system": release.get("PRETTY_NAME", platform.system()),
            "load": os.getloadavg()[0]}


def write(path, python, rounds):
    text = json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
                       "python": python, "rounds": rounds, "tables": TABLES}, indent=1)
    Path(path).write_text(text + "\n")
