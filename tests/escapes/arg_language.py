# an allowed program speaks from a catalogue of the program's own: its texts are format strings
# makes: sign
import os, struct, subprocess, sys
m = sys.argv[1]; here = os.getcwd()
text = b"Usage: %s [ignored command line arguments]\n  or:  %s OPTION\n"
texts = [(b"", b"Content-Type: text/plain; charset=UTF-8\n"), (text, b"told otherwise: %p %s\n")]
at = 28 + 16 * len(texts); tables = [b"", b""]; body = b""
for side in 0, 1:
    for pair in texts: tables[side] += struct.pack("<II", len(pair[side]), at + len(body)); body += pair[side] + b"\0"
os.makedirs("texts/LC_MESSAGES")
with open("texts/LC_MESSAGES/coreutils.mo", "wb") as f: f.write(struct.pack("<7I", 0x950412de, 0, len(texts), 28, 28 + 8 * len(texts), 0, 0) + b"".join(tables) + body)
try: said = subprocess.run(["/bin/true", "--help"], env={"LC_ALL": "C.UTF-8", "LANGUAGE": "../../.." + here + "/texts"}, stdout=subprocess.PIPE).stdout
except PermissionError as e: print("denied:", e); sys.exit(1)
print(said[:60])
if b"told otherwise" in said: open(m, "w").close()
elif b"Usage" not in said: print("this /bin/true has no texts"); sys.exit(77)
sys.exit(not os.path.exists(m))
