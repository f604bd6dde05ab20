"""Draws the main figures of a run: plot.py RESULTS.json DIRECTORY

One SVG for each table that says something at a glance, drawn by gnuplot, with the machine's description below.
"""

import json
import subprocess
import sys
from pathlib import Path

HEAD = """set terminal svg size 720,400 font "sans-serif,13" background "#ffffff"
set output "{file}"
set title "{title}"
set xlabel "{machine}" font ",10" textcolor "#666666"
set style data histogram
set style histogram cluster gap 1
set style fill solid 0.9 border -1
set boxwidth 0.9
set grid ytics linecolor "#dddddd"
set border 3 linecolor "#666666"
set tics nomirror
set yrange [0:*]
"""


def text(words):
    return str(words).replace("\\", "").replace('"', "'").replace("_", "\\\\_")


def block(name, rows):
    lines = "\n".join(" ".join(f'"{text(cell)}"' if isinstance(cell, str) else f"{cell:.6g}" for cell in row)
                      for row in rows)
    return f"${name} << EOD\n{lines}\nEOD\n"


def draw(script):
    subprocess.run(["gnuplot", "-"], input=script, text=True, check=True)


def machine_of(results):
    machine = results["machine"]
    return text(f"{machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}; medians of "
                f"{results['rounds']} rounds")


def draw_rates(table, path, machine):
    rows = [(row["label"], row["base"] / 1000, row["value"] / 1000) for row in table["rows"] if "clients" in row]
    draw(HEAD.format(file=path, machine=machine,
                     title="Decisions a second, every one recorded, beside a server that only answers")
         + 'set ylabel "thousands a second"\nset key top left\n' + block("data", rows)
         + 'plot $data using 2:xtic(1) title "libuv echo" linecolor "#b0b8c4", '
           '$data using 3 title "warderd" linecolor "#2b6cb0"\n')


def draw_memory(table, path, machine):
    rows = [(row["label"], row["value"] / 1024) for row in table["rows"]]
    draw(HEAD.format(file=path, machine=machine, title="Memory of warderd with idle sessions")
         + 'set ylabel "MiB"\nunset key\n' + block("data", rows)
         + 'plot $data using 2:xtic(1) linecolor "#2b6cb0"\n')


def draw_ratios(table, path, machine):
    """What one thing costs against another; the line is where both cost the same."""
    rows = [(row["label"], row["ratio"]) for row in table["rows"] if "ratio" in row]
    draw(HEAD.format(file=path, machine=machine, title=text(table["title"]))
         + 'set ylabel "ratio"\nunset key\nset xtics rotate by -30\n' + block("data", rows)
         + 'plot $data using 2:xtic(1) linecolor "#2b6cb0", 1 with lines linecolor "#c05621"\n')


# By the words that a table's title begins with.
PLOTS = (("The daemon, every decision recorded", "bench-daemon.svg", draw_rates),
         ("Memory of the daemon", "bench-memory.svg", draw_memory),
         ("Whole programs", "bench-programs.svg", draw_ratios))


def main():
    results = json.loads(Path(sys.argv[1]).read_text())
    drawn = 0
    for table in results["tables"]:
        for words, name, function in PLOTS:
            if table["title"].startswith(words):
                path = Path(sys.argv[2]) / name
                function(table, path, machine_of(results))
                print(f"drawn: {path}")
                drawn += 1
    if drawn == 0:
        sys.exit(f"plot: {sys.argv[1]} has none of the tables that are drawn")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
