/* What there is to see of an interpreter that is older than audit hooks: it exports Py_Initialize
 * and no PySys_AddAuditHook. Says that it runs, and stays for as long as its argument says, in
 * seconds. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void Py_Initialize(void);
__attribute__((visibility("default"))) void Py_Initialize(void)
{
    puts("it runs");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    Py_Initialize();
    if (argc > 1)
        sleep((unsigned)strtoul(argv[1], NULL, 10));
    return 0;
}
