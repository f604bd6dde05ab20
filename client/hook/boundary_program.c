#define _GNU_SOURCE
#include "client/hook/boundary_program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/hook/daemon_connection.h"
#include "client/hook/process_resolver.h"
#include "client/hook/raw_syscall.h"
#include "client/hook/work_memory.h"

/* Linux 5.8 */
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

enum {
    ELF_SEGMENTS_MAX = 64,
    ELF_SEGMENTS_AT_ONCE = 8,
};

/* This thread's descriptors: it may have a table of its own. */
#define DESCRIPTOR_LINK "/proc/thread-self/fd/%d"

#if defined(__x86_64__)
enum { OWN_MACHINE = EM_X86_64 };
#else
enum { OWN_MACHINE = EM_AARCH64 };
#endif

/* --------------------------------------------------------------------------------------- opening
 */

static int open_named(const struct program_name *name)
{
    if (name->path[0] == '\0' && (name->flags & AT_EMPTY_PATH))
        return (int)raw_syscall(SYS_fcntl, name->directory, F_DUPFD_CLOEXEC, 3);
    const int no_follow = name->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0;
    return (int)raw_syscall(SYS_openat, name->directory, name->path,
                            O_PATH | O_CLOEXEC | no_follow);
}

static int identify(struct program_file *file)
{
    struct statx status;
    const long failed = raw_syscall(SYS_statx, file->descriptor, "", AT_EMPTY_PATH,
                                    STATX_TYPE | STATX_MODE | STATX_INO | STATX_MNT_ID, &status);

    if (raw_failed(failed))
        return (int)failed;
    if (S_ISLNK(status.stx_mode))
        return -ELOOP;
    if (!S_ISREG(status.stx_mode))
        return -EACCES;
    file->inode = status.stx_ino;
    file->mount = status.stx_mask & STATX_MNT_ID ? status.stx_mnt_id : 0;
    file->major = status.stx_dev_major;
    file->minor = status.stx_dev_minor;
    file->mode = status.stx_mode;
    /* Whoever may not execute it is told so by the kernel, and nobody is asked. */
    const long access =
        raw_syscall(SYS_faccessat2, file->descriptor, "", X_OK, AT_EMPTY_PATH | AT_EACCESS);
    return access == -EACCES ? -EACCES : 0;
}

/* -------------------------------------------------------------------------------------- contents
 */

/* What an ELF file is to the loader: judged by its program headers. */
static enum program_reach reach_of_elf(const struct program_file *file, int readable)
{
    ElfW(Ehdr) header;
    ElfW(Phdr) segments[ELF_SEGMENTS_AT_ONCE];

    if (file->head_size < sizeof(header))
        return REACH_STATIC;
    memcpy(&header, file->head, sizeof(header));
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != OWN_MACHINE)
        return REACH_FOREIGN;
    size_t count = header.e_phnum;
    if (header.e_phentsize != sizeof(segments[0]))
        return REACH_STATIC;
    if (count > ELF_SEGMENTS_MAX)
        count = ELF_SEGMENTS_MAX;
    for (size_t at = 0; at < count; at += ELF_SEGMENTS_AT_ONCE) {
        const size_t left = count - at;
        const size_t some = left < ELF_SEGMENTS_AT_ONCE ? left : ELF_SEGMENTS_AT_ONCE;
        const long size = raw_syscall(SYS_pread64, readable, segments, some * sizeof(segments[0]),
                                      header.e_phoff + at * sizeof(segments[0]));
        for (size_t i = 0; size > 0 && (i + 1) * sizeof(segments[0]) <= (size_t)size; i++)
            if (segments[i].p_type == PT_INTERP)
                return REACH_HOOK;
    }
    return REACH_STATIC;
}

static bool gives_rights(const struct program_file *file, const char *link)
{
    char capabilities[64];

    if ((file->mode & S_ISUID) || (file->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        return true;
    return raw_syscall(SYS_getxattr, link, "security.capability", capabilities,
                       sizeof(capabilities)) > 0;
}

static int read_head(struct program_file *file)
{
    char link[sizeof(DESCRIPTOR_LINK) + 12];

    snprintf(link, sizeof(link), DESCRIPTOR_LINK, file->descriptor);
    const int readable =
        (int)raw_syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    file->kind = PROGRAM_UNREADABLE;
    file->reach = REACH_HOOK;
    file->head_size = 0;
    if (readable == -EMFILE)
        return -EMFILE;
    if (readable >= 0) {
        const long size = raw_syscall(SYS_pread64, readable, file->head, PROGRAM_HEAD_SIZE, 0);
        file->head_size = size > 0 ? (size_t)size : 0;
        file->kind = file->head_size >= SELFMAG && memcmp(file->head, ELFMAG, SELFMAG) == 0
                         ? PROGRAM_ELF
                     : file->head_size >= 2 && memcmp(file->head, "#!", 2) == 0 ? PROGRAM_SCRIPT
                                                                                : PROGRAM_OTHER;
        if (file->kind == PROGRAM_ELF)
            file->reach = reach_of_elf(file, readable);
        raw_syscall(SYS_close, readable);
    }
    file->head[file->head_size] = '\0';
    if (file->kind != PROGRAM_SCRIPT && gives_rights(file, link))
        file->reach = REACH_SET_ID;
    return 0;
}

/* The loader starts any program that it is given: it is known by its name, and by being the one
 * that this process was started by. */
static bool is_loader(const struct program_file *file)
{
    static const char *const names[] = {"ld-linux", "ld-musl", "ld.so",
                                        "ld64.so",  "ld-2.",   "ld-uClibc"};
    const char *paths[] = {file->name, file->written};

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        const char *slash = paths[i] ? strrchr(paths[i], '/') : NULL;
        const char *base = slash ? slash + 1 : paths[i];
        for (size_t j = 0; base && j < sizeof(names) / sizeof(*names); j++)
            if (strncmp(base, names[j], strlen(names[j])) == 0)
                return true;
    }
#if defined(__x86_64__)
    static const char own[] = "/lib64/ld-linux-x86-64.so.2";
#else
    static const char own[] = "/lib/ld-linux-aarch64.so.1";
#endif
    struct statx status;
    return !raw_failed(raw_syscall(SYS_statx, AT_FDCWD, own, 0, STATX_INO, &status)) &&
           status.stx_ino == file->inode && status.stx_dev_major == file->major &&
           status.stx_dev_minor == file->minor;
}

/* Opens one file. */
static int look_at(struct program_file *file, const struct program_name *name, struct arena *arena)
{
    *file = (struct program_file){.descriptor = open_named(name)};
    if (file->descriptor < 0) {
        const int error = file->descriptor;
        file->descriptor = -1;
        return error;
    }
    const int error = identify(file);
    if (error)
        return error;
    char *text = arena_alloc(arena, PATH_MAX);
    file->written = arena_copy(arena, name->path, strlen(name->path));
    if (!text || !file->written)
        return -E2BIG;
    if (process_descriptor_path(file->descriptor, text, PATH_MAX))
        file->name = text;
    file->is_loader = is_loader(file);
    return read_head(file);
}

/* The line behind `#!`, as the kernel reads it (fs/binfmt_script.c): a name, and all the rest as
 * one argument. */
static int read_line(const struct program_file *file, struct arena *arena, const char **name,
                     const char **argument)
{
    const char *end = memchr(file->head, '\n', file->head_size);
    const char *at = file->head + 2;
    const bool cut = !end && file->head_size == PROGRAM_HEAD_SIZE;

    if (!end)
        end = file->head + strnlen(file->head, file->head_size);
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    const char *behind = at;
    while (behind < end && *behind != ' ' && *behind != '\t' && *behind != '\0')
        behind++;
    if (behind == at || (cut && behind == end))
        return -ENOEXEC;
    *name = arena_copy(arena, at, (size_t)(behind - at));
    while (behind < end && (*behind == ' ' || *behind == '\t'))
        behind++;
    *argument = behind < end && *behind ? arena_copy(arena, behind, (size_t)(end - behind)) : NULL;
    return *name && (behind == end || *argument || !*behind) ? 0 : -E2BIG;
}

static int look(struct program *program, const struct program_name *name, struct arena *arena)
{
    struct program_name next = *name;

    program->count = 0;
    for (;;) {
        const unsigned at = program->count++;
        struct program_file *file = &program->files[at];
        int error = look_at(file, &next, arena);
        if (!error && file->kind == PROGRAM_SCRIPT) {
            if (at == INTERPRETERS_MAX)
                error = -ELOOP;
            else
                error = read_line(file, arena, &next.path, &program->arguments[at]);
        }
        if (error) {
            program_close(program);
            return error;
        }
        if (file->kind != PROGRAM_SCRIPT)
            return 0;
        next.directory = AT_FDCWD;
        next.flags = 0;
    }
}

int program_look(struct program *program, const struct program_name *name, struct arena *arena)
{
    int error = look(program, name, arena);

    /* The kernel needs no descriptor of the program's to execute a file. */
    if (error == -EMFILE) {
        const struct descriptor_room room = descriptor_room_make();
        error = look(program, name, arena);
        descriptor_room_end(&room);
    }
    return error;
}

void program_close(struct program *program)
{
    for (unsigned i = 0; i < program->count; i++)
        if (program->files[i].descriptor >= 0)
            raw_syscall(SYS_close, program->files[i].descriptor);
    program->count = 0;
}

static bool is_same_file(const struct program_file *a, const struct program_file *b)
{
    return a->inode == b->inode && a->mount == b->mount && a->major == b->major &&
           a->minor == b->minor && a->mode == b->mode && a->kind == b->kind &&
           a->head_size == b->head_size && memcmp(a->head, b->head, a->head_size) == 0 && a->name &&
           b->name && strcmp(a->name, b->name) == 0;
}

bool program_is_same(const struct program *a, const struct program *b)
{
    if (a->count != b->count)
        return false;
    for (unsigned i = 0; i < a->count; i++)
        /* What has no name is the same file all the same: memory, a file that was removed. */
        if (!is_same_file(&a->files[i], &b->files[i]) &&
            (a->files[i].name || b->files[i].name || a->files[i].inode != b->files[i].inode ||
             a->files[i].mount != b->files[i].mount || a->files[i].major != b->files[i].major ||
             a->files[i].minor != b->files[i].minor))
            return false;
    return true;
}

static bool is_firm(const char *path)
{
    struct statx status;
    const uid_t user = geteuid();

    if (raw_failed(raw_syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                               STATX_UID | STATX_MODE, &status)))
        return false;
    if (!S_ISLNK(status.stx_mode) && (status.stx_mode & (S_IWGRP | S_IWOTH)))
        return false;
    return status.stx_uid == 0 || (status.stx_uid != user && status.stx_uid != getuid());
}

/* `part` has room for the path. */
static bool all_parts_are_firm(const char *path, size_t length, char *part)
{
    for (size_t i = 0; i <= length; i++) {
        if (i > 0 && path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (!is_firm(i == 0 ? "/" : part))
            return false;
    }
    return true;
}

bool program_path_is_firm(const char *path)
{
    const size_t length = strlen(path);
    char *part = path[0] == '/' && length < PATH_MAX ? work_memory_take() : NULL;
    const bool firm = part && all_parts_are_firm(path, length, part);

    work_memory_return(part);
    return firm;
}
