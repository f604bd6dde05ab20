#!/usr/bin/env python3
"""Whether the differential test would find a mistake: makes it, in a copy, and runs the test.

    mutate.py --build build                        all of mutations.py
    mutate.py --build build NAME...                some of them
    mutate.py --build build --replace FILE OLD NEW any other one

One source is compiled anew, and the driver linked with it before the build's own archives; nothing of
the build is changed. Prints how many seconds it took to find each. Ends with 1 if one was not found.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

from mutations import MUTATIONS

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FLAGS = ["-std=gnu17", "-O2", "-I", ROOT, "-I", HERE]


def build_driver(options, folder, source, old, new):
    """The driver with the mistake in it."""
    with open(os.path.join(ROOT, source), encoding="utf-8") as file:
        text = file.read()
    if text.count(old) != 1:
        raise SystemExit("%s: this stands there %d times, and once is wanted:\n%s" % (source, text.count(old), old))
    mutant = os.path.join(folder, os.path.basename(source))
    with open(mutant, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))
    archives = [os.path.join(options.build, "archive", "libwarder_%s.a" % name)
                for name in ("language", "engine", "catalogue")]
    driver = os.path.join(folder, "driver")
    # The archives' own object of this source is not wanted any more: its names are known.
    subprocess.run([options.compiler] + FLAGS + ["-I", os.path.dirname(os.path.join(ROOT, source)), "-w", "-o", driver,
                               os.path.join(HERE, "driver.c"), os.path.join(HERE, "scene_reader.c"), mutant,
                               "-Wl,--start-group"] + archives + ["-Wl,--end-group"], check=True)
    return driver


def try_mutation(options, name, source, old, new):
    with tempfile.TemporaryDirectory() as folder:
        driver = build_driver(options, folder, source, old, new)
        began = time.monotonic()
        run = subprocess.run([sys.executable, os.path.join(HERE, "run.py"), "--driver", driver, "--seed", options.seed,
                              "--seconds", str(options.seconds)] + ([] if options.verbose else ["--as-found"]),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        seconds = time.monotonic() - began
    lines = [line for line in run.stdout.splitlines() if line.startswith("a difference in set")]
    if run.returncode == 1 and lines:
        print("found      %-42s %s" % (name, lines[0].split(", after ")[1].rstrip(":")), flush=True)
        if options.verbose:
            print(run.stdout)
        return True
    print("NOT FOUND  %-42s in %.0f s" % (name, seconds), flush=True)
    if run.returncode != 0:
        print(run.stdout)
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, help="a build directory, built")
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", default="mutation")
    parser.add_argument("--verbose", action="store_true", help="print the case that told")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--replace", nargs=3, metavar=("FILE", "OLD", "NEW"))
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    wanted = [mutation for mutation in MUTATIONS if not options.names or mutation[0] in options.names]
    if options.replace:
        wanted = [("given",) + tuple(options.replace)]
    if options.list:
        print("\n".join(name for name, _, _, _ in wanted))
        return 0
    missed = [mutation[0] for mutation in wanted if not try_mutation(options, *mutation)]
    print("%d of %d found" % (len(wanted) - len(missed), len(wanted)))
    return 1 if missed or not wanted else 0


if __name__ == "__main__":
    sys.exit(main())
