// The new root: overlay over the image, proc, devices, tmpfs, binds, masks; then the old root goes.
//
// Everything is mounted through descriptors, and every path inside is walked without following a link, so an image
// cannot send a mount elsewhere.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int base = -1;  // tmpfs behind the overlay; not reachable any more after the pivot

static int walk(int root, const char *path, uint64_t flags) {
    struct open_how how = {
        .flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int place = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    return place >= 0 ? place : -errno;
}

// The mount point `path` inside, made when missing: a directory, or an empty file.
static int mount_point(int root, const char *path, bool directory) {
    int place = walk(root, path, O_PATH);
    if (place != -ENOENT) return place;
    char partial[4096];
    size_t length = strlen(path);
    if (length >= sizeof partial) return -ENAMETOOLONG;
    memcpy(partial, path, length + 1);
    for (char *slash = strchr(partial + 1, '/');; slash = strchr(slash + 1, '/')) {
        bool last = slash == NULL;
        if (!last) *slash = '\0';
        char *name = strrchr(partial, '/');
        *name = '\0';
        int parent = walk(root, partial[0] == '\0' ? "/" : partial, O_PATH | O_DIRECTORY);
        *name = '/';
        if (parent < 0) return parent;
        int code = last && !directory ? mknodat(parent, name + 1, S_IFREG | 0444, 0) : mkdirat(parent, name + 1, 0755);
        code = code == 0 || errno == EEXIST ? 0 : -errno;
        close(parent);
        if (code != 0) return code;
        if (last) return walk(root, path, O_PATH);
        *slash = '/';
    }
}

// Moves the detached mount onto `path` inside; both descriptors' fate: `tree` stays open.
static int attach(struct start *start, int tree, const char *path, bool directory) {
    int place = mount_point(start->root, path, directory);
    if (place < 0) return explain(place, "mount point %s", path);
    int code = move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0
                   ? 0 : explain(-errno, "mount on %s", path);
    close(place);
    return code;
}

struct setting {
    const char *key, *value;  // no value: a flag
};

// A fresh mount of `type`, detached.
static int new_mount(const char *type, const struct setting *settings, size_t count, unsigned attributes) {
    int context = fsopen(type, FSOPEN_CLOEXEC);
    if (context < 0) return explain(-errno, "file system %s", type);
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        unsigned command = settings[i].value != NULL ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
        if (fsconfig(context, command, settings[i].key, settings[i].value, 0) != 0)
            code = explain(-errno, "%s option %s", type, settings[i].key);
    }
    if (code == 0 && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
        code = explain(-errno, "create %s", type);
    if (code == 0 && (code = fsmount(context, FSMOUNT_CLOEXEC, attributes)) < 0)
        code = explain(-errno, "mount %s", type);
    close(context);
    return code;
}

static int new_tmpfs(const char *bytes, const char *mode, bool payload_owned, unsigned attributes) {
    static char id[16];
    snprintf(id, sizeof id, "%d", PAYLOAD_ID);
    struct setting settings[] = {{"size", bytes}, {"mode", mode}, {"uid", id}, {"gid", id}};
    return new_mount("tmpfs", settings, payload_owned ? 4 : 2, attributes | MOUNT_ATTR_NOSUID);
}

int make_root(struct start *start) {
    const struct options *o = &start->options;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return explain(-errno, "make mounts private");
    base = new_tmpfs(o->overlay_bytes, "0755", false, MOUNT_ATTR_NODEV);
    if (base < 0) return base;
    if (move_mount(base, "", AT_FDCWD, o->stage, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return explain(-errno, "mount on %s", o->stage);
    static const char *const directories[] = {"lower", "upper", "work", "root", "empty"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        if (mkdirat(base, directories[i], i < 4 ? 0755 : 0) != 0) return explain(-errno, "mkdir %s", directories[i]);
    if (mknodat(base, "nothing", S_IFREG, 0) != 0) return explain(-errno, "create the empty file");
    if (move_mount(start->image, "", base, "lower", MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return explain(-errno, "attach the image");
    close(start->image);
    // Layers are named by relative paths: nothing in the host's names has to be escaped.
    if (fchdir(base) != 0) return explain(-errno, "enter the stage");
    static const struct setting layers[] = {
        {"userxattr", NULL}, {"lowerdir", "lower"}, {"upperdir", "upper"}, {"workdir", "work"}};
    start->root = new_mount("overlay", layers, 4, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (start->root < 0) return start->root;
    if (move_mount(start->root, "", base, "root", MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return explain(-errno, "attach the overlay");
    return 0;
}

int mount_proc(struct start *start) {
    int tree = new_mount("proc", NULL, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    if (tree < 0) return tree;
    int code = attach(start, tree, "/proc", true);
    close(tree);
    return code;
}

static int bind_device(struct start *start, const char *path) {
    int tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    if (tree < 0) return explain(-errno, "copy the mount of %s", path);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
    int code = mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0
                   ? attach(start, tree, path, false) : explain(-errno, "attributes of %s", path);
    close(tree);
    return code;
}

int mount_devices(struct start *start) {
    int tree = new_tmpfs("65536", "0755", false, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV);
    if (tree < 0) return tree;
    static const char *const links[][2] = {
        {"/proc/self/fd", "fd"}, {"fd/0", "stdin"}, {"fd/1", "stdout"}, {"fd/2", "stderr"}};
    int code = 0;
    for (size_t i = 0; i < 4 && code == 0; i++)
        if (symlinkat(links[i][0], tree, links[i][1]) != 0) code = explain(-errno, "link /dev/%s", links[i][1]);
    if (code == 0 && mkdirat(tree, "shm", 0755) != 0) code = explain(-errno, "mkdir /dev/shm");
    if (code == 0) code = attach(start, tree, "/dev", true);
    for (int i = 0; i < start->options.device_count && code == 0; i++)
        code = bind_device(start, start->options.devices[i]);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (code == 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        code = explain(-errno, "make /dev read-only");
    close(tree);
    return code;
}

int mount_tmpfs_list(struct start *start) {
    int code = 0;
    for (int i = 0; i < start->options.tmpfs_count && code == 0; i++) {
        const struct tmpfs *t = &start->options.tmpfs[i];
        int tree = new_tmpfs(t->bytes, t->mode, t->payload_owned, MOUNT_ATTR_NODEV);
        if (tree < 0) return tree;
        code = attach(start, tree, t->target, true);
        close(tree);
    }
    return code;
}

int mount_binds(struct start *start) {
    for (int i = 0; i < start->options.bind_count; i++) {
        const struct bind *bind = &start->options.binds[i];
        struct stat info;
        if (fstat(bind->tree, &info) != 0) return explain(-errno, "look at %s", bind->source);
        int code = attach(start, bind->tree, bind->target, S_ISDIR(info.st_mode));
        close(bind->tree);
        if (code != 0) return code;
    }
    return 0;
}

static int cover(int place, const char *path, int from, const char *name) {
    bool self = name[0] == '\0';
    int tree = open_tree(from, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (self ? AT_EMPTY_PATH | AT_RECURSIVE : 0));
    if (tree < 0) return explain(-errno, "copy the mount for %s", path);
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
    int code = 0;
    if (mount_setattr(tree, "", AT_EMPTY_PATH | (self ? AT_RECURSIVE : 0), &attributes, sizeof attributes) != 0)
        code = explain(-errno, "attributes for %s", path);
    else if (move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        code = explain(-errno, "mount on %s", path);
    close(tree);
    return code;
}

// Masks come from our own empty file and directory, never from a file of the image.
int mask_paths(struct start *start) {
    const struct options *o = &start->options;
    for (int i = 0; i < o->readonly_count + o->mask_count; i++) {
        bool mask = i >= o->readonly_count;
        const char *path = mask ? o->masks[i - o->readonly_count] : o->readonly[i];
        int place = walk(start->root, path, O_PATH);
        if (place == -ENOENT && mask) continue;  // this kernel does not have it
        if (place < 0) return explain(place, "open %s", path);
        struct stat info;
        int code = fstat(place, &info) == 0 ? 0 : explain(-errno, "look at %s", path);
        if (code == 0)
            code = !mask ? cover(place, path, place, "")
                         : cover(place, path, base, S_ISDIR(info.st_mode) ? "empty" : "nothing");
        close(place);
        if (code != 0) return code;
    }
    return 0;
}

int change_root(struct start *start) {
    if (fchdir(start->root) != 0) return explain(-errno, "enter the new root");
    if (syscall(SYS_pivot_root, ".", ".") != 0) return explain(-errno, "pivot_root");
    // The old root now lies over the new one at "."; with it go the stage and every mount of the host.
    if (umount2(".", MNT_DETACH) != 0) return explain(-errno, "detach the old root");
    if (chdir("/") != 0) return explain(-errno, "enter /");
    close(start->root);
    close(base);
    return 0;
}
