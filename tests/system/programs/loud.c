/* A library that says when it is loaded: on standard error, so that nothing has to be flushed. */
#include <unistd.h>

int loud_number(void);

__attribute__((constructor)) static void say(void)
{
    static const char line[] = "loud: loaded\n";
    (void)!write(STDERR_FILENO, line, sizeof(line) - 1);
}

int loud_number(void)
{
    return 7;
}
