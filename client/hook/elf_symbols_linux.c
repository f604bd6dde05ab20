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

void *elf_symbol(const struct elf_object *object, const char *name)
{
    const struct gnu_hash_table *table = object->hash;
    if (!table || !object->symbols || !object->strings || table->bucket_count == 0 ||
        table->bloom_count == 0)
        return NULL;
    const ElfW(Addr) *bloom = (const ElfW(Addr) *)(table + 1);
    const uint32_t *buckets = (const uint32_t *)(bloom + table->bloom_count);
    const uint32_t *chains = buckets + table->bucket_count;
    const ElfW(Sym) *symbols = object->symbols;
    const uint32_t hash = gnu_hash(name);
    const unsigned bits = sizeof(ElfW(Addr)) * 8;

    const ElfW(Addr) word = bloom[(hash / bits) % table->bloom_count];
    if (!((word >> (hash % bits)) & (word >> ((hash >> table->bloom_shift) % bits)) & 1))
        return NULL;
    uint32_t index = buckets[hash % table->bucket_count];
    if (index < table->first_symbol)
        return NULL;
    for (;; index++) {
        const uint32_t chained = chains[index - table->first_symbol];
        const ElfW(Sym) *symbol = &symbols[index];
        if ((chained | 1) == (hash | 1) && symbol->st_shndx != SHN_UNDEF &&
            strcmp(object->strings + symbol->st_name, name) == 0)
            return (void *)(object->base + symbol->st_value);
        if (chained & 1)
            return NULL;
    }
}

/* What the dynamic section says. glibc writes absolute addresses into the entries of objects that
 * it loaded, but not into those of the vDSO, whose are relative: both are accepted. */
static const void *address_of(const struct elf_object *object, ElfW(Addr) value)
{
    if (value < object->start)
        value += object->base;
    return value >= object->start && value < object->end ? (const void *)value : NULL;
}

static void describe(const struct dl_phdr_info *info, struct elf_object *object)
{
    const ElfW(Dyn) *dynamic = NULL;

    *object = (struct elf_object){.base = info->dlpi_addr, .start = UINTPTR_MAX};
    object->name = info->dlpi_name ? info->dlpi_name : "";
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        const uintptr_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)start;
        if (header->p_type != PT_LOAD)
            continue;
        if (start < object->start)
            object->start = start;
        if (start + header->p_memsz > object->end)
            object->end = start + header->p_memsz;
    }
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_GNU_HASH)
            object->hash = address_of(object, dynamic->d_un.d_ptr);
        else if (dynamic->d_tag == DT_SYMTAB)
            object->symbols = address_of(object, dynamic->d_un.d_ptr);
        else if (dynamic->d_tag == DT_STRTAB)
            object->strings = address_of(object, dynamic->d_un.d_ptr);
    }
}

struct search {
    const char *name;  /* a definer of this is wanted, */
    uintptr_t address; /* or the holder of this */
    struct elf_object *object;
};

static bool holds(const struct elf_object *object, uintptr_t address)
{
    return address >= object->start && address < object->end;
}

static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
    const struct search *search = data;
    (void)size;
    describe(info, search->object);
    if (!search->name)
        return holds(search->object, search->address);
    if (holds(search->object, (uintptr_t)&visit))
        return 0; /* this very object: it may define the name to stand before the real one */
    return elf_symbol(search->object, search->name) != NULL;
}

bool elf_find_definer(const char *name, struct elf_object *object)
{
    struct search search = {.name = name, .object = object};
    return dl_iterate_phdr(visit, &search) == 1;
}

bool elf_find_holder(uintptr_t address, struct elf_object *object)
{
    struct search search = {.address = address, .object = object};
    return dl_iterate_phdr(visit, &search) == 1;
}

static int describe_first(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    describe(info, data);
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
