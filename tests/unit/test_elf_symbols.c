#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>
#include <link.h>

#include "client/hook/elf_symbols.h"

/* An object with one symbol, `answer`, in a block of its own, so that a sanitizer sees the byte
 * behind it. */
struct image {
    ElfW(Dyn) dynamic[4];
    struct {
        uint32_t bucket_count;
        uint32_t first_symbol;
        uint32_t bloom_count;
        uint32_t bloom_shift;
        ElfW(Addr) bloom;
        uint32_t bucket;
        uint32_t chain;
    } hash;
    ElfW(Sym) symbols[2];
    char strings[8];
};

static struct image *image;
static ElfW(Phdr) headers[3];
static struct dl_phdr_info info;

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (; *name; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}

static int set_up(void **state)
{
    (void)state;
    image = calloc(1, sizeof(*image));
    if (!image)
        return -1;
    const ElfW(Addr) base = (ElfW(Addr))(uintptr_t)image;
    image->dynamic[0] = (ElfW(Dyn)){.d_tag = DT_GNU_HASH, .d_un.d_ptr = (uintptr_t)&image->hash};
    image->dynamic[1] = (ElfW(Dyn)){.d_tag = DT_SYMTAB, .d_un.d_ptr = (uintptr_t)image->symbols};
    image->dynamic[2] = (ElfW(Dyn)){.d_tag = DT_STRTAB, .d_un.d_ptr = (uintptr_t)image->strings};
    image->hash.bucket_count = 1;
    image->hash.first_symbol = 1;
    image->hash.bloom_count = 1;
    image->hash.bloom = ~(ElfW(Addr))0;
    image->hash.bucket = 1;
    image->hash.chain = gnu_hash("answer") | 1;
    image->symbols[1] = (ElfW(Sym)){.st_name = 1, .st_shndx = 1, .st_value = 16};
    memcpy(image->strings, "\0answer", 8);
    headers[0] =
        (ElfW(Phdr)){.p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = 0, .p_memsz = sizeof(*image)};
    headers[1] = (ElfW(Phdr)){.p_type = PT_DYNAMIC, .p_vaddr = 0};
    info = (struct dl_phdr_info){.dlpi_addr = base, .dlpi_phdr = headers, .dlpi_phnum = 2};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(image);
    return 0;
}

static void *look_up(const char *name)
{
    struct elf_object object;
    elf_describe(&info, &object);
    return elf_symbol(&object, name);
}

static void a_symbol_is_found_by_its_name(void **state)
{
    (void)state;
    assert_ptr_equal(look_up("answer"), (char *)image + 16);
    assert_null(look_up("question"));
    assert_null(look_up("answe"));
    assert_null(look_up(""));
}

static void a_symbol_outside_its_object_is_none(void **state)
{
    (void)state;
    image->symbols[1].st_value = sizeof(*image);
    assert_null(look_up("answer"));
    image->symbols[1].st_value = (ElfW(Addr)) - 1;
    assert_null(look_up("answer"));
}

static void a_symbol_that_is_only_used_is_none(void **state)
{
    (void)state;
    image->symbols[1].st_shndx = SHN_UNDEF;
    assert_null(look_up("answer"));
}

static void names_outside_the_segment_are_not_read(void **state)
{
    (void)state;
    image->symbols[1].st_name = UINT32_MAX;
    assert_null(look_up("answer"));
    image->symbols[1].st_name = 4; /* the end of the segment comes before that of the name */
    memcpy(image->strings, "    answ", 8);
    assert_null(look_up("answer"));
}

static void a_chain_without_end_stops_with_the_segment(void **state)
{
    (void)state;
    image->hash.chain = gnu_hash("other") & ~1U;
    memset(image->symbols, 0xfe, sizeof(image->symbols));
    memset(image->strings, 0xfe, sizeof(image->strings));
    assert_null(look_up("answer"));
}

static void tables_larger_than_the_segment_are_none(void **state)
{
    (void)state;
    image->hash.bloom_count = UINT32_MAX;
    assert_null(look_up("answer"));
    image->hash.bloom_count = 1;
    image->hash.bucket_count = UINT32_MAX;
    assert_null(look_up("answer"));
    image->hash.bucket_count = 1;
    image->hash.bucket = UINT32_MAX;
    assert_null(look_up("answer"));
    image->hash.bucket = 0; /* below the first: an empty bucket */
    assert_null(look_up("answer"));
}

/* The middle of the names: "\0ans" in one segment, "wer" in the next. */
static void tables_across_two_segments_are_read(void **state)
{
    (void)state;
    const size_t cut = offsetof(struct image, strings) + 4;
    headers[0].p_memsz = cut;
    headers[2] = (ElfW(Phdr)){
        .p_type = PT_LOAD, .p_flags = PF_R, .p_vaddr = cut, .p_memsz = sizeof(*image) - cut};
    assert_null(look_up("answer"));
    info.dlpi_phnum = 3;
    assert_ptr_equal(look_up("answer"), (char *)image + 16);
    headers[2].p_vaddr++; /* a gap is no part of the table */
    headers[2].p_memsz--;
    assert_null(look_up("answer"));
}

static void a_library_has_the_name_that_it_gives_itself(void **state)
{
    struct elf_object object;
    (void)state;
    elf_describe(&info, &object);
    assert_null(object.soname);
    image->dynamic[3] = (ElfW(Dyn)){.d_tag = DT_SONAME, .d_un.d_val = 1};
    headers[0].p_memsz = sizeof(*image);
    elf_describe(&info, &object);
    assert_string_equal(object.soname, "answer");
    image->dynamic[3].d_un.d_val = sizeof(image->strings);
    elf_describe(&info, &object);
    assert_null(object.soname);
    image->dynamic[3].d_un.d_val = 1;
    image->strings[7] = 'r'; /* without an end */
    elf_describe(&info, &object);
    assert_null(object.soname);
}

static void tables_outside_readable_segments_are_none(void **state)
{
    (void)state;
    image->dynamic[0].d_un.d_ptr = (uintptr_t)image + sizeof(*image);
    assert_null(look_up("answer"));
    image->dynamic[0].d_un.d_ptr = (uintptr_t)&image->hash + 1;
    assert_null(look_up("answer"));
    image->dynamic[0].d_un.d_ptr = (uintptr_t)&image->hash;
    headers[0].p_flags = PF_X;
    assert_null(look_up("answer"));
}

static void a_dynamic_section_without_end_stops_with_the_segment(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        image->dynamic[i].d_tag = DT_DEBUG;
    headers[0].p_memsz = sizeof(image->dynamic);
    assert_null(look_up("answer"));
}

static void relative_entries_are_those_of_the_vdso(void **state)
{
    (void)state;
    image->dynamic[0].d_un.d_ptr = offsetof(struct image, hash);
    image->dynamic[1].d_un.d_ptr = offsetof(struct image, symbols);
    image->dynamic[2].d_un.d_ptr = offsetof(struct image, strings);
    assert_ptr_equal(look_up("answer"), (char *)image + 16);
}

static void objects_of_this_process_are_found(void **state)
{
    struct elf_object object;

    (void)state;
    assert_true(elf_find_definer("dl_iterate_phdr", &object));
    void *found = elf_symbol(&object, "dl_iterate_phdr");
    assert_non_null(found);
    struct elf_object holder;
    assert_true(elf_find_holder((uintptr_t)found, &holder));
    assert_int_equal(holder.base, object.base);
    assert_true(elf_program(&object));
    assert_false(elf_find_definer("warder_no_such_symbol", &object));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_symbol_is_found_by_its_name),
        TEST(a_symbol_outside_its_object_is_none),
        TEST(a_symbol_that_is_only_used_is_none),
        TEST(names_outside_the_segment_are_not_read),
        TEST(a_chain_without_end_stops_with_the_segment),
        TEST(tables_larger_than_the_segment_are_none),
        TEST(tables_across_two_segments_are_read),
        TEST(a_library_has_the_name_that_it_gives_itself),
        TEST(tables_outside_readable_segments_are_none),
        TEST(a_dynamic_section_without_end_stops_with_the_segment),
        TEST(relative_entries_are_those_of_the_vdso),
        cmocka_unit_test(objects_of_this_process_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
