"""The table of `./dev escapes`: which scripts of tests/escapes get through which rings, as which user.

    python3 escapes.py [--build DIRECTORY] [--json] [--runs N] [--only GLOB] [--interpreter NAME]... [--setting NAME]...

Exit status 0: every cell that is not held is explained in tests/escapes/not-held.tsv, and nothing gets through all
rings. 1: otherwise. 2: it could not be tried.
"""

import argparse
import collections
import fnmatch
import json
import os
import sys

import interpreters

SHOWN = {"through": "through", "hangs": "HANGS"}


def arguments():
    parser = argparse.ArgumentParser(prog="./dev escapes", description="Try the scripts of tests/escapes and print what "
                                     "stopped each.")
    parser.add_argument("--build", default=None, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="one line of JSON for each attempt, and no table")
    parser.add_argument("--runs", type=int, default=1, help="how often each script is tried (default 1)")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the scripts whose names match, without .py")
    parser.add_argument("--interpreter", action="append", metavar="NAME", help="these alone: 3.13.0, 3.11.2-system, 3.8*")
    parser.add_argument("--setting", action="append", metavar="NAME", help="these columns alone")
    parser.add_argument("--user", choices=("root", "user"), help="one user alone")
    parser.add_argument("--seconds", type=float, default=2, help="how long a race goes on (default 2)")
    parser.add_argument("--list", action="store_true", help="say which scripts, settings and interpreters there are")
    return parser.parse_args()


class Reasons:
    """tests/escapes/not-held.tsv: which cells are not held, and why."""

    def __init__(self, path):
        self.lines = []
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                setting, user, script, reason = line.split("\t")
                self.lines.append((setting, user, script, reason))

    def find(self, setting, user, script):
        for of_setting, of_user, of_script, reason in self.lines:
            if fnmatch.fnmatch(setting, of_setting) and of_user in ("any", user) and fnmatch.fnmatch(script, of_script):
                return reason
        return None


class Table:
    """Attempts by setting, user and family."""

    def __init__(self, settings, users):
        self.settings = settings
        self.users = users
        self.cells = collections.defaultdict(list)  # (setting, user, family) -> [(script, interpreter, attempt)]

    def add(self, setting, user, script, interpreter, attempt):
        self.cells[setting.name, user, script.family].append((script.name, interpreter, attempt))

    def cell(self, setting, user, family):
        """How many scripts got through at least once, of those that could be tried."""
        outcomes = collections.defaultdict(set)
        for script, _, attempt in self.cells.get((setting, user, family), ()):
            outcomes[script].add(attempt.outcome)
        tried = [script for script in outcomes if outcomes[script] != {"unable"}]
        bad = [script for script in tried if outcomes[script] & {"through", "hangs"}]
        return f"{len(bad)} of {len(tried)}" if tried else "-"

    def print(self, families):
        columns = [(setting, user) for setting in self.settings for user in self.users]
        heads = [[f"{setting.title}" for setting, _ in columns], [user for _, user in columns]]
        widths = [max(len(heads[0][i]), len(heads[1][i]), 8) for i in range(len(columns))]
        print("Scripts that got through (or hung), of those that could be tried:\n")
        for head in heads:
            print(f"{'':10}" + "".join(f"  {text:>{width}}" for text, width in zip(head, widths)))
        for family in families:
            cells = [self.cell(setting.name, user, family) for setting, user in columns]
            print(f"{family:10}" + "".join(f"  {text:>{width}}" for text, width in zip(cells, widths)))
        print()

    def print_stopped(self):
        """What stopped each script where it was held: ring and words, and on how many interpreters."""
        print("What stopped each (attempts, ring, words):\n")
        by_script = collections.defaultdict(collections.Counter)
        for (setting, user, _), rows in sorted(self.cells.items()):
            for script, _, attempt in rows:
                if attempt.outcome == "held" and setting != "without":
                    by_script[script, setting, user][attempt.ring, attempt.by] += 1
        for (script, setting, user), found in sorted(by_script.items()):
            (ring, by), _ = found.most_common(1)[0]
            more = f" (and {len(found) - 1} other)" if len(found) > 1 else ""
            print(f"  {script:28} {setting:22} {user:5} {sum(found.values()):3}  ring {ring or '?'}  {by}{more}")
        print()

    def print_unable(self):
        reasons = collections.defaultdict(set)
        for (_, user, _), rows in self.cells.items():
            for script, interpreter, attempt in rows:
                if attempt.outcome == "unable":
                    reasons[script, attempt.by].add(f"{interpreter} {user}")
        if reasons:
            print("Could not be tried:\n")
            for (script, why), where in sorted(reasons.items()):
                print(f"  {script:28} {why} ({len(where)} of the interpreters and users)")
            print()

    def not_held(self):
        """{(setting, user, script, outcome): the interpreters}"""
        found = collections.defaultdict(set)
        for (setting, user, _), rows in self.cells.items():
            for script, interpreter, attempt in rows:
                if attempt.outcome in SHOWN and setting != "without":
                    found[setting, user, script, attempt.outcome].add(interpreter)
        return found

    def is_explained(self, reasons):
        """A script that hangs has no excuse."""
        return all(outcome == "through" and reasons.find(setting, user, script)
                   for setting, user, script, outcome in self.not_held())

    def print_not_held(self, reasons):
        found = self.not_held()
        if not found:
            print("Nothing got through.")
            return
        print("Not held, and why:\n")
        for (setting, user, script, outcome), where in sorted(found.items()):
            reason = reasons.find(setting, user, script) or "NOT EXPLAINED in tests/escapes/not-held.tsv"
            print(f"  {setting:22} {user:5} {script:28} {SHOWN[outcome]:8} {','.join(sorted(where))}")
            print(f"      {reason}")


def main():
    said = arguments()
    if said.build:
        os.environ["WARDER_TEST_BUILD"] = os.path.abspath(said.build)
    import corpus  # wants to know which build it is

    scripts = corpus.scripts(said.only)
    found = [one for one in interpreters.find()
             if not said.interpreter or any(fnmatch.fnmatch(one.name, name) for name in said.interpreter)]
    settings = [one for one in corpus.SETTINGS if not said.setting or one.name in said.setting]
    users = {"root": None, "user": corpus.NOBODY} if os.geteuid() == 0 else {"user": None}
    if said.user:
        users = {said.user: users[said.user]} if said.user in users else {}
    if said.list:
        print("\n".join([*(f"script {one.name}" for one in scripts), *(f"setting {one.name}" for one in settings),
                         *(f"interpreter {one.name}" for one in found)]))
        return 0
    if not scripts or not found or not settings or not users:
        print("escapes: no script, interpreter, setting or user is of those names", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("escapes: root is not tried; only root can be two users", file=sys.stderr)
    table = Table(settings, list(users))
    with corpus.Place() as place:
        total = len(scripts) * len(found)
        for number, (script, one) in enumerate((script, one) for script in scripts for one in found):
            if sys.stderr.isatty():
                print(f"\r{number}/{total} {script.name:30} {one.name:16}", end="", file=sys.stderr)
            for setting in settings:
                if not setting.concerns(script):
                    continue
                for user, uid in users.items():
                    for _ in range(1 if setting is corpus.WITHOUT else said.runs):
                        seconds = max(said.seconds, 30) if setting is corpus.WITHOUT else said.seconds
                        attempt = place.attempt(script, one.path, uid, setting, seconds)
                        table.add(setting, user, script, one.name, attempt)
                        if said.json:
                            print(json.dumps({"script": script.name, "family": script.family, "interpreter": one.name,
                                              "user": user, "setting": setting.name, "outcome": attempt.outcome,
                                              "ring": attempt.ring, "by": attempt.by, "status": attempt.status,
                                              "seconds": round(attempt.seconds, 2)}), flush=True)
    if sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    reasons = Reasons(corpus.ESCAPES / "not-held.tsv")
    if said.json:
        return 0 if table.is_explained(reasons) else 1
    families = [family for family in corpus.families() if any(script.family == family for script in scripts)]
    table.print(families)
    table.print_stopped()
    table.print_unable()
    table.print_not_held(reasons)
    return 0 if table.is_explained(reasons) else 1


if __name__ == "__main__":
    sys.exit(main())
