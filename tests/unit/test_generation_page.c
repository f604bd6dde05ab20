#define _GNU_SOURCE
#include "proto/generation_page.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/packet_socket.h"
#include "unit_test.h"

static void what_the_daemon_writes_is_seen_and_nobody_else_can_write(void **state)
{
    int file;

    (void)state;
    struct generation_page *page = generation_page_new(&file);
    assert_non_null(page);
    const struct generation_page *seen = generation_page_map(file);
    assert_non_null(seen);
    assert_int_equal(generation_page_epoch(seen), 0);
    page->epoch = 7;
    assert_int_equal(generation_page_epoch(seen), 7);

    assert_int_equal(ftruncate(file, 0), -1);
    assert_int_equal(pwrite(file, "x", 1, 0), -1);
    assert_ptr_equal(mmap(NULL, GENERATION_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
                     MAP_FAILED);
    assert_int_equal(
        mprotect((void *)(uintptr_t)seen, GENERATION_PAGE_SIZE, PROT_READ | PROT_WRITE), -1);
    char again[64];
    (void)snprintf(again, sizeof(again), "/proc/self/fd/%d", file);
    const int reopened = open(again, O_RDWR | O_CLOEXEC);
    if (reopened >= 0) {
        assert_int_equal(pwrite(reopened, "x", 1, 0), -1);
        close(reopened);
    }
    generation_page_free(page, file);
    assert_int_equal(generation_page_epoch(seen), 0);
}

static void page_of_a_daemon_that_was_killed_says_nothing_any_more(void **state)
{
    int sockets[2];
    struct packet_received received;
    char packet[64] = {0};
    int status;

    (void)state;
    assert_int_equal(packet_socket_pair(sockets), 0);
    const pid_t child = fork();
    if (child == 0) {
        int file;
        struct generation_page *page = generation_page_new(&file);
        if (!page)
            _exit(1);
        page->epoch = 3;
        if (packet_send(sockets[1], packet, NULL, 0, &file, 1) < 0)
            _exit(1);
        alarm(20);
        pause();
        _exit(0);
    }
    assert_int_equal(packet_receive(sockets[0], packet, sizeof(packet), 0, &received), 0);
    assert_int_equal(received.descriptor_count, 1);
    const struct generation_page *seen = generation_page_map(received.descriptors[0]);
    assert_non_null(seen);
    assert_int_equal(generation_page_epoch(seen), 3);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(generation_page_epoch(seen), 0);
    packet_received_close(&received);
    close(sockets[0]);
    close(sockets[1]);
}

static void files_that_somebody_could_write_are_no_pages(void **state)
{
    (void)state;
    const int file = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(file, GENERATION_PAGE_SIZE), 0);
    assert_null(generation_page_map(file));
    assert_int_equal(fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    assert_null(generation_page_map(file));
    assert_int_equal(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE), 0);
    assert_null(generation_page_map(file));
    close(file);

    const int small = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(small, 100), 0);
    assert_int_equal(fcntl(small, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | 0x0010 | F_SEAL_SEAL),
                     0);
    assert_null(generation_page_map(small));
    close(small);
    assert_null(generation_page_map(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_daemon_writes_is_seen_and_nobody_else_can_write),
        cmocka_unit_test(page_of_a_daemon_that_was_killed_says_nothing_any_more),
        cmocka_unit_test(files_that_somebody_could_write_are_no_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
