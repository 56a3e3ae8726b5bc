// Namespaces and their id maps.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return explain(-errno, "open %s", path);
    ssize_t length = write(file, text, strlen(text));
    int code = length == (ssize_t)strlen(text) ? 0 : explain(-errno, "write %s to %s", text, path);
    close(file);
    return code;
}

// The child becomes a child of the launcher, not of this process: the shim outside can end at once, and no
// privileged process stays behind for the life of the sandbox.
int clone_namespaces(struct start *start) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return explain(-errno, "socketpair");
    // Inside, ids read as the overflow id until they are mapped.
    start->caller_uid = geteuid();
    start->caller_gid = getegid();
    struct clone_args arguments = {
        .flags = CLONE_PARENT | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
                 CLONE_NEWUTS | CLONE_NEWCGROUP,
    };
    if (start->options.cgroup2 >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)start->options.cgroup2;
    }
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid < 0) return explain(-errno, "clone3");
    start->init = (pid_t)pid;
    start->sync = ends[pid == 0];
    close(ends[pid != 0]);
    if (pid > 0) report("{\"event\":\"born\",\"pid\":%ld}", pid);
    return 0;
}

static const struct { const char *name; int type; } namespaces[NAMESPACES] = {
    {"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC},
    {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}, {"pid", CLONE_NEWPID},
};

// The launcher gets the way in by descriptors: once pid 1 is undumpable, nobody without privileges of the host can
// open its /proc/PID/ns. Nothing inside keeps them.
int send_namespaces(struct start *start) {
    (void)start;
    int list[NAMESPACES], count = 0, code = 0;
    for (char path[32]; count < NAMESPACES && code == 0; count += code == 0) {
        snprintf(path, sizeof path, "/proc/self/ns/%s", namespaces[count].name);
        if ((list[count] = open(path, O_RDONLY | O_CLOEXEC)) < 0) code = explain(-errno, "open %s", path);
    }
    if (code == 0 && (code = send_descriptors('S', list, count, FD_CHANNEL)) != 0) explain(code, "send namespaces");
    while (count > 0) close(list[--count]);
    return code;
}

static int join(struct start *start, int index) {
    return syscall(SYS_setns, start->options.namespaces[index], namespaces[index].type) == 0
               ? 0 : explain(-errno, "%s namespace", namespaces[index].name);
}

// From here on there are privileges over the sandbox alone.
int join_user_namespace(struct start *start) { return join(start, 0); }

// The pid namespace, which is the last, holds for children only: this process never shows up inside.
int join_namespaces(struct start *start) {
    int code = 0;
    for (int i = 1; i < NAMESPACES && code == 0; i++) code = join(start, i);
    return code;
}

int write_id_maps(struct start *start) {
    if (start->options.rootless) return 0;
    char path[64], map[64];
    snprintf(map, sizeof map, "0 %u %d", start->options.range, RANGE_SIZE);
    snprintf(path, sizeof path, "/proc/%d/uid_map", start->init);
    int code = write_file(path, map);
    if (code != 0) return code;
    snprintf(path, sizeof path, "/proc/%d/gid_map", start->init);
    return write_file(path, map);
}

// The image is shown with the sandbox's own map (its root is the sandbox's root), which exists only now.
int send_image(struct start *start) {
    if (start->options.rootless) return 0;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", start->init);
    int user_namespace = open(path, O_RDONLY | O_CLOEXEC);
    if (user_namespace < 0) return explain(-errno, "open %s", path);
    int code = open_image(start, user_namespace);
    close(user_namespace);
    if (code != 0) return code;
    return (code = send_descriptor('I', start->image, start->sync)) == 0 ? 0 : explain(code, "send the image");
}

// Rootless: the one id, mapped by the child itself; supplementary groups can then neither be dropped nor changed.
int map_own_id(struct start *start) {
    if (!start->options.rootless) return 0;
    char map[64];
    int code = write_file("/proc/self/setgroups", "deny");
    if (code != 0) return code;
    snprintf(map, sizeof map, "%d %u 1", PAYLOAD_ID, start->caller_uid);
    if ((code = write_file("/proc/self/uid_map", map)) != 0) return code;
    snprintf(map, sizeof map, "%d %u 1", PAYLOAD_ID, start->caller_gid);
    return write_file("/proc/self/gid_map", map);
}

int await_id_maps(struct start *start) {
    if (start->options.rootless) return 0;
    int code = receive_descriptor(start->sync, &start->image);
    return code == 0 ? 0 : explain(code, "the shim outside gave up");
}

int become_namespace_root(struct start *start) {
    umask(0);
    if (start->options.rootless) return 0;
    if (syscall(SYS_setgroups, 0, NULL) != 0) return explain(-errno, "setgroups");
    if (syscall(SYS_setresgid, 0, 0, 0) != 0) return explain(-errno, "setresgid");
    if (syscall(SYS_setresuid, 0, 0, 0) != 0) return explain(-errno, "setresuid");
    return 0;
}
