#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policies/engine/arena.h"

static void allocations_are_aligned_and_apart(void **state)
{
    (void)state;
    char memory[256];
    struct arena arena;
    arena_init(&arena, memory + 1, sizeof(memory) - 1);
    char *first = arena_alloc(&arena, 3);
    char *second = arena_alloc(&arena, 5);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
    assert_int_equal((uintptr_t)second % _Alignof(max_align_t), 0);
    assert_true(second >= first + 3);
}

static void a_full_arena_refuses_and_says_so(void **state)
{
    (void)state;
    _Alignas(max_align_t) char memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    assert_non_null(arena_alloc(&arena, 64));
    assert_false(arena.exhausted);
    assert_null(arena_alloc(&arena, 1));
    assert_true(arena.exhausted);
    arena_reset(&arena);
    assert_false(arena.exhausted);
    assert_non_null(arena_alloc(&arena, 64));
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    char memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(arena_zalloc(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_copy(&arena, "", SIZE_MAX));
    assert_true(arena.exhausted);
    assert_int_equal(arena.used, 0);
}

static void zalloc_zeroes_reused_memory(void **state)
{
    (void)state;
    _Alignas(max_align_t) char memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    for (size_t i = 0; i < sizeof(memory); i++)
        memory[i] = 'x';
    const unsigned char *zeroed = arena_zalloc(&arena, 4, 8);
    assert_non_null(zeroed);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(zeroed[i], 0);
}

static void copies_are_terminated(void **state)
{
    (void)state;
    char memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    assert_string_equal(arena_copy(&arena, "abcdef", 3), "abc");
    assert_string_equal(arena_copy(&arena, NULL, 0), "");
}

static void the_newest_allocation_gives_back_its_end(void **state)
{
    (void)state;
    _Alignas(max_align_t) char memory[128];
    struct arena arena;
    arena_init(&arena, memory, sizeof(memory));
    const char *first = arena_alloc(&arena, 16);
    char *newest = arena_alloc(&arena, 100);
    assert_non_null(newest);
    arena_trim(&arena, newest, 3);
    assert_int_equal(arena.used, (size_t)(newest - first) + 3);
    arena_trim(&arena, newest, 50); /* nothing grows */
    assert_int_equal(arena.used, (size_t)(newest - first) + 3);
    arena_trim(&arena, newest, 0);
    assert_ptr_equal(arena_alloc(&arena, 1), newest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(a_full_arena_refuses_and_says_so),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(zalloc_zeroes_reused_memory),
        cmocka_unit_test(copies_are_terminated),
        cmocka_unit_test(the_newest_allocation_gives_back_its_end),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
