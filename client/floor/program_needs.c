#define _GNU_SOURCE
#include "client/floor/program_needs.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

enum {
    SCRIPT_LINE_MAX = 256, /* bytes of a script that the kernel looks at: BINPRM_BUF_SIZE */
    PROGRAM_PARTS_MAX = 128,
};

/* #! INTERPRETER ARGUMENT */
static bool script_need(const char *head, size_t length, char *need, size_t size)
{
    const char *end = head + length;
    const char *from = head + 2;

    while (from < end && (*from == ' ' || *from == '\t'))
        from++;
    const char *to = from;
    while (to < end && *to != ' ' && *to != '\t' && *to != '\n' && *to != '\0')
        to++;
    const size_t wanted = (size_t)(to - from);
    if (wanted == 0 || wanted >= size)
        return false;
    memcpy(need, from, wanted);
    need[wanted] = '\0';
    return true;
}

static bool executable_need(int file, const ElfW(Ehdr) * head, char *need, size_t size)
{
    ElfW(Phdr) part;

    if (head->e_phentsize != sizeof(part))
        return false;
    for (unsigned i = 0; i < head->e_phnum && i < PROGRAM_PARTS_MAX; i++) {
        const off_t at = (off_t)(head->e_phoff + i * sizeof(part));
        if (pread(file, &part, sizeof(part), at) != (ssize_t)sizeof(part))
            return false;
        if (part.p_type != PT_INTERP)
            continue;
        if (part.p_filesz < 2 || part.p_filesz > size ||
            pread(file, need, part.p_filesz, (off_t)part.p_offset) != (ssize_t)part.p_filesz)
            return false;
        return need[part.p_filesz - 1] == '\0';
    }
    return false;
}

bool program_need(const char *path, char *need, size_t size)
{
    _Alignas(ElfW(Ehdr)) char head[SCRIPT_LINE_MAX];
    bool found = false;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (file < 0)
        return false;
    const ssize_t length = read(file, head, sizeof(head));
    if (length > 2 && memcmp(head, "#!", 2) == 0)
        found = script_need(head, (size_t)length, need, size);
    else if (length >= (ssize_t)sizeof(ElfW(Ehdr)) && memcmp(head, ELFMAG, SELFMAG) == 0)
        found = executable_need(file, (const void *)head, need, size);
    close(file);
    return found;
}
