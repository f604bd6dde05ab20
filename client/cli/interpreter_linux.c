#define _GNU_SOURCE
#include "client/cli/interpreter.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The second is in interpreters before 3.8 too, which no hook goes into. */
static const char *const wanted[] = {"PySys_AddAuditHook", "Py_Initialize"};

static bool is_wanted(const char *name)
{
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        if (strcmp(name, wanted[i]) == 0)
            return true;
    return false;
}

static bool section_defines(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);

    for (size_t i = 0; data && header->sh_entsize > 0 && i < header->sh_size / header->sh_entsize;
         i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF)
            continue;
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        if (name && is_wanted(name))
            return true;
    }
    return false;
}

static bool file_defines(int file)
{
    bool found = false;

    if (elf_version(EV_CURRENT) == EV_NONE)
        return false;
    Elf *elf = elf_begin(file, ELF_C_READ_MMAP, NULL);
    if (!elf)
        return false;
    Elf_Scn *section = NULL;
    while (!found && (section = elf_nextscn(elf, section))) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM)
            found = section_defines(elf, section, &header);
    }
    elf_end(elf);
    return found;
}

static bool is_known(const struct interpreter_watch *watch, uint64_t inode)
{
    for (unsigned i = 0; i < watch->file_count; i++)
        if (watch->files[i] == inode)
            return true;
    return false;
}

/* A file of /proc/PID in `text`, terminated; cut to its size. False if it cannot be read. */
static bool read_of(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    const ssize_t length = read(file, text, size - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* The address of the stack's start is chosen anew by each exec: field 28 of /proc/PID/stat, the
 * 26th behind the name (proc(5)). */
static uint64_t image_of(pid_t pid)
{
    char text[4096];
    char *field = read_of(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;

    if (!field)
        return 0;
    field += 1;
    for (int i = 3; i < 28 && field; i++)
        field = strchr(field + 1, ' ');
    return field ? strtoull(field, NULL, 10) : 0;
}

int64_t interpreter_waited(pid_t pid, bool *stopped)
{
    char text[4096];
    const char *name_end = read_of(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;

    *stopped = name_end && (strncmp(name_end, ") T", 3) == 0 || strncmp(name_end, ") t", 3) == 0);
    /* Nanoseconds: the second field. */
    const char *before = read_of(pid, "schedstat", text, sizeof(text)) ? strchr(text, ' ') : NULL;
    return before ? (int64_t)(strtoull(before, NULL, 10) / 1000000) : 0;
}

/* One line of /proc/PID/maps: ADDRESSES PERMISSIONS OFFSET DEVICE INODE PATH. True if it is of an
 * interpreter. */
static bool look_at_line(struct interpreter_watch *watch, const char *line)
{
    char permissions[5];
    char number[21];
    int at = 0;

    if (sscanf(line, "%*s %4s %*s %*s %20s %n", permissions, number, &at) != 2 ||
        permissions[2] != 'x' || line[at] != '/')
        return false;
    const uint64_t inode = strtoull(number, NULL, 10);
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s", line + at);
    path[strcspn(path, "\n")] = '\0';
    watch->has_hook = watch->has_hook || (watch->hook && strcmp(path, watch->hook) == 0);
    if (watch->is_interpreter || inode == 0 || is_known(watch, inode))
        return watch->is_interpreter;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    const bool found = file_defines(file);
    close(file);
    if (!found && watch->file_count < sizeof(watch->files) / sizeof(*watch->files))
        watch->files[watch->file_count++] = inode;
    return found;
}

bool interpreter_look(struct interpreter_watch *watch, pid_t pid, bool *fresh)
{
    char path[64];
    char *line = NULL;
    size_t size = 0;
    const uint64_t image = image_of(pid);

    *fresh = image != 0 && image != watch->image;
    if (*fresh)
        *watch = (struct interpreter_watch){.hook = watch->hook, .image = image};
    if (watch->is_interpreter && watch->has_hook)
        return true;
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    while (maps && getline(&line, &size, maps) > 0)
        watch->is_interpreter = look_at_line(watch, line) || watch->is_interpreter;
    free(line);
    if (maps)
        fclose(maps);
    return watch->is_interpreter;
}
