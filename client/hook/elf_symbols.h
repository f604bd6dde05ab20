/* The symbols of the objects that are loaded in this process, looked up by hand.
 *
 * dlsym and dladdr carry symbol version GLIBC_2.34 when linked on Debian 12, and libwarder.so must
 * load from GLIBC_2.31 on; dlsym would also not find an object that was opened RTLD_LOCAL. So the
 * loader's own tables are read: dl_iterate_phdr for the objects, DT_GNU_HASH for the names.
 *
 * The loader looks into an object's tables only when somebody asks that object for a name: one
 * whose tables are broken may lie in a process that runs well. Nothing is therefore read outside
 * the segments that the loader has mapped, and what does not fit in there is not found.
 *
 * Safe to call from a constructor and from any thread; the loader holds its lock meanwhile. */
#ifndef WARDER_CLIENT_HOOK_ELF_SYMBOLS_H
#define WARDER_CLIENT_HOOK_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dl_phdr_info; /* <link.h> */

/* A table of an object, up to the end of the segment that holds it. */
struct elf_table {
    const void *at; /* NULL: there is none */
    size_t size;    /* bytes */
};

/* One loaded object. Valid as long as the object stays loaded. */
struct elf_object {
    uintptr_t base;        /* what its addresses are relative to */
    uintptr_t start;       /* of its first loaded segment */
    uintptr_t end;         /* behind its last */
    const char *name;      /* path, as the loader has it; "" for the program itself */
    const char *soname;    /* what it calls itself; NULL if it has no such name */
    struct elf_table hash; /* DT_GNU_HASH; without it no symbol is found */
    struct elf_table symbols;
    struct elf_table strings;
    struct elf_table versions; /* DT_VERSYM, of libraries that have several of one name */
};

/* Fills in what the loader says of an object. */
void elf_describe(const struct dl_phdr_info *info, struct elf_object *object);

/* The address of a function or variable that the object itself defines, inside of it; NULL if it
 * defines none. Of several versions the one that is linked to today. */
void *elf_symbol(const struct elf_object *object, const char *name);

/* The first object, in the loader's order, that defines `name` and is not this one. */
bool elf_find_definer(const char *name, struct elf_object *object);

/* The function or variable of that name that this object stands before: the first other definer's.
 * NULL if there is none. */
void *elf_next(const char *name);

/* The same of many names, for each of which `addresses` has room: every object is described once.
 */
void elf_next_each(const char *const *names, size_t count, void **addresses);

/* The first object that defines `name`, or else the first that defines `other`; not this one. */
bool elf_find_definer_of_either(const char *name, const char *other, struct elf_object *object);

/* The program itself. A variable of a library that the program was linked to directly may stand in
 * the program (a copy relocation), and then everyone uses that one. */
bool elf_program(struct elf_object *object);

/* The object that holds an address. */
bool elf_find_holder(uintptr_t address, struct elf_object *object);

/* How often objects have been loaded so far: unchanged means that nothing new is there. */
unsigned long long elf_load_count(void);

#endif
