#define _GNU_SOURCE
#include "client/hook/own_table.h"

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "client/hook/hook_session.h"
#include "client/hook/raw_syscall.h"
#include "client/hook/real_libc.h"

enum {
    SIGNAL_SET_SIZE = 8, /* as the kernel has it */
};

/* libc sets the ids of all threads, and cancels them, by the first two real-time signals
 * (nptl(7)). */
#define ALL_BUT_LIBC_SIGNALS (~(UINT64_C(1) << 31 | UINT64_C(1) << 32))

static void *run(void *argument)
{
    struct own_table *table = argument;

    table->work(table->argument, !raw_failed(raw_syscall(SYS_unshare, CLONE_FILES)));
    return NULL;
}

bool own_table_begin(struct own_table *table, own_table_work *work, void *argument)
{
    const struct real_libc *libc = real_libc();
    const uint64_t blocked = ALL_BUT_LIBC_SIGNALS;
    uint64_t before;

    *table = (struct own_table){.work = work, .argument = argument};
    /* The child of a vfork shares its parent's threads, in libc's eyes. */
    if (!libc->pthread_create || !libc->pthread_join ||
        hook_session_process() != PROCESS_OF_SESSION)
        return false;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &table->cancel_state);
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, &before, SIGNAL_SET_SIZE);
    const int error = libc->pthread_create(&table->thread, NULL, run, table);
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, SIGNAL_SET_SIZE);
    if (error)
        pthread_setcancelstate(table->cancel_state, NULL);
    return error == 0;
}

void own_table_wait(struct own_table *table)
{
    real_libc()->pthread_join(table->thread, NULL);
    pthread_setcancelstate(table->cancel_state, NULL);
}

bool own_table_run(own_table_work *work, void *argument)
{
    struct own_table table;

    if (!own_table_begin(&table, work, argument))
        return false;
    own_table_wait(&table);
    return true;
}
