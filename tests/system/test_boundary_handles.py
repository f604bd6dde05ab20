"""Handles of libc's own, of threads and of semaphores, where Python code can put a number in their place.

The escapes (tests/escapes: mem_semaphore_number, mem_semaphore_closed, mem_thread_number, mem_socket_filter,
mem_group_filter) try the numbers; here is that what libc has given out goes on to work. Also how far below a thread's
stack nothing lies (mem_thread_stack).
"""

import errno

from support import ALLOW_ALL, Test, python

NO_FFI = 'policy own "No way to memory" { deny ffi as no-ffi }\n'

THREADS = """
import _thread, concurrent.futures, signal, sys, threading, time
go = threading.Event()
others = [threading.Thread(target=go.wait, daemon=number % 2 == 0) for number in range(20)]
for one in others: one.start()
for one in others + [threading.current_thread()]:
    assert time.clock_gettime(time.pthread_getcpuclockid(one.ident)) >= 0
    signal.pthread_kill(one.ident, 0)
here = []
signal.signal(signal.SIGUSR1, lambda *_: here.append(threading.current_thread() is threading.main_thread()))
def signals_the_main_one(): signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
threading.Thread(target=signals_the_main_one).start()
while not here: time.sleep(.01)
go.set()
for one in others: one.join()
for round in range(300):
    one = threading.Thread(target=int)
    one.start()
    one.join()
with concurrent.futures.ThreadPoolExecutor(16) as pool: assert sum(pool.map(abs, range(1000))) == 499500
if sys.version_info >= (3, 13):
    done = []
    handle = _thread.start_joinable_thread(lambda: done.append(1))
    handle.join()
    assert done and handle.is_done()
def number(ident):
    try: return time.pthread_getcpuclockid(ident) and "known"
    except ProcessLookupError: return "unknown"
print(number(threading.get_ident()), number(id(bytearray(4096))))
"""

# A thread's number is an address at the upper end of its stack: how far it is from there to the lower end, and how
# much below that is nobody's.
STACK = """
import threading
def look():
    rows = [row.split()[:2] for row in open("/proc/self/maps")]
    rows = [(*(int(end, 16) for end in range.split("-")), rights) for range, rights in rows]
    own = next(n for n, row in enumerate(rows) if row[0] <= threading.get_ident() < row[1])
    below = rows[own - 1] if rows[own - 1][1:] == (rows[own][0], "---p") else (0, 0)
    print(threading.get_ident() - rows[own][0] >> 10, below[1] - below[0] >> 10)
threading.stack_size(128 << 10)
one = threading.Thread(target=look)
one.start()
one.join()
"""

SEMAPHORES = """
import multiprocessing, queue, threading
def put(queue, lock, number):
    with lock: queue.put(number)
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    lock, rest, gate = context.Lock(), context.Queue(), context.Semaphore(3)
    for i in range(3): assert gate.acquire(False)
    assert not gate.acquire(False) and not gate.acquire(timeout=.01) and gate.get_value() == 0
    gate.release()
    assert gate.get_value() == 1
    children = [context.Process(target=put, args=(rest, lock, i)) for i in range(4)]
    for one in children: one.start()
    assert sorted(rest.get() for one in children) == [0, 1, 2, 3]
    for one in children: one.join()
    many = [context.Lock() for i in range(300)]
    assert all(one.acquire(False) for one in many)
    del many
    import _multiprocessing
    try: print(_multiprocessing.SemLock._rebuild(id(bytearray(64)), 1, 9, None)._get_value())
    except OSError as error: print("no semaphore", error.errno)
"""

MANY_LOCKS = """
import multiprocessing
context = multiprocessing.get_context("fork")
for round in range(2):
    many = [context.Lock() for i in range(4200)]
    for one in many:
        with one: assert not one.acquire(False)
print(len(many))
"""

NO_MEMORY_FOR_MORE = """
import _multiprocessing, os, resource
page, spare = resource.getpagesize(), 900 * 1024  # less than more of the table takes, and enough for a lock
highest = resource.getrlimit(resource.RLIMIT_AS)[1]
statm = os.open("/proc/self/statm", os.O_RDONLY)
def size(): return int(os.pread(statm, 100, 0).split()[0]) * page
def name(number): return "/no-memory-%d.%d" % (os.getpid(), number)
made = [None] * 20000
# Memory that malloc has: where its heap cannot grow (one layout in a hundred), it takes a megabyte at a time, and there is none.
room = [bytearray(100000) for _ in range(80)]
last = room.pop()
del room
for number in range(len(made)):
    if number >= 4096: resource.setrlimit(resource.RLIMIT_AS, (size() + spare, highest))
    try: made[number] = _multiprocessing.SemLock(1, 1, 1, name(number), True)
    except OSError as error:
        print(error.errno, os.path.exists("/dev/shm/sem." + name(number)[1:]))
        break
resource.setrlimit(resource.RLIMIT_AS, (highest, highest))
assert all(one.acquire(False) for one in made[:number])
"""


class Handles(Test):
    per_interpreter = True

    def test_threads_are_told_from_numbers(self):
        result = self.run_under(self.policy(NO_FFI), [python(), self.script(THREADS)])
        self.assertEqual((result.status, result.out), (0, "known unknown\n"), result)

    def test_stack_of_a_thread_has_room_and_nothing_below_it(self):
        result = self.run_under(self.policy(NO_FFI), [python(), self.script(STACK)])
        stack, below = map(int, result.out.split())
        self.assertGreater(stack, 1024, result)
        self.assertGreaterEqual(below, 1024, result)

    def test_stack_of_a_thread_is_as_asked_for_where_memory_is_not_held(self):
        result = self.run_under(self.policy(ALLOW_ALL), [python(), self.script(STACK)])
        stack, below = map(int, result.out.split())
        self.assertLess(stack, 128, result)
        self.assertGreater(below, 0, result)

    def test_semaphores_are_told_from_numbers(self):
        result = self.run_under(self.policy(NO_FFI), [python(), self.script(SEMAPHORES)])
        self.assertEqual((result.status, result.out), (0, "no semaphore 22\n"), result)

    def test_more_locks_than_a_table_has_at_first_are_locks(self):
        result = self.run_under(self.policy(NO_FFI), [python(), self.script(MANY_LOCKS)])
        self.assertEqual((result.status, result.out), (0, "4200\n"), result)

    def test_lock_that_nobody_could_know_is_not_made(self):
        result = self.run_under(self.policy(NO_FFI), [python(), self.script(NO_MEMORY_FOR_MORE)])
        self.assertEqual((result.status, result.out), (0, f"{errno.EMFILE} False\n"), result)
