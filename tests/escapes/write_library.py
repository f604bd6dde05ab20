# files that modules write for their users
import bz2, cProfile, gzip, http.cookiejar, logging, lzma, mailbox, os, pathlib, shelve, shutil, sys, tarfile, tempfile, wave, xml.etree.ElementTree, zipfile
m = sys.argv[1]; directory = os.path.dirname(m); profile = cProfile.Profile
open("mine", "w").close()
for way in (lambda: zipfile.ZipFile(m, "w").close(), lambda: gzip.open(m, "w").close(), lambda: lzma.open(m, "w").close(), lambda: bz2.open(m, "w").close(),
            lambda: tarfile.open(m, "w").close(), lambda: shelve.open(m).close(), lambda: logging.FileHandler(m), lambda: http.cookiejar.LWPCookieJar(m).save(),
            lambda: mailbox.mbox(m).flush(), lambda: mailbox.Maildir(m), lambda: wave.open(m, "w"), lambda: pathlib.Path(m).touch(), lambda: shutil.copy("mine", m),
            lambda: xml.etree.ElementTree.ElementTree(xml.etree.ElementTree.Element("a")).write(m), lambda: tempfile.mkstemp(dir=directory),
            lambda: os.replace(tempfile.mkstemp()[1], m), lambda: os.open(m, os.O_CREAT | os.O_PATH), lambda: os.open(m.encode(), os.O_CREAT | os.O_RDONLY),
            lambda: os.open(directory, os.O_TMPFILE | os.O_WRONLY) and None, lambda: shutil.make_archive(m, "zip", "."), lambda: open(m, "x", opener=os.open).close()):
    try: way()
    except Exception as e: print(type(e).__name__, e)
sys.exit(not os.listdir(directory))
