// Landlock: a second wall over the mounts and the network namespace, told as rules by the launcher.
//
// Applied after the mounts are final (a confined process cannot mount) with the payload's own ids. A right that the
// kernel does not know fails the start: the launcher asks for those of the kernel's version only.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// linux/landlock.h as of Linux 6.15; the headers of a build host are often older.
struct ruleset {
    uint64_t files, ports, scoped;
};
struct file_rule {
    uint64_t rights;
    int32_t parent;
} __attribute__((packed));
struct port_rule {
    uint64_t rights, port;
};
enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };
// execute, write, read, truncate, ioctl on devices: what a rule about a single file may grant
enum { RIGHTS_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15 };

// A place that does not exist, or is a link by now, gets no rule, and so no right.
static int allow_beneath(int rules, const struct landlock_rule *rule) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int place = (int)syscall(SYS_openat2, AT_FDCWD, rule->path, &how, sizeof how);
    if (place < 0) return errno == ENOENT || errno == ELOOP ? 0 : explain(-errno, "open %s", rule->path);
    struct stat info;
    struct file_rule file = {.rights = rule->rights, .parent = place};
    int code = fstat(place, &info) == 0 ? 0 : explain(-errno, "look at %s", rule->path);
    if (code == 0 && !S_ISDIR(info.st_mode)) file.rights &= RIGHTS_OF_FILES;
    if (code == 0 && syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &file, 0) != 0)
        code = explain(-errno, "rule for %s", rule->path);
    close(place);
    return code;
}

static int allow_port(int rules, const struct landlock_rule *rule) {
    struct port_rule port = {.rights = rule->rights, .port = rule->port};
    return syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &port, 0) == 0
               ? 0 : explain(-errno, "rule for port %u", rule->port);
}

int restrict_files(struct start *start) {
    const struct options *o = &start->options;
    if (!o->landlock) return 0;
    struct ruleset handled = {o->landlock_files, o->landlock_ports, o->landlock_scoped};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0) return explain(-errno, "landlock_create_ruleset");
    int code = 0;
    for (int i = 0; i < o->landlock_rule_count && code == 0; i++) {
        const struct landlock_rule *rule = &o->landlock_rules[i];
        code = rule->path != NULL ? allow_beneath(rules, rule) : allow_port(rules, rule);
    }
    if (code == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        code = explain(-errno, "landlock_restrict_self");
    close(rules);
    return code;
}
