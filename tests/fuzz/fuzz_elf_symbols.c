/* Any object that a loader could have mapped, asked for a name: nothing is read outside its
 * segments, and what is found lies inside of it.
 *
 * The input is the layout (segments, the dynamic section's entries), and behind it the bytes of the
 * object, in a block of their exact size. */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "client/hook/elf_symbols.h"

enum {
    SEGMENTS_MAX = 3,
    ENTRIES_MAX = 8,
    LAYOUT_SIZE = 4 + SEGMENTS_MAX * 5 + ENTRIES_MAX * 3,
    OBJECT_SIZE_MAX = 4096,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static uint16_t next_number(const uint8_t **at)
{
    const uint16_t number = (uint16_t)((*at)[0] | (*at)[1] << 8);
    *at += 2;
    return number;
}

/* Segments as a loader leaves them: inside what is mapped. */
static int write_segments(const uint8_t **at, size_t size, ElfW(Phdr) headers[SEGMENTS_MAX + 1])
{
    const int count = *(*at)++ % SEGMENTS_MAX + 1;

    for (int i = 0; i < SEGMENTS_MAX; i++) {
        const size_t start = next_number(at) % size;
        const size_t length = next_number(at) % (size - start + 1);
        headers[i] = (ElfW(Phdr)){.p_type = PT_LOAD,
                                  .p_flags = (*(*at)++ & 1) ? PF_X : PF_R,
                                  .p_vaddr = start,
                                  .p_memsz = length};
    }
    return count;
}

/* Entries for the dynamic section: most of the tables that are looked for, some of anything. */
static void write_entries(const uint8_t **at, uintptr_t base, size_t room, ElfW(Dyn) * entries)
{
    static const ElfW(Sxword) tags[] = {DT_GNU_HASH, DT_SYMTAB, DT_STRTAB, DT_NULL, DT_HASH};

    for (size_t i = 0; i < ENTRIES_MAX; i++) {
        const uint8_t what = *(*at)++;
        const ElfW(Addr) value = next_number(at);
        if (i < room)
            entries[i] = (ElfW(Dyn)){.d_tag = tags[what % (sizeof(tags) / sizeof(*tags))],
                                     .d_un.d_ptr = (what & 0x80) ? value : base + value};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"Py_Initialize", "a", ""};
    ElfW(Phdr) headers[SEGMENTS_MAX + 1];

    if (size <= LAYOUT_SIZE || size - LAYOUT_SIZE > OBJECT_SIZE_MAX)
        return 0;
    const size_t object_size = size - LAYOUT_SIZE;
    unsigned char *image = malloc(object_size);
    require(image != NULL);
    memcpy(image, data + LAYOUT_SIZE, object_size);

    const uint8_t *at = data;
    const int count = write_segments(&at, object_size, headers);
    /* Aligned, as every linker lays it, or as the input wants it. */
    const bool raw = *at++ & 1;
    size_t dynamic = next_number(&at) % object_size;
    if (!raw) {
        dynamic &= ~(size_t)7;
        write_entries(&at, (uintptr_t)image, (object_size - dynamic) / sizeof(ElfW(Dyn)),
                      (ElfW(Dyn) *)(image + dynamic));
    }
    headers[count] = (ElfW(Phdr)){.p_type = PT_DYNAMIC, .p_vaddr = dynamic};

    const struct dl_phdr_info info = {.dlpi_addr = (ElfW(Addr))(uintptr_t)image,
                                      .dlpi_phdr = headers,
                                      .dlpi_phnum = (ElfW(Half))(count + 1)};
    struct elf_object object;
    elf_describe(&info, &object);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const unsigned char *found = elf_symbol(&object, names[i]);
        require(!found || (found >= image && found < image + object_size));
    }
    free(image);
    return 0;
}
