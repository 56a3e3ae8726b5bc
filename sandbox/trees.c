// Host files and directories as detached mounts, id-mapped where asked.
//
// As root they are made outside, where their paths can be walked and id maps are allowed; the sandbox only gets the
// descriptors. Rootless they are made inside, before anything covers a path, with the caller's own access rights.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn int pause_forever(void *unused) {
    (void)unused;
    for (;;) pause();
}

static int write_map(pid_t pid, const char *file, uint32_t on_disk, uint32_t shown) {
    char path[64], map[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int length = snprintf(map, sizeof map, "%u %u 1", on_disk, shown);
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    int code = write(descriptor, map, (size_t)length) == length ? 0 : -errno;
    close(descriptor);
    return code;
}

// A user namespace that exists only as a map: its one process does nothing, shares our memory, and is gone again.
static int map_namespace(uint32_t uid, uint32_t gid, uint32_t shown) {
    static char stack[16384] __attribute__((aligned(16)));
    pid_t pid = clone(pause_forever, stack + sizeof stack, CLONE_VM | CLONE_NEWUSER | SIGCHLD, NULL);
    if (pid < 0) return -errno;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
    int code = write_map(pid, "uid_map", uid, shown);
    if (code == 0) code = write_map(pid, "gid_map", gid, shown);
    if (code == 0 && (code = open(path, O_RDONLY | O_CLOEXEC)) < 0) code = -errno;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return code;
}

// The last component may not be a link; the tree is a private copy of one mount, without what is mounted below.
// `direct`: a bind whose path was resolved and allowed by the launcher, and could be exchanged since then; or NULL.
static int open_tree_of(const char *source, const struct bind *direct, uint64_t attributes, int user_namespace) {
    struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    if (direct != NULL) how.resolve |= RESOLVE_NO_SYMLINKS;
    int place = (int)syscall(SYS_openat2, AT_FDCWD, source, &how, sizeof how);
    if (place < 0) return explain(-errno, "open %s", source);
    struct stat info;
    if (fstat(place, &info) != 0 || S_ISLNK(info.st_mode)) {
        close(place);
        return explain(-ELOOP, "open %s", source);
    }
    if (direct != NULL && direct->mapped && (info.st_uid != direct->uid || info.st_gid != direct->gid)) {
        close(place);
        return explain(-ESTALE, "owner of %s", source);
    }
    int tree = open_tree(place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    int code = tree >= 0 ? tree : explain(-errno, "copy the mount of %s", source);
    close(place);
    if (code < 0) return code;
    struct mount_attr attribute = {
        .attr_set = attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, .propagation = MS_PRIVATE};
    if (user_namespace >= 0) {
        attribute.attr_set |= MOUNT_ATTR_IDMAP;
        attribute.userns_fd = (uint64_t)user_namespace;
    }
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &attribute, sizeof attribute) == 0) return tree;
    code = explain(-errno, "%s of %s", user_namespace >= 0 ? "id map" : "attributes", source);
    close(tree);
    return code;
}

int open_image(struct start *start, int user_namespace) {
    start->image = open_tree_of(start->options.image, NULL, MOUNT_ATTR_RDONLY, user_namespace);
    return start->image < 0 ? start->image : 0;
}

static int open_bind(const struct bind *bind, int user_namespace) {
    return open_tree_of(
        bind->source, bind->direct ? bind : NULL, bind->writable ? 0 : MOUNT_ATTR_RDONLY, user_namespace);
}

static int send_tree(struct start *start, struct bind *bind) {
    int code = send_descriptor('B', bind->tree, start->sync);
    close(bind->tree);
    return code == 0 ? 0 : explain(code, "send %s", bind->source);
}

int send_host_trees(struct start *start) {
    struct options *o = &start->options;
    if (o->rootless) return 0;
    int map = -1;
    const struct bind *mapped = NULL;
    for (int i = 0; i < o->bind_count; i++) {
        struct bind *bind = &o->binds[i];
        bool reuse = mapped != NULL && mapped->uid == bind->uid && mapped->gid == bind->gid;
        if (bind->mapped && !reuse) {
            if (map >= 0) close(map);
            if ((map = map_namespace(bind->uid, bind->gid, o->range + PAYLOAD_ID)) < 0)
                return explain(map, "id map for %s", bind->source);
            mapped = bind;
        }
        bind->tree = open_bind(bind, bind->mapped ? map : -1);
        if (bind->tree < 0) return bind->tree;
        int code = send_tree(start, bind);
        if (code != 0) return code;
    }
    return 0;
}

int open_trees_rootless(struct start *start) {
    if (!start->options.rootless) return 0;
    struct options *o = &start->options;
    for (int i = 0; i < o->bind_count; i++) {
        struct bind *bind = &o->binds[i];
        bind->tree = open_bind(bind, -1);
        if (bind->tree < 0) return bind->tree;
    }
    return open_image(start, -1);
}
