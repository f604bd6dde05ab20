# libc's own texts come from a catalogue of the program's: a format that reads the stack (and could write)
import locale, os, signal, struct, sys
m = sys.argv[1]; here = os.getcwd()
if not hasattr(signal, "strsignal"): print("this interpreter has no signal.strsignal"); sys.exit(77)
try: locale.setlocale(locale.LC_ALL, "C.UTF-8")
except locale.Error as e: print("there is no locale C.UTF-8 here:", e); sys.exit(77)
texts = sorted({b"": b"Content-Type: text/plain; charset=UTF-8\n", b"Real-time signal %d": b"%p %p %p %p %p %p %p %p"}.items())
at = 28 + 16 * len(texts); tables = [b"", b""]; body = b""
for side in 0, 1:
    for pair in texts: tables[side] += struct.pack("<II", len(pair[side]), at + len(body)); body += pair[side] + b"\0"
for name in "C.UTF-8", "C.utf8", "C":
    os.makedirs(here + "/texts/%s/LC_MESSAGES" % name)
    with open(here + "/texts/%s/LC_MESSAGES/libc.mo" % name, "wb") as f: f.write(struct.pack("<IIIIIII", 0x950412de, 0, len(texts), 28, 28 + 8 * len(texts), 0, 0) + b"".join(tables) + body)
try: locale.bindtextdomain("libc", here + "/texts")
except OSError as e: print("denied:", e)
said = signal.strsignal(50); print(said)
if "0x" in said: open(m, "w").close()
sys.exit(not os.path.exists(m))
