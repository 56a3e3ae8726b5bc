// Open descriptors: nothing but what the launcher named comes in, and single ones are passed on unix sockets.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int close_inherited(struct start *start) {
    if (close_range((unsigned)start->options.descriptors, ~0u, 0) != 0) return explain(-errno, "close_range");
    close(FD_OPTIONS);
    for (int i = FD_STATUS; i < start->options.descriptors; i++)
        if (fcntl(i, F_SETFD, FD_CLOEXEC) != 0) return explain(-errno, "descriptor %d", i);
    return 0;
}

int send_descriptor(char tag, int descriptor, int channel) { return send_descriptors(tag, &descriptor, 1, channel); }

int send_descriptors(char tag, const int *list, int count, int channel) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(NAMESPACES * sizeof(int))];
    } control = {0};
    size_t size = (size_t)count * sizeof(int);
    struct iovec data = {&tag, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = CMSG_SPACE(size)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), list, size);
    return sendmsg(channel, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int receive_descriptor(int channel, int *descriptor) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    char tag;
    struct iovec data = {&tag, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    if (length < 0) return -errno;
    struct cmsghdr *header = length == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header == NULL || header->cmsg_type != SCM_RIGHTS) return -ECANCELED;
    memcpy(descriptor, CMSG_DATA(header), sizeof(int));
    return 0;
}
