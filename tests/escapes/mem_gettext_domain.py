# a domain that leads out of the directory of translations: offsets in a catalogue of the program's own, which libc follows anywhere in memory
import glob, locale, os, struct, sys
m = sys.argv[1]; here = os.getcwd()
if not hasattr(locale, "dcgettext"): print("this interpreter has no locale.dcgettext"); sys.exit(77)
languages = glob.glob("/usr/share/locale/*/LC_MESSAGES")
if not languages: print("there is no directory of translations here"); sys.exit(77)
try: locale.setlocale(locale.LC_ALL, "C.UTF-8")
except locale.Error as e: print("there is no locale C.UTF-8 here:", e); sys.exit(77)
os.environ["LANGUAGE"] = languages[0].split("/")[4]
texts = [(b"", b"Content-Type: text/plain; charset=UTF-8\n"), (b"key", b"from elsewhere")]
at = 28 + 16 * len(texts); tables = [b"", b""]; body = b""
for side in 0, 1:
    for pair in texts: tables[side] += struct.pack("<II", len(pair[side]), at + len(body)); body += pair[side] + b"\0"
with open("own.mo", "wb") as f: f.write(struct.pack("<7I", 0x950412de, 0, len(texts), 28, 28 + 8 * len(texts), 0, 0) + b"".join(tables) + body)
domain = "../" * 5 + here.lstrip("/") + "/own"
def by_default():
    locale.textdomain(domain)
    return locale.gettext("key")
for way in (lambda: locale.dcgettext(domain, "key", locale.LC_MESSAGES), lambda: locale.dgettext(domain, "key"), by_default):
    try: said = way()
    except OSError as e: print("denied:", e); continue
    print(said)
    if said != "key": open(m, "w").close()
sys.exit(not os.path.exists(m))
