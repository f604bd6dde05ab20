#define _GNU_SOURCE
#include "client/hook/elf_symbols.h"

#include <elf.h>
#include <link.h>
#include <string.h>

/* The GNU hash function (as in the System V ABI's DT_GNU_HASH extension). */
static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        hash = hash * 33 + *c;
    return hash;
}

/* The table: four words, a Bloom filter, buckets, chains (one word for each symbol from
 * `first_symbol` on; the lowest bit ends a chain). */
struct gnu_hash_table {
    uint32_t bucket_count;
    uint32_t first_symbol;
    uint32_t bloom_count;
    uint32_t bloom_shift;
};

/* The table's parts, with their bounds. */
struct gnu_hash {
    const struct gnu_hash_table *table;
    const ElfW(Addr) * bloom;
    const uint32_t *buckets;
    const uint32_t *chains;
    size_t chain_count; /* words up to the end of the segment */
};

static bool open_hash(const struct elf_table *from, struct gnu_hash *hash)
{
    const struct gnu_hash_table *table = from->at;
    size_t left = from->size;

    if (!table || left < sizeof(*table) || table->bucket_count == 0 || table->bloom_count == 0)
        return false;
    left -= sizeof(*table);
    if (table->bloom_count > left / sizeof(ElfW(Addr)))
        return false;
    left -= table->bloom_count * sizeof(ElfW(Addr));
    if (table->bucket_count > left / sizeof(uint32_t))
        return false;
    left -= table->bucket_count * sizeof(uint32_t);
    hash->table = table;
    hash->bloom = (const ElfW(Addr) *)(table + 1);
    hash->buckets = (const uint32_t *)(hash->bloom + table->bloom_count);
    hash->chains = hash->buckets + table->bucket_count;
    hash->chain_count = left / sizeof(uint32_t);
    return true;
}

static bool has_name(const struct elf_object *object, const ElfW(Sym) * symbol, const char *name)
{
    const size_t size = strlen(name) + 1;
    return symbol->st_name < object->strings.size &&
           size <= object->strings.size - symbol->st_name &&
           memcmp((const char *)object->strings.at + symbol->st_name, name, size) == 0;
}

/* An old version of a name, kept for programs that were linked to it. */
static bool is_hidden(const struct elf_object *object, size_t index)
{
    const uint16_t hidden = 0x8000; /* VERSYM_HIDDEN of the System V ABI's extension by Sun */
    const uint16_t *versions = object->versions.at;

    return versions && index < object->versions.size / sizeof(*versions) &&
           (versions[index] & hidden) != 0;
}

void *elf_symbol(const struct elf_object *object, const char *name)
{
    void *old = NULL;
    struct gnu_hash hash;
    if (!object->symbols.at || !object->strings.at || !open_hash(&object->hash, &hash))
        return NULL;
    const struct gnu_hash_table *table = hash.table;
    const ElfW(Sym) *symbols = object->symbols.at;
    const size_t symbol_count = object->symbols.size / sizeof(*symbols);
    const uint32_t wanted = gnu_hash(name);
    const unsigned bits = sizeof(ElfW(Addr)) * 8;

    const ElfW(Addr) word = hash.bloom[(wanted / bits) % table->bloom_count];
    if (!((word >> (wanted % bits)) & (word >> ((wanted >> (table->bloom_shift % 32)) % bits)) & 1))
        return NULL;
    size_t index = hash.buckets[wanted % table->bucket_count];
    if (index < table->first_symbol)
        return NULL;
    for (; index < symbol_count && index - table->first_symbol < hash.chain_count; index++) {
        const uint32_t chained = hash.chains[index - table->first_symbol];
        const ElfW(Sym) *symbol = &symbols[index];
        const uintptr_t address = object->base + symbol->st_value;
        if ((chained | 1) == (wanted | 1) && symbol->st_shndx != SHN_UNDEF &&
            address >= object->start && address < object->end && has_name(object, symbol, name)) {
            if (!is_hidden(object, index))
                return (void *)address;
            old = (void *)address;
        }
        if (chained & 1)
            break;
    }
    return old;
}

/* Bytes from an address to the end of the readable segment that holds it; 0 if none does. */
static size_t readable_in_segment(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && (header->p_flags & PF_R) && address >= start &&
            address - start < header->p_memsz)
            return header->p_memsz - (address - start);
    }
    return 0;
}

/* The same through segments that follow each other without a gap: tools that change a program's
 * loader or RPATH (patchelf) put the tables across two. */
static size_t readable_from(const struct dl_phdr_info *info, uintptr_t address)
{
    size_t size = 0;
    size_t more = 0;

    for (int i = 0; i < info->dlpi_phnum; i++) {
        more = readable_in_segment(info, address + size);
        if (more == 0)
            break;
        size += more;
    }
    return size;
}

/* What an entry of the dynamic section says. glibc writes absolute addresses into those of objects
 * that it loaded, but not into those of the vDSO, whose are relative: both are accepted. */
static struct elf_table table_of(const struct dl_phdr_info *info, const struct elf_object *object,
                                 ElfW(Addr) value, size_t alignment)
{
    if (value < object->start)
        value += object->base;
    const size_t size = readable_from(info, value);
    if (size == 0 || value % alignment != 0)
        return (struct elf_table){0};
    return (struct elf_table){.at = (const void *)value, .size = size};
}

/* Where it lies; and its dynamic section, 0 if it has none. */
static uintptr_t describe_place(const struct dl_phdr_info *info, struct elf_object *object)
{
    uintptr_t dynamic_at = 0;

    *object = (struct elf_object){.base = info->dlpi_addr, .start = UINTPTR_MAX};
    object->name = info->dlpi_name ? info->dlpi_name : "";
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_DYNAMIC)
            dynamic_at = start;
        if (header->p_type != PT_LOAD)
            continue;
        if (start < object->start)
            object->start = start;
        if (start + header->p_memsz > object->end)
            object->end = start + header->p_memsz;
    }
    return dynamic_at;
}

void elf_describe(const struct dl_phdr_info *info, struct elf_object *object)
{
    const uintptr_t dynamic_at = describe_place(info, object);

    if (dynamic_at == 0 || dynamic_at % _Alignof(ElfW(Dyn)) != 0)
        return;
    const ElfW(Dyn) *dynamic = (const ElfW(Dyn) *)dynamic_at;
    ElfW(Addr) soname = 0; /* in the strings, which may come behind it */
    size_t entries = readable_from(info, dynamic_at) / sizeof(*dynamic);
    for (; entries > 0 && dynamic->d_tag != DT_NULL; entries--, dynamic++) {
        const ElfW(Addr) value = dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_GNU_HASH)
            object->hash = table_of(info, object, value, _Alignof(ElfW(Addr)));
        else if (dynamic->d_tag == DT_SYMTAB)
            object->symbols = table_of(info, object, value, _Alignof(ElfW(Sym)));
        else if (dynamic->d_tag == DT_STRTAB)
            object->strings = table_of(info, object, value, 1);
        else if (dynamic->d_tag == DT_SONAME)
            soname = value;
        else if (dynamic->d_tag == DT_VERSYM)
            object->versions = table_of(info, object, value, _Alignof(uint16_t));
    }
    const char *strings = object->strings.at;
    if (soname > 0 && strings && soname < object->strings.size &&
        memchr(strings + soname, '\0', object->strings.size - soname))
        object->soname = strings + soname;
}

static bool holds(const struct elf_object *object, uintptr_t address)
{
    return address >= object->start && address < object->end;
}

/* Describes an object, unless it is this very one: that may define a name to stand before the real
 * one. */
static bool describe_other(const struct dl_phdr_info *info, struct elf_object *object)
{
    describe_place(info, object);
    if (holds(object, (uintptr_t)&describe_other))
        return false;
    elf_describe(info, object);
    return true;
}

struct search {
    const char *name;
    const char *other; /* NULL: none */
    struct elf_object *object;
    bool found; /* an object that defines the other one, which is kept in `second` */
    struct elf_object second;
};

static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
    struct search *search = data;

    (void)size;
    if (!describe_other(info, search->object))
        return 0;
    if (elf_symbol(search->object, search->name))
        return 1;
    if (search->other && !search->found && elf_symbol(search->object, search->other)) {
        search->second = *search->object;
        search->found = true;
    }
    return 0;
}

bool elf_find_definer(const char *name, struct elf_object *object)
{
    return elf_find_definer_of_either(name, NULL, object);
}

bool elf_find_definer_of_either(const char *name, const char *other, struct elf_object *object)
{
    struct search search = {.name = name, .other = other, .object = object};

    if (dl_iterate_phdr(visit, &search) == 1)
        return true;
    if (search.found)
        *object = search.second;
    return search.found;
}

void *elf_next(const char *name)
{
    struct elf_object object;
    return elf_find_definer(name, &object) ? elf_symbol(&object, name) : NULL;
}

struct several {
    const char *const *names;
    size_t count;
    void **addresses;
    size_t left;
};

static int visit_for_several(struct dl_phdr_info *info, size_t size, void *data)
{
    struct several *several = data;
    struct elf_object object;

    (void)size;
    if (!describe_other(info, &object))
        return 0;
    for (size_t i = 0; i < several->count; i++) {
        if (several->addresses[i])
            continue;
        several->addresses[i] = elf_symbol(&object, several->names[i]);
        several->left -= several->addresses[i] != NULL;
    }
    return several->left == 0;
}

void elf_next_each(const char *const *names, size_t count, void **addresses)
{
    struct several several = {names, count, addresses, count};

    for (size_t i = 0; i < count; i++)
        addresses[i] = NULL;
    dl_iterate_phdr(visit_for_several, &several);
}

struct holder_search {
    uintptr_t address;
    struct elf_object *object;
};

static int visit_for_holder(struct dl_phdr_info *info, size_t size, void *data)
{
    const struct holder_search *search = data;

    (void)size;
    describe_place(info, search->object);
    if (!holds(search->object, search->address))
        return 0;
    elf_describe(info, search->object);
    return 1;
}

bool elf_find_holder(uintptr_t address, struct elf_object *object)
{
    struct holder_search search = {.address = address, .object = object};
    return dl_iterate_phdr(visit_for_holder, &search) == 1;
}

static int describe_first(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    elf_describe(info, data);
    return 1;
}

bool elf_program(struct elf_object *object)
{
    return dl_iterate_phdr(describe_first, object) == 1;
}

static int count_loads(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    *(unsigned long long *)data = info->dlpi_adds;
    return 1;
}

unsigned long long elf_load_count(void)
{
    unsigned long long count = 0;
    dl_iterate_phdr(count_loads, &count);
    return count;
}
