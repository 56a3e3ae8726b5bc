// Fuzzes the shim's option parser: the list is a file on descriptor 3, as the launcher passes it. Whatever is in it, the
// parser returns; what it takes meets the promises that the later steps build on.
#include "../../sandbox/shim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int explain(int code, const char *format, ...) {
    (void)format;
    return code;
}

static void require(bool holds) {
    if (!holds) abort();
}

static void check(const struct options *o) {
    require(o->rootless != (o->range != 0));
    require(o->range == 0 || o->range >= RANGE_SIZE);
    require(o->descriptors >= FD_FIRST_EXTRA && o->filter >= FD_FIRST_EXTRA && o->filter < o->descriptors);
    require(o->cgroup2 == -1 || (o->cgroup2 >= FD_FIRST_EXTRA && o->cgroup2 < o->descriptors));
    require(o->directory[0] == '/' && (o->enter || (o->image[0] == '/' && o->stage[0] == '/')));
    for (int i = 0; i < NAMESPACES && o->enter; i++)
        require(o->namespaces[i] >= FD_FIRST_EXTRA && o->namespaces[i] < o->descriptors);
    require(o->arguments[0] != NULL && o->listen_port >= 0 && o->listen_port <= 65535);
    require(o->bind_count <= MAX_BINDS && o->tmpfs_count <= MAX_TMPFS && o->rlimit_count <= MAX_RLIMITS);
    require(o->mask_count <= MAX_PATHS && o->readonly_count <= MAX_PATHS && o->device_count <= MAX_DEVICES);
    require(o->cgroup_count <= MAX_CGROUPS && o->landlock_rule_count <= MAX_RULES);
    for (int i = 0; i < o->landlock_rule_count; i++) {
        const struct landlock_rule *rule = &o->landlock_rules[i];
        require(rule->rights != 0 && rule->port <= 65535 && (rule->path == NULL || rule->path[0] == '/'));
    }
    for (int i = 0; i < o->bind_count; i++) require(o->binds[i].source[0] == '/' && o->binds[i].target[0] == '/');
    for (int i = 0; i < o->tmpfs_count; i++) require(o->tmpfs[i].target[0] == '/');
    for (int i = 0; i < o->mask_count; i++) require(o->masks[i][0] == '/');
    for (char **text = o->arguments; *text != NULL; text++) (void)strlen(*text);
    for (char **text = o->environment; *text != NULL; text++) (void)strlen(*text);
}

// options.c is compiled with mmap named so: a copy of the exact size, whose end the address sanitizer watches.
static void *mapped;
void *fuzz_mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    (void)address, (void)protection, (void)flags;
    mapped = malloc(length);
    if (mapped == NULL || pread(file, mapped, length, offset) != (ssize_t)length) abort();
    return mapped;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    static int file = -1;
    if (file < 0) {
        file = memfd_create("options", 0);
        if (file < 0 || (file != FD_OPTIONS && dup2(file, FD_OPTIONS) != FD_OPTIONS)) abort();
    }
    if (ftruncate(FD_OPTIONS, 0) != 0 || pwrite(FD_OPTIONS, data, size, 0) != (ssize_t)size) abort();
    static struct start start;
    if (read_options(&start) == 0) check(&start.options);
    free(mapped);
    mapped = NULL;
    free(start.options.arguments);
    free(start.options.environment);
    start.options.arguments = start.options.environment = NULL;
    return 0;
}
