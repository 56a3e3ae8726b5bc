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

// Moves the detached mount onto `path` inside.
static int attach(struct start *start, int tree, const char *path, bool directory) {
    int place = mount_point(start->root, path, directory);
    if (place < 0) return explain(place, "mount point %s", path);
    int code = move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0
                   ? 0 : explain(-errno, "mount on %s", path);
    close(place);
    return code;
}

// Mounts on a place that was walked to, by its descriptor. The one call of mount(2) takes half the time of the
// separate calls that make, configure and attach a detached mount.
static int mount_at(int place, const char *source, const char *type, unsigned long flags, const char *data) {
    char target[32];
    snprintf(target, sizeof target, "/proc/self/fd/%d", place);
    return mount(source, target, type, flags, data) == 0 ? 0 : -errno;
}

// A fresh mount on `path` inside.
static int mount_fresh(struct start *start, const char *type, const char *path, unsigned long flags, const char *data) {
    int place = mount_point(start->root, path, true);
    if (place < 0) return explain(place, "mount point %s", path);
    int code = mount_at(place, type, type, flags, data);
    close(place);
    return code == 0 ? 0 : explain(code, "mount %s on %s", type, path);
}

// Two nothings to cover things with: read-only, so that every bind of them is.
static int make_nothings(void) {
    if (mkdirat(base, "nothing", 0755) != 0 || mkdirat(base, "nothing/directory", 0) != 0 ||
        mknodat(base, "nothing/file", S_IFREG, 0) != 0)
        return explain(-errno, "make the empty file and directory");
    if (mount("nothing", "nothing", NULL, MS_BIND, NULL) != 0) return explain(-errno, "bind the empty directory");
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
    return mount_setattr(AT_FDCWD, "nothing", 0, &attributes, sizeof attributes) == 0
               ? 0 : explain(-errno, "make the empty directory read-only");
}

int make_root(struct start *start) {
    const struct options *o = &start->options;
    char data[96];
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return explain(-errno, "make mounts private");
    snprintf(data, sizeof data, "mode=0755,size=%s,nr_inodes=%s", o->overlay_bytes, o->overlay_inodes);
    if (mount("tmpfs", o->stage, "tmpfs", MS_NOSUID | MS_NODEV, data) != 0)
        return explain(-errno, "mount on %s", o->stage);
    base = open(o->stage, O_PATH | O_DIRECTORY | O_CLOEXEC);
    // The layers are named by relative paths: nothing in the host's names has to be escaped.
    if (base < 0 || fchdir(base) != 0) return explain(-errno, "enter %s", o->stage);
    static const char *const directories[] = {"lower", "upper", "work", "root"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
        if (mkdirat(base, directories[i], 0755) != 0) return explain(-errno, "mkdir %s", directories[i]);
    if (move_mount(start->image, "", base, "lower", MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return explain(-errno, "attach the image");
    close(start->image);
    if (mount("overlay", "root", "overlay", MS_NOSUID | MS_NODEV,
              "userxattr,lowerdir=lower,upperdir=upper,workdir=work") != 0)
        return explain(-errno, "mount the overlay");
    start->root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (start->root < 0) return explain(-errno, "open the overlay");
    return make_nothings();
}

// Processes the reader may not trace are not listed: pid 1, and a command that an operator runs in here.
int mount_proc(struct start *start) {
    return mount_fresh(start, "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2");
}

// Nodes cannot be made in a user namespace: the host's are bound, over empty files of a tmpfs of our own.
static int bind_device(int directory, const char *path) {
    const char *name = strrchr(path, '/') + 1;
    if (mknodat(directory, name, S_IFREG, 0) != 0) return explain(-errno, "create %s", path);
    int place = walk(directory, name, O_PATH);
    if (place < 0) return explain(place, "open %s", path);
    int code = mount_at(place, path, NULL, MS_BIND, NULL);
    close(place);
    return code == 0 ? 0 : explain(code, "bind %s", path);
}

int mount_devices(struct start *start) {
    int code = mount_fresh(start, "tmpfs", "/dev", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=0755,size=64k,nr_inodes=64");
    if (code != 0) return code;
    int directory = walk(start->root, "/dev", O_PATH | O_DIRECTORY);
    if (directory < 0) return explain(directory, "open /dev");
    static const char *const links[][2] = {
        {"/proc/self/fd", "fd"}, {"fd/0", "stdin"}, {"fd/1", "stdout"}, {"fd/2", "stderr"},
        {"pts/ptmx", "ptmx"}};
    for (size_t i = 0; i < 5 && code == 0; i++)
        if (symlinkat(links[i][0], directory, links[i][1]) != 0) code = explain(-errno, "link /dev/%s", links[i][1]);
    if (code == 0 && (mkdirat(directory, "shm", 0755) != 0 || mkdirat(directory, "pts", 0755) != 0))
        code = explain(-errno, "mkdir /dev/shm and /dev/pts");
    for (int i = 0; i < start->options.device_count && code == 0; i++)
        code = bind_device(directory, start->options.devices[i]);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (code == 0 && mount_setattr(directory, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        code = explain(-errno, "make /dev read-only");
    close(directory);
    return code;
}

// Terminals of the sandbox's own: what is typed into one of them comes from inside. There is none of the host's.
int mount_terminals(struct start *start) {
    return mount_fresh(start, "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
                       "newinstance,ptmxmode=0666,mode=0600,max=64");
}

int mount_tmpfs_list(struct start *start) {
    for (int i = 0; i < start->options.tmpfs_count; i++) {
        const struct tmpfs *t = &start->options.tmpfs[i];
        char data[128];
        int length = snprintf(data, sizeof data, "mode=%s,size=%s,nr_inodes=%s", t->mode, t->bytes, t->inodes);
        if (t->payload_owned)
            snprintf(data + length, sizeof data - (size_t)length, ",uid=%d,gid=%d", PAYLOAD_ID, PAYLOAD_ID);
        int code = mount_fresh(start, "tmpfs", t->target, MS_NOSUID | MS_NODEV, data);
        if (code != 0) return code;
    }
    return 0;
}

int mount_binds(struct start *start) {
    for (int i = 0; i < start->options.bind_count; i++) {
        struct bind *bind = &start->options.binds[i];
        int received = start->options.rootless ? 0 : receive_descriptor(start->sync, &bind->tree);
        if (received != 0) return explain(received, "the shim outside gave up");
        struct stat info;
        if (fstat(bind->tree, &info) != 0) return explain(-errno, "look at %s", bind->source);
        int code = attach(start, bind->tree, bind->target, S_ISDIR(info.st_mode));
        close(bind->tree);
        if (code != 0) return code;
    }
    return 0;
}

static int make_readonly(struct start *start, const char *path) {
    int place = walk(start->root, path, O_PATH);
    if (place < 0) return explain(place, "open %s", path);
    char source[32];
    snprintf(source, sizeof source, "/proc/self/fd/%d", place);
    int code = mount_at(place, source, NULL, MS_BIND, NULL);
    close(place);
    if (code != 0) return explain(code, "bind %s", path);
    if ((place = walk(start->root, path, O_PATH)) < 0) return explain(place, "open %s", path);
    struct mount_attr attributes = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
    if (mount_setattr(place, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0)
        code = explain(-errno, "make %s read-only", path);
    close(place);
    return code;
}

// Masks come from our own empty file and directory, never from a file of the image.
static int mask(struct start *start, const char *path) {
    int place = walk(start->root, path, O_PATH);
    if (place == -ENOENT) return 0;  // this kernel does not have it
    if (place < 0) return explain(place, "open %s", path);
    struct stat info;
    int code = fstat(place, &info) == 0 ? 0 : -errno;
    const char *nothing = S_ISDIR(info.st_mode) ? "nothing/directory" : "nothing/file";
    if (code == 0) code = mount_at(place, nothing, NULL, MS_BIND, NULL);
    close(place);
    return code == 0 ? 0 : explain(code, "mask %s", path);
}

int mask_paths(struct start *start) {
    const struct options *o = &start->options;
    int code = 0;
    for (int i = 0; i < o->readonly_count && code == 0; i++) code = make_readonly(start, o->readonly[i]);
    for (int i = 0; i < o->mask_count && code == 0; i++) code = mask(start, o->masks[i]);
    return code;
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
