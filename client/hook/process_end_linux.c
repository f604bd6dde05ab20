/* The end of a process that still has records to send: exit(3) runs the destructor, and os._exit
 * and its like come by _exit(2), which stands before libc's. A process that a signal ends has no
 * such place. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "client/hook/hook_session.h"

__attribute__((destructor)) static void leave(void)
{
    hook_session_flush_records();
}

__attribute__((visibility("default"), noreturn)) void _exit(int status)
{
    hook_session_flush_records();
    for (;;)
        syscall(SYS_exit_group, status);
}
