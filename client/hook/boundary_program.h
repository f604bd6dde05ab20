/* A file that is about to be executed, opened and looked at: what the kernel calls it, what it is,
 * and what `#!` in it leads to.
 *
 * Everything is read through the descriptor that will be executed, so that a name that changes its
 * meaning meanwhile changes nothing. A thread that shares its table of descriptors can have one put
 * in another's place: who executes looks once more in a table of its own (boundary_exec.c). System
 * calls alone; nothing is allocated but from the arena. */
#ifndef WARDER_CLIENT_HOOK_BOUNDARY_PROGRAM_H
#define WARDER_CLIENT_HOOK_BOUNDARY_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "policies/engine/arena.h"

enum {
    INTERPRETERS_MAX = 4,    /* of `#!` in `#!`; the kernel goes on to five files altogether */
    PROGRAM_HEAD_SIZE = 256, /* bytes that the kernel looks at (BINPRM_BUF_SIZE) */
};

enum program_kind {
    PROGRAM_UNREADABLE, /* the kernel may read it, we may not: it is executed as it is */
    PROGRAM_ELF,
    PROGRAM_SCRIPT, /* begins with #! */
    PROGRAM_OTHER,  /* for binfmt_misc, or for nobody */
};

/* Why a program will be out of the hook's reach. */
enum program_reach {
    REACH_HOOK,
    REACH_STATIC,  /* no dynamic loader, no preload */
    REACH_SET_ID,  /* the loader takes no preload of others for it */
    REACH_FOREIGN, /* of another machine: the loader cannot load the hook into it */
};

struct program_file {
    int descriptor; /* O_PATH, close-on-exec; -1: none */
    enum program_kind kind;
    enum program_reach reach;
    const char *written; /* the name it was opened by, in the arena */
    const char *name;    /* as the kernel calls it; NULL: it has none that leads there */
    uint64_t inode;
    uint64_t mount;
    uint32_t major;
    uint32_t minor;
    uint32_t mode;
    bool is_loader;
    size_t head_size;
    char head[PROGRAM_HEAD_SIZE + 1];
};

/* The file, and behind it the interpreter of each `#!`. */
struct program {
    struct program_file files[1 + INTERPRETERS_MAX];
    unsigned count;
    const char
        *arguments[INTERPRETERS_MAX]; /* what stands behind the interpreter's name, or NULL */
};

/* How a file is named. */
struct program_name {
    int directory; /* or AT_FDCWD */
    const char *path;
    int flags; /* AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW */
};

/* Opens and looks. 0, or a negative errno as execve(2) would give for it: there is nothing to
 * judge. Descriptors stay open until program_close. */
int program_look(struct program *program, const struct program_name *name, struct arena *arena);
void program_close(struct program *program);

/* True if both are the same files with the same beginnings. */
bool program_is_same(const struct program *a, const struct program *b);

/* What will be executed: the last of the files. */
static inline struct program_file *program_last(struct program *program)
{
    return &program->files[program->count - 1];
}

/* True if nobody of the subject's rights can put another file in the place of an absolute path: the
 * file and all directories above it are others', and writable for their owners alone. Root is taken
 * to leave alone what is root's. */
bool program_path_is_firm(const char *path);

#endif
