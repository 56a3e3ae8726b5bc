// The option list: names and operands, each ended by NUL, every name with a fixed number of operands.
// Anything unknown, missing, repeated past its room or out of range fails the start.
#include "shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { MAX_LIST = 8 << 20, MAX_STRINGS = 65536 };

struct reader {
    const char *next, *end;
};

static const char *take(struct reader *reader) {
    if (reader->next == reader->end) return NULL;
    const char *text = reader->next;
    reader->next += strlen(text) + 1;  // the list ends with NUL, so this stays inside
    return text;
}

static bool number(const char *text, int base, uint64_t low, uint64_t high, uint64_t *value) {
    if (text == NULL || text[0] < '0' || text[0] > '9') return false;
    char *end;
    errno = 0;
    unsigned long long parsed = strtoull(text, &end, base);
    if (errno != 0 || *end != '\0' || parsed < low || parsed > high) return false;
    *value = parsed;
    return true;
}

static bool descriptor(const struct options *o, const char *text, int *value) {
    uint64_t parsed;
    if (!number(text, 10, FD_FIRST_EXTRA, (uint64_t)o->descriptors - 1, &parsed)) return false;
    *value = (int)parsed;
    return true;
}

static bool path(const char *text, const char **value) {
    if (text == NULL || text[0] != '/') return false;
    *value = text;
    return true;
}

static bool add_path(const char *text, const char **list, int *count, int room) {
    return *count < room && path(text, &list[(*count)++]);
}

static bool add_bind(struct options *o, struct reader *reader, bool direct) {
    if (o->bind_count == MAX_BINDS) return false;
    struct bind *bind = &o->binds[o->bind_count++];
    const char *mode = take(reader), *uid = take(reader), *gid = take(reader);
    if (mode == NULL || uid == NULL || gid == NULL) return false;
    bind->writable = strcmp(mode, "rw") == 0;
    if (!bind->writable && strcmp(mode, "ro") != 0) return false;
    bind->direct = direct;
    bind->mapped = strcmp(uid, "-") != 0;
    uint64_t u = 0, g = 0;
    if (bind->mapped && !(number(uid, 10, 0, UINT32_MAX - 1, &u) && number(gid, 10, 0, UINT32_MAX - 1, &g)))
        return false;
    bind->uid = (uint32_t)u;
    bind->gid = (uint32_t)g;
    bind->tree = -1;
    return path(take(reader), &bind->source) && path(take(reader), &bind->target);
}

static bool add_tmpfs(struct options *o, struct reader *reader) {
    if (o->tmpfs_count == MAX_TMPFS) return false;
    struct tmpfs *tmpfs = &o->tmpfs[o->tmpfs_count++];
    uint64_t ignored;
    if (!path(take(reader), &tmpfs->target)) return false;
    tmpfs->bytes = take(reader);
    tmpfs->inodes = take(reader);
    tmpfs->mode = take(reader);
    const char *owner = take(reader);
    if (!number(tmpfs->bytes, 10, 1, INT64_MAX, &ignored) || !number(tmpfs->inodes, 10, 1, INT64_MAX, &ignored) ||
        !number(tmpfs->mode, 8, 0, 01777, &ignored))
        return false;
    tmpfs->payload_owned = owner != NULL && strcmp(owner, "payload") == 0;
    return tmpfs->payload_owned || (owner != NULL && strcmp(owner, "root") == 0);
}

static bool add_rlimit(struct options *o, struct reader *reader) {
    static const struct { const char *name; int resource; } names[] = {
        {"core", RLIMIT_CORE}, {"nofile", RLIMIT_NOFILE}, {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK},
        {"nice", RLIMIT_NICE}, {"rtprio", RLIMIT_RTPRIO}, {"nproc", RLIMIT_NPROC}, {"msgqueue", RLIMIT_MSGQUEUE},
        {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK},
    };
    const char *name = take(reader);
    if (name == NULL || o->rlimit_count == MAX_RLIMITS) return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i].name) != 0) continue;
        struct rlimit_option *limit = &o->rlimits[o->rlimit_count++];
        limit->resource = names[i].resource;
        return number(take(reader), 10, 0, INT64_MAX, &limit->value);
    }
    return false;
}

static bool add_landlock(struct options *o, struct reader *reader) {
    if (o->landlock) return false;
    o->landlock = true;
    return number(take(reader), 10, 0, UINT32_MAX, &o->landlock_files) &&
           number(take(reader), 10, 0, UINT32_MAX, &o->landlock_ports) &&
           number(take(reader), 10, 0, UINT32_MAX, &o->landlock_scoped);
}

static bool add_rule(struct options *o, struct reader *reader, bool is_port) {
    if (o->landlock_rule_count == MAX_RULES) return false;
    struct landlock_rule *rule = &o->landlock_rules[o->landlock_rule_count++];
    const char *what = take(reader);
    uint64_t port = 0;
    if (is_port ? !number(what, 10, 0, 65535, &port) : !path(what, &rule->path)) return false;
    rule->port = (uint32_t)port;
    return number(take(reader), 10, 1, UINT32_MAX, &rule->rights);
}

static bool add_namespaces(struct options *o, struct reader *reader) {
    o->enter = true;
    for (int i = 0; i < NAMESPACES; i++)
        if (!descriptor(o, take(reader), &o->namespaces[i])) return false;
    return true;
}

static bool text(struct reader *reader, const char **value) { return (*value = take(reader)) != NULL; }

static bool add_string(struct reader *reader, char **list, int *count) {
    const char *value = take(reader);
    list[*count] = (char *)value;  // never written through
    return value != NULL && ++*count < MAX_STRINGS;
}

static bool parse_one(struct options *o, const char *name, struct reader *r, int *arguments, int *environment) {
    uint64_t n = 0;
#define IS(word) (strcmp(name, word) == 0)
    if (IS("argument")) return add_string(r, o->arguments, arguments);
    if (IS("environment")) return add_string(r, o->environment, environment);
    if (IS("bind")) return add_bind(o, r, false);
    if (IS("direct-bind")) return add_bind(o, r, true);
    if (IS("mask")) return add_path(take(r), o->masks, &o->mask_count, MAX_PATHS);
    if (IS("readonly")) return add_path(take(r), o->readonly, &o->readonly_count, MAX_PATHS);
    if (IS("device")) return add_path(take(r), o->devices, &o->device_count, MAX_DEVICES);
    if (IS("tmpfs")) return add_tmpfs(o, r);
    if (IS("rlimit")) return add_rlimit(o, r);
    if (IS("enter")) return add_namespaces(o, r);
    if (IS("landlock")) return add_landlock(o, r);
    if (IS("beneath")) return add_rule(o, r, false);
    if (IS("port")) return add_rule(o, r, true);
    if (IS("image")) return path(take(r), &o->image);
    if (IS("stage")) return path(take(r), &o->stage);
    if (IS("directory")) return path(take(r), &o->directory);
    if (IS("hostname")) return text(r, &o->hostname);
    if (IS("overlay"))
        return text(r, &o->overlay_bytes) && number(o->overlay_bytes, 10, 1, INT64_MAX, &n) &&
               text(r, &o->overlay_inodes) && number(o->overlay_inodes, 10, 1, INT64_MAX, &n);
    if (IS("oom-score")) return text(r, &o->oom_score) && number(o->oom_score, 10, 0, 1000, &n);
    if (IS("cgroup2")) return descriptor(o, take(r), &o->cgroup2);
    if (IS("cgroup"))
        return o->cgroup_count < MAX_CGROUPS && descriptor(o, take(r), &o->cgroups[o->cgroup_count++]);
    if (IS("filter")) return descriptor(o, take(r), &o->filter);
    if (IS("notify")) return o->notify = true;
    if (IS("rootless")) return o->rootless = true;
    if (IS("range")) {
        // Host ids below 65536 belong to real accounts, 0 among them.
        if (!number(take(r), 10, RANGE_SIZE, UINT32_MAX - RANGE_SIZE, &n)) return false;
        o->range = (uint32_t)n;
        return true;
    }
    if (IS("listen")) {
        if (!number(take(r), 10, 1, 65535, &n)) return false;
        o->listen_port = (int)n;
        return true;
    }
    if (IS("umask")) {
        if (!number(take(r), 8, 0, 0777, &n)) return false;
        o->umask = (mode_t)n;
        return true;
    }
#undef IS
    return false;
}

int read_options(struct start *start) {
    struct options *o = &start->options;
    *o = (struct options){.cgroup2 = -1, .filter = -1, .umask = 022};
    start->image = start->root = start->sync = -1;
    struct stat info;
    if (fstat(FD_OPTIONS, &info) != 0) return explain(-errno, "descriptor %d", FD_OPTIONS);
    if (info.st_size < 1 || info.st_size > MAX_LIST)
        return explain(-EINVAL, "list of %lld bytes", (long long)info.st_size);
    const char *list = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, FD_OPTIONS, 0);
    if (list == MAP_FAILED) return explain(-errno, "map the list");
    struct reader reader = {list, list + info.st_size};
    if (reader.end[-1] != '\0') return explain(-EINVAL, "list without an end");
    o->arguments = calloc(MAX_STRINGS + 1, sizeof(char *));  // untouched pages cost nothing
    o->environment = calloc(MAX_STRINGS + 1, sizeof(char *));
    if (o->arguments == NULL || o->environment == NULL) return -ENOMEM;

    uint64_t count;
    const char *name = take(&reader);
    if (strcmp(name, "descriptors") != 0 || !number(take(&reader), 10, FD_FIRST_EXTRA, 64, &count))
        return explain(-EINVAL, "descriptors must come first");
    o->descriptors = (int)count;
    int arguments = 0, environment = 0;
    while ((name = take(&reader)) != NULL)
        if (!parse_one(o, name, &reader, &arguments, &environment)) return explain(-EINVAL, "option %.64s", name);
    if (o->rootless == (o->range != 0)) return explain(-EINVAL, "either rootless or range is needed");
    bool is_root_described =
        o->image != NULL && o->overlay_bytes != NULL && o->stage != NULL && o->hostname != NULL;
    if (is_root_described == o->enter || o->directory == NULL || o->filter < 0 || arguments == 0)
        return explain(-EINVAL, "an option is missing");
    return 0;
}
