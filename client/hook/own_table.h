/* Work with a table of descriptors that no other thread of the process reaches.
 *
 * All threads share one table, and what one has just opened another can replace (dup2), between the
 * opening and the use of it. So the work is done by a thread of its own, which leaves the table
 * first (unshare(2), CLONE_FILES): it has a copy, and what it opens nobody else sees. The caller
 * waits for it; it takes no signals, and runs no code of the interpreter. What the work opens is
 * closed when it ends.
 *
 * The calling thread goes on having the process's table: connections to the daemon are its alone to
 * make. */
#ifndef WARDER_CLIENT_HOOK_OWN_TABLE_H
#define WARDER_CLIENT_HOOK_OWN_TABLE_H

#include <pthread.h>
#include <stdbool.h>

/* `own`: the table is the thread's alone; false where the kernel refused it. */
typedef void own_table_work(void *argument, bool own);

struct own_table {
    own_table_work *work;
    void *argument;
    pthread_t thread;
    int cancel_state;
};

/* Begins the work; false if there can be no thread, and then it is not done. The caller may talk to
 * it by what `argument` points to, and must wait. */
bool own_table_begin(struct own_table *table, own_table_work *work, void *argument);
void own_table_wait(struct own_table *table);

/* Both. */
bool own_table_run(own_table_work *work, void *argument);

#endif
