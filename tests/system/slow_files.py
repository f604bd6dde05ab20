"""A file system in user space that never answers when one of its files is closed: the kernel's own protocol (fuse(4)), and no more
of it than one file needs."""

import ctypes
import os
import stat
import struct
import threading

LOOKUP, GETATTR, OPEN, RELEASE, FLUSH, INIT, FORGET, BATCH_FORGET, INTERRUPT = 1, 3, 14, 18, 25, 26, 2, 42, 36
MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2
ROOT, FILE = 1, 2


class SlowFiles:
    """Mounted on a directory while the context lasts; `flushes` counts the closings that wait."""

    def __init__(self, directory):
        self.directory = os.fspath(directory)
        self.path = os.path.join(self.directory, "file")
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.flushes = 0

    def __enter__(self):
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other"
        if self.libc.mount(b"slow", self.directory.encode(), b"fuse", MS_NOSUID | MS_NODEV, options.encode()) < 0:
            error = ctypes.get_errno()
            os.close(self.device)
            raise OSError(error, os.strerror(error), self.directory)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        """Whoever waits goes on: nobody serves the files any more. Safe to call again."""
        if not self.thread.is_alive():
            return
        self.libc.umount2(self.directory.encode(), MNT_DETACH | 1)  # MNT_FORCE: requests are ended
        self.thread.join()
        os.close(self.device)

    @staticmethod
    def attributes(node):
        mode = stat.S_IFDIR | 0o755 if node == ROOT else stat.S_IFREG | 0o666
        return struct.pack("<6Q10I", node, 0, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def answer(self, kind, node):
        if kind == INIT:
            return struct.pack("<4I2H2I2H8I", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, *[0] * 8)
        if kind == LOOKUP:
            return struct.pack("<4Q2I", FILE, 0, 3600, 3600, 0, 0) + self.attributes(FILE)
        if kind == GETATTR:
            return struct.pack("<Q2I", 3600, 0, 0) + self.attributes(node)
        if kind == OPEN:
            return struct.pack("<Q2I", 1, 0, 0)
        return b"" if kind == RELEASE else None

    def serve(self):
        while True:
            try:
                request = os.read(self.device, 1 << 17)
            except OSError:  # unmounted
                return
            _, kind, unique, node = struct.unpack_from("<IIQQ", request)
            if kind == FLUSH:
                self.flushes += 1
            if kind in (FLUSH, FORGET, BATCH_FORGET, INTERRUPT):
                continue
            body = self.answer(kind, node)
            error = 0 if body is not None else -38  # ENOSYS
            os.write(self.device, struct.pack("<IiQ", 16 + len(body or b""), error, unique) + (body or b""))
