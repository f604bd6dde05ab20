#define _GNU_SOURCE
#include "proto/packet_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/packet.h"
#include "unit_test.h"

struct ends {
    int sender;
    int receiver;
};

static int open_ends(void **state)
{
    static struct ends ends;
    int sockets[2];
    const int on = 1;

    if (packet_socket_pair(sockets) < 0)
        return -1;
    ends = (struct ends){.sender = sockets[0], .receiver = sockets[1]};
    *state = &ends;
    return setsockopt(ends.receiver, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

static int close_ends(void **state)
{
    const struct ends *ends = *state;
    if (ends->sender >= 0)
        close(ends->sender);
    close(ends->receiver);
    return 0;
}

static int open_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 256; i++)
        count += fcntl(i, F_GETFD) >= 0;
    return count;
}

/* Sends raw bytes with so many descriptors beside them. */
static void send_raw(const struct ends *ends, const void *bytes, size_t length, size_t descriptors)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 16)] = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (descriptors > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors);
        struct cmsghdr *item = CMSG_FIRSTHDR(&message);
        item->cmsg_level = SOL_SOCKET;
        item->cmsg_type = SCM_RIGHTS;
        item->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
        memset(CMSG_DATA(item), 0, sizeof(int) * descriptors); /* standard input */
    }
    assert_int_equal(sendmsg(ends->sender, &message, 0), length);
}

static int receive(const struct ends *ends, struct packet_received *received)
{
    static char buffer[1024];
    return packet_receive(ends->receiver, buffer, sizeof(buffer), MSG_DONTWAIT, received);
}

static void packet_comes_whole_with_descriptors_and_sender(void **state)
{
    const struct ends *ends = *state;
    struct packet_received received;
    const char header[PACKET_HEADER_SIZE + 1] = "a header of thirty-two bytes....";
    const int descriptors[] = {0, 1, 2};
    const int before = open_descriptors();

    assert_int_equal(packet_send(ends->sender, header, "body", 4, descriptors, 3), 0);
    assert_int_equal(receive(ends, &received), 0);
    assert_int_equal(received.length, PACKET_HEADER_SIZE + 4);
    assert_true(received.has_credentials);
    assert_int_equal(received.pid, getpid());
    assert_int_equal(received.uid, getuid());
    assert_int_equal(received.descriptor_count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fcntl(received.descriptors[i], F_GETFD), FD_CLOEXEC);
    packet_received_close(&received);
    assert_int_equal(open_descriptors(), before);
}

static void packet_longer_than_the_buffer_is_cut(void **state)
{
    const struct ends *ends = *state;
    struct packet_received received;
    char bytes[1025] = {0};
    const int before = open_descriptors();

    send_raw(ends, bytes, 1024, 0);
    assert_int_equal(receive(ends, &received), 0);
    send_raw(ends, bytes, 1025, 2);
    assert_int_equal(receive(ends, &received), PACKET_CUT);
    assert_int_equal(received.descriptor_count, 2);
    packet_received_close(&received);
    assert_int_equal(open_descriptors(), before);
}

static void more_descriptors_than_allowed_are_all_there_to_be_closed(void **state)
{
    const struct ends *ends = *state;
    struct packet_received received;
    const int before = open_descriptors();

    for (size_t count = PACKET_DESCRIPTORS_MAX + 1; count <= 16; count++) {
        send_raw(ends, "bytes", 5, count);
        assert_int_equal(receive(ends, &received), PACKET_CUT);
        assert_int_equal(received.descriptor_count, count);
        packet_received_close(&received);
        assert_int_equal(open_descriptors(), before);
    }
}

static void empty_packet_is_told_from_the_end(void **state)
{
    struct ends *ends = *state;
    struct packet_received received;
    const int before = open_descriptors();

    assert_int_equal(receive(ends, &received), -EAGAIN);
    send_raw(ends, "", 0, 2);
    assert_int_equal(receive(ends, &received), PACKET_EMPTY);
    packet_received_close(&received);
    assert_int_equal(open_descriptors(), before);
    close(ends->sender);
    ends->sender = -1;
    assert_int_equal(receive(ends, &received), PACKET_END);
}

static void peer_that_is_gone_or_does_not_read_is_an_error(void **state)
{
    struct ends *ends = *state;
    static char body[1000];
    const char header[PACKET_HEADER_SIZE] = {0};
    int error = 0;

    for (int i = 0; i < 10000 && error == 0; i++)
        error = packet_send(ends->sender, header, body, sizeof(body), NULL, 0);
    assert_int_equal(error, -EAGAIN);
    shutdown(ends->receiver, SHUT_RDWR);
    assert_int_equal(packet_send(ends->sender, header, body, sizeof(body), NULL, 0), -EPIPE);
    assert_int_equal(
        packet_send(ends->sender, header, body, sizeof(body), NULL, PACKET_DESCRIPTORS_MAX + 1),
        -EINVAL);
}

static void what_was_not_received_is_told_from_nothing_when_it_is_shut_down(void **state)
{
    struct ends *ends = *state;
    const char *const sent[] = {NULL, "bytes", "", "descriptors"};

    for (size_t i = 0; i < sizeof(sent) / sizeof(*sent); i++) {
        int sockets[2];
        assert_int_equal(packet_socket_pair(sockets), 0);
        const struct ends these = {.sender = sockets[0], .receiver = sockets[1]};
        if (sent[i])
            send_raw(&these, sent[i], strlen(sent[i]), i == 3 ? 2 : 0);
        assert_int_equal(packet_socket_shut_down(these.receiver), !sent[i]);
        char none;
        assert_int_equal(recv(these.sender, &none, 1, MSG_DONTWAIT), 0); /* the end */
        assert_int_equal(send(these.sender, "x", 1, MSG_NOSIGNAL), -1);
        close(these.sender);
        close(these.receiver);
    }
    close(ends->sender);
    ends->sender = -1;
    assert_true(packet_socket_shut_down(ends->receiver));
}

/* The kernel says ECONNRESET then, before what was sent. */
static void what_a_peer_sent_that_went_with_something_unread_is_there(void **state)
{
    struct ends *ends = *state;

    assert_int_equal(send(ends->receiver, "an answer", 9, 0), 9);
    send_raw(ends, "descriptors", 11, 2);
    close(ends->sender);
    ends->sender = -1;
    assert_false(packet_socket_shut_down(ends->receiver));
}

static void peer_that_went_with_something_unread_may_have_sent_nothing(void **state)
{
    struct ends *ends = *state;

    assert_int_equal(send(ends->receiver, "an answer", 9, 0), 9);
    close(ends->sender);
    ends->sender = -1;
    assert_true(packet_socket_shut_down(ends->receiver));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_ends, close_ends)
    const struct CMUnitTest tests[] = {
        TEST(packet_comes_whole_with_descriptors_and_sender),
        TEST(packet_longer_than_the_buffer_is_cut),
        TEST(more_descriptors_than_allowed_are_all_there_to_be_closed),
        TEST(what_was_not_received_is_told_from_nothing_when_it_is_shut_down),
        TEST(what_a_peer_sent_that_went_with_something_unread_is_there),
        TEST(peer_that_went_with_something_unread_may_have_sent_nothing),
        TEST(empty_packet_is_told_from_the_end),
        TEST(peer_that_is_gone_or_does_not_read_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
