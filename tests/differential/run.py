#!/usr/bin/env python3
"""Random policies and random events, judged by the evaluator and by a naive one.

    run.py --driver build/tests/differential/differential_driver --seconds 30

Every set of policies has a seed of its own, SEED/NUMBER: --seed SEED --set NUMBER makes that one set
again. Ends with 1 at the first difference, which is made small and printed, and with 2 where the
test itself does not work.
"""

import argparse
import multiprocessing
import os
import random
import sys
import time

import comparison
import events
import policies
import shrink

# Fewer events under many rules: the naive side asks each of them.
EVENTS_OF_A_SET = [(25, 1000), (60, 700), (150, 300)]  # up to so many rules
EVENTS_OF_A_LARGE_SET = 100
REJECTED_SHARE = 0.1  # more than that, and the generator is no longer what it was


class Tally:
    def __init__(self):
        self.cases = 0
        self.sets = 0
        self.rejected = 0
        self.message = ""

    def add(self, other):
        self.cases += other.cases
        self.sets += other.sets
        self.rejected += other.rejected
        self.message = self.message or other.message


def make_subjects(chance, scenes, texts):
    names = ["%s/%s" % (text.tier, policy.name) for text in texts for policy in text.policies]
    for subject in scenes.subjects:
        subject.named = [name for name in names if chance.random() < 0.7]
        if chance.random() < 0.1:
            subject.overriding = [name for name in names if chance.random() < 0.7] or None


def event_count(texts):
    rules = sum(len(policy.rules) for text in texts for policy in text.policies)
    for most, count in EVENTS_OF_A_SET:
        if rules <= most:
            return count
    return EVENTS_OF_A_LARGE_SET


def judge_set(driver, seed, number, count, tally):
    chance = random.Random("%s/%d" % (seed, number))
    generator = policies.Generator(chance)
    texts = generator.texts()
    scenes = events.Scenes(chance, generator)
    make_subjects(chance, scenes, texts)
    count = count or event_count(texts)
    setting = comparison.Setting(texts, generator.resolutions, generator.today, scenes.subjects)

    def make_events():
        subjects = len(scenes.subjects)
        return [(at * subjects // count, scenes.event()) for at in range(count)]

    tally.sets += 1
    try:
        tally.cases += comparison.compare(driver, setting, scenes.pool, make_events)
    except comparison.Rejected as rejected:
        tally.rejected += 1
        tally.message = tally.message or "set %s/%d: %s" % (seed, number, str(rejected).replace("\t", "\n"))


def work(options, first, step, share, stop, results):
    """One process: every `step`-th set from the `first` on."""
    driver = comparison.Driver(options.driver)
    tally = Tally()
    began = time.monotonic()
    number = first
    parent = os.getppid()
    try:
        while not stop.is_set() and os.getppid() == parent:  # nobody would hear of it
            if options.seconds and time.monotonic() - began >= options.seconds:
                break
            if share and tally.cases >= share:
                break
            judge_set(driver, options.seed, number, options.events, tally)
            number += step
            if options.set is not None:
                break
        results.put(("done", tally, None))
    except comparison.Difference as difference:
        seconds = time.monotonic() - began
        if stop.is_set():
            results.put(("done", tally, None))
            return
        stop.set()
        case, smallest = (None, difference) if options.as_found else shrink.shrunk(difference, driver)
        shown = "a difference in set %s/%d, after %.1f s and %d cases of this process:\n\n%s" % (
            options.seed, number, seconds, tally.cases, shrink.show(case, smallest))
        results.put(("difference", tally, shown))
    except BaseException as error:  # the parent must hear of it, whatever it is
        stop.set()
        results.put(("failed", tally, "set %s/%d: %r" % (options.seed, number, error)))
        raise
    finally:
        driver.stop()


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--driver", required=True, help="the program tests/differential/driver.c")
    parser.add_argument("--seconds", type=float, help="stop after so many")
    parser.add_argument("--cases", type=int, help="stop after so many; with --seconds, whichever is first")
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**9)), help="any text")
    parser.add_argument("--set", type=int, help="judge this set of policies alone")
    parser.add_argument("--events", type=int, help="events of a set of policies; else by its size")
    parser.add_argument("--as-found", action="store_true", help="print a difference without making it small")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    if options.set is not None:
        options.processes = 1
    elif not options.seconds and not options.cases:
        parser.error("how long? --seconds or --cases")
    if not os.access(options.driver, os.X_OK):
        parser.error("there is no program %s: build the target differential_driver" % options.driver)
    return options


def main():
    options = read_options()
    print("seed %s, %d processes" % (options.seed, options.processes), flush=True)
    stop = multiprocessing.Event()
    results = multiprocessing.Queue()
    share = -(-options.cases // options.processes) if options.cases else 0
    workers = []
    began = time.monotonic()
    for at in range(options.processes):
        first = at if options.set is None else options.set
        workers.append(multiprocessing.Process(
            target=work, args=(options, first, options.processes, share, stop, results)))
        workers[-1].start()

    total = Tally()
    status = 0
    for _ in workers:
        what, tally, shown = results.get()
        total.add(tally)
        if shown:
            print(shown, flush=True)
        status = max(status, {"done": 0, "difference": 1, "failed": 2}[what])
    for worker in workers:
        worker.join()

    seconds = time.monotonic() - began
    print("%d cases under %d sets of policies in %.0f s (%.0f a second); %d sets were rejected" % (
        total.cases, total.sets, seconds, total.cases / seconds, total.rejected))
    if total.rejected and (options.set is not None or total.rejected > REJECTED_SHARE * total.sets):
        print("the checker rejects too many of the policies; the first was\n" + total.message)
        status = max(status, 2)
    if status == 0:
        print("no difference")
    return status


if __name__ == "__main__":
    sys.exit(main())
