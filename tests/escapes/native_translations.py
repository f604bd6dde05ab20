# translations of libc's own messages are its format strings, and strsignal() has one: %p shows its stack, %n would write
# makes: sign
import sys, os, struct, locale, signal
m = sys.argv[1]; top = m + ".d"
def catalogue(entries):
    keys = texts = b""; places = []
    for k, v in sorted(entries.items()):
        places.append((len(keys), len(k), len(texts), len(v))); keys += k + b"\0"; texts += v + b"\0"
    n = len(places); start = 28 + 16 * n
    return struct.pack("<7I", 0x950412de, 0, n, 28, 28 + 8 * n, 0, 0) + b"".join(
        struct.pack("<II", length, start + at) for at, length, _, _ in places) + b"".join(
        struct.pack("<II", length, start + len(keys) + at) for _, _, at, length in places) + keys + texts
if not hasattr(signal, "strsignal"): print("no strsignal"); sys.exit(77)
for name in ("C.UTF-8", "C.utf8", "C"):
    d = os.path.join(top, name, "LC_MESSAGES"); os.makedirs(d, exist_ok=True)
    with open(os.path.join(d, "libc.mo"), "wb") as f:
        f.write(catalogue({b"": b"Content-Type: text/plain; charset=UTF-8\n", b"Real-time signal %d": b"%p", b"Unknown signal %d": b"%p"}))
locale.setlocale(locale.LC_ALL, "C.UTF-8")
for how in (lambda: locale.bindtextdomain("libc", os.path.abspath(top)),
            lambda: (os.chdir(os.path.dirname(os.path.abspath(top))), locale.bindtextdomain("libc", os.path.basename(top))),
            lambda: os.environ.__setitem__("LANGUAGE", "../../.." + os.path.abspath(os.path.join(top, "C.UTF-8")))):
    try: how()
    except OSError as e: print(e)
    if "0x" in signal.strsignal(50): open(m, "w").close(); break
sys.exit(not os.path.exists(m))
