/* Room below the stacks of threads.
 *
 * Python code says how small a stack may be (threading.stack_size, down to 32 KiB), and CPython and
 * libc have functions with more than that on it: select.select has 50 KB, os.getgroups 256 KB up to
 * 3.11. One such frame steps over the page that guards a stack, into whatever lies below: a mapping
 * of the program's own making, in which another thread reads and writes the addresses to which the
 * function returns. The kernel leaves 1 MiB free below the first thread's stack for that reason. */
#ifndef WARDER_CLIENT_HOOK_THREAD_STACK_H
#define WARDER_CLIENT_HOOK_THREAD_STACK_H

#include <pthread.h>
#include <stdbool.h>

/* The same attributes with as much room as the kernel leaves, and a stack that is larger by as
 * much: some functions would fit then, and CPython 3.14 takes the room from the stack once more
 * when it reckons how deep it may go. None of it is memory until it is used.
 *
 * They have no storage of their own: they live as long as those they were made from, and are not to
 * be destroyed. False if there is nothing to add: there is as much room, the stack is the caller's
 * own memory, or this libc has no such attributes. */
bool thread_stack_guard(const pthread_attr_t *attributes, pthread_attr_t *guarded);

#endif
