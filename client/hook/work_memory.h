/* Memory for the length of a call, for what is too large for the stack of whoever calls.
 *
 * A thread may have as little as 32 KiB of stack (threading.stack_size), most of it in use when an
 * event is raised or a function of libc is called. So what takes paths and sentences stands in a
 * block from here. There are a few of them, kept for the life of the process; one more is mapped
 * for the call. Safe in any thread, in the child of a fork, where those of its parent's other
 * threads stay taken, and in that of a vfork that gives back what it takes. Nothing is allocated
 * from libc. */
#ifndef WARDER_CLIENT_HOOK_WORK_MEMORY_H
#define WARDER_CLIENT_HOOK_WORK_MEMORY_H

enum {
    WORK_MEMORY_SIZE = 24 * 1024, /* of a block */
};

/* A block, not cleared, aligned for anything; NULL if there is no memory. Changes no errno. */
void *work_memory_take(void);

/* Takes NULL too. */
void work_memory_return(void *block);

#endif
