#pragma once
// Linux calls Swift cannot reach by itself, for one of two reasons only: the function is variadic or hidden behind
// _GNU_SOURCE (which may not be defined here: the importer's own Glibc module is built without it), or the constant
// is a macro the importer cannot read. Every function of ours starts with `clinux_` and is the bare system call:
// -1 and errno on failure.
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const int clinux_O_PATH = 010000000;
static const int clinux_AT_EMPTY_PATH = 0x1000;

static inline int clinux_pipe2(int descriptors[2], int flags) { return (int)syscall(SYS_pipe2, descriptors, flags); }

static inline int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

static inline int clinux_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, (void *)0, 0);
}

static inline int clinux_memfd_create(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */);
}

// posix_spawn(3): GNU additions.
static const short clinux_POSIX_SPAWN_SETSID = 0x80;
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
static inline int clinux_spawn_close_from(posix_spawn_file_actions_t *actions, int from) {
    return posix_spawn_file_actions_addclosefrom_np(actions, from);
}

// fcntl(2) is variadic.
static inline int clinux_duplicate(int descriptor, int at_least) {
    return fcntl(descriptor, F_DUPFD_CLOEXEC, at_least);
}

static inline int clinux_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

// wait4(2), whose resource usage waitid(3) of the C library leaves out.
static inline pid_t clinux_wait4(pid_t pid, int *status, int options, struct rusage *usage) {
    return (pid_t)syscall(SYS_wait4, pid, status, options, usage);
}

// The seccomp listener's requests are macros built on sizeof, and ioctl(2) is variadic.
static inline int clinux_notify_receive(int listener, struct seccomp_notif *notification) {
    memset(notification, 0, sizeof *notification);
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, notification);
}

// Lets the call fail with `error`. There is no wrapper for letting it go on, on purpose: arguments in memory may have
// changed since they were looked at.
static inline int clinux_notify_refuse(int listener, unsigned long long id, int error) {
    struct seccomp_notif_resp response;
    memset(&response, 0, sizeof response);
    response.id = id;
    response.error = -error;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

// Whether the call `id` still waits for its answer: 0, or -1.
static inline int clinux_notify_is_valid(int listener, unsigned long long id) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

// SECCOMP_IOCTL_NOTIF_SET_FLAGS with SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6: newer than most headers.
static inline int clinux_notify_wake_on_the_same_processor(int listener) {
    return ioctl(listener, _IOW('!', 4, unsigned long long), 1ul);
}

// Receives up to `room` (at most 8) descriptors with one tag (the CMSG macros cannot be imported); more than that are
// closed by the kernel. Returns the tag; 0 at the end; -1 with errno.
static inline int clinux_receive_descriptors(int channel, int *list, int room, int *count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(8 * sizeof(int))];
    } control;
    *count = 0;
    char tag = 0;
    struct iovec data = {&tag, 1};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = CMSG_SPACE((size_t)room * sizeof(int));
    ssize_t length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (length < 0) return -1;
    struct cmsghdr *header = length == 1 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header == NULL || header->cmsg_type != SCM_RIGHTS || header->cmsg_len < CMSG_LEN(sizeof(int))) return 0;
    int received = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (int i = 0; i < received; i++) {
        int descriptor;
        memcpy(&descriptor, CMSG_DATA(header) + (size_t)i * sizeof(int), sizeof descriptor);
        if (i < room) list[(*count)++] = descriptor;
        else close(descriptor);  // the space for one has room for two by alignment
    }
    return tag;
}

// Sends bytes with up to four descriptors beside the first of them; see sendmsg(2), unix(7).
static inline ssize_t clinux_send_with_descriptors(
    int channel, const void *bytes, size_t length, const int *descriptors, int count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec data = {(void *)bytes, length};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    memset(&control, 0, sizeof control);
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (count > 0 && count <= 4) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Receives bytes and up to four descriptors that came with them; the kernel closes what does not fit.
static inline ssize_t clinux_receive_with_descriptors(
    int channel, void *bytes, size_t length, int descriptors[4], int *count) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec data = {bytes, length};
    struct msghdr message;
    memset(&message, 0, sizeof message);
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.space;
    message.msg_controllen = sizeof control.space;
    *count = 0;
    ssize_t received = recvmsg(channel, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (received < 0) return received;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int more = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < more; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            if (*count < 4) descriptors[(*count)++] = descriptor;
            else close(descriptor);
        }
    }
    return received;
}

// accept4(2) and POLLRDHUP are GNU additions.
static const int clinux_POLLRDHUP = 0x2000;
static inline int clinux_accept(int listener) {
    return (int)syscall(SYS_accept4, listener, (void *)0, (void *)0, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

// Who is at the other end of a unix socket (SO_PEERCRED, whose structure needs _GNU_SOURCE).
static inline int clinux_peer(int channel, pid_t *pid, uid_t *uid) {
    struct { pid_t pid; uid_t uid; gid_t gid; } peer;
    socklen_t size = sizeof peer;
    if (getsockopt(channel, SOL_SOCKET, 17 /* SO_PEERCRED */, &peer, &size) != 0) return -1;
    *pid = peer.pid;
    *uid = peer.uid;
    return 0;
}

/// Unmaps the pages of the program's own code that were touched so far; each comes back from the page cache when it is
/// used again. What only the start needs (decoding, compiling filters) then no longer counts as resident.
static inline void clinux_forget_code(void) {
    extern const char __executable_start[], etext[];  // from the linker: headers, constants and code, none of it written
    unsigned long page = 4095;
    unsigned long first = ((unsigned long)__executable_start + page) & ~page, last = (unsigned long)etext & ~page;
    if (last > first) madvise((void *)first, last - first, 4 /* MADV_DONTNEED */);
}

/// Whether the extended attribute `name` of a file is "1".
static inline int clinux_is_marked(const char *path, const char *name) {
    char value[2];
    return getxattr(path, name, value, sizeof value) == 1 && value[0] == '1';
}

// Highest Landlock ABI; -1 without Landlock.
static inline int clinux_landlock_version(void) {
    return (int)syscall(444 /* landlock_create_ruleset */, (void *)0, 0, 1u /* LANDLOCK_CREATE_RULESET_VERSION */);
}

// unshare(2) is hidden. Only the calling thread changes its namespace, and threads made by it later.
static inline int clinux_unshare_mounts(void) { return (int)syscall(SYS_unshare, 0x00020000 /* CLONE_NEWNS */); }

// mount(2); the flags are an enumeration the importer does not see.
static const unsigned long clinux_MS_NOSUID = 2, clinux_MS_NODEV = 4, clinux_MS_NOATIME = 1024;
static const unsigned long clinux_MS_REC = 16384, clinux_MS_SLAVE = 1ul << 19;
static inline int clinux_mount(
    const char *source, const char *target, const char *type, unsigned long flags, const char *options) {
    return (int)syscall(SYS_mount, source, target, type, flags, options);
}

// Loop devices, see loop(4): ioctl(2) is variadic. The device lets go of `file` when its last user does.
static inline int clinux_loop_free(int control) { return ioctl(control, LOOP_CTL_GET_FREE); }
static inline int clinux_loop_attach(int device, int file) {
    struct loop_config config;
    memset(&config, 0, sizeof config);
    config.fd = (unsigned)file;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    return ioctl(device, LOOP_CONFIGURE, &config);
}

// FITRIM of linux/fs.h, which older C libraries cannot include beside sys/mount.h.
static inline int clinux_trim(int directory, unsigned long long least) {
    struct { unsigned long long start, length, least; } range = {0, ~0ull, least};
    return ioctl(directory, _IOWR('X', 121, range), &range);
}

static const int clinux_SEEK_DATA = 3, clinux_SEEK_HOLE = 4;
