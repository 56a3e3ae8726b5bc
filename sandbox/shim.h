// What the parts share: the parsed options, the state of one start, and the face of each part.
//
// Conventions: a step returns 0, or -errno after describing its operands with `explain`; nothing is retried and
// nothing continues past a failed step. One file for each kernel concept.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Descriptors the launcher passes, by number. 0, 1 and 2 become the payload's own.
enum {
    FD_OPTIONS = 3,   // a file (memfd) with the option list
    FD_STATUS = 4,    // pipe: JSON lines to the launcher
    FD_CHANNEL = 5,   // unix socket: descriptors to the launcher
    FD_LIFELINE = 6,  // pipe: end of file kills the sandbox; a byte is a signal number for the payload
    FD_LEASE = 7,     // held by pid 1 so that a lock on it lasts as long as the sandbox; may be /dev/null
    FD_FIRST_EXTRA = 8,
};

enum { PAYLOAD_ID = 1000, RANGE_SIZE = 65536 };
enum { MAX_BINDS = 64, MAX_TMPFS = 8, MAX_PATHS = 48, MAX_DEVICES = 8, MAX_RLIMITS = 16, MAX_CGROUPS = 8,
       MAX_RULES = 96 };

// The namespaces of a sandbox in the order in which they are handed out and entered.
enum { NAMESPACES = 7 };

struct bind {
    const char *source, *target;
    bool writable;
    bool direct;       // no link may be on the way, and the owner may have changed neither
    bool mapped;       // owner uid:gid on disk is shown as PAYLOAD_ID
    uint32_t uid, gid;
    int tree;          // detached mount
};

struct tmpfs {
    const char *target, *bytes, *inodes, *mode;
    bool payload_owned;
};

struct rlimit_option {
    int resource;
    uint64_t value;
};

// What Landlock lets through: rights below a path, or rights on a TCP port where `path` is NULL.
struct landlock_rule {
    const char *path;
    uint32_t port;
    uint64_t rights;
};

struct options {
    int descriptors;                 // how many are inherited: 0…descriptors-1
    bool rootless;                   // one id is mapped: the caller's
    uint32_t range;                  // else: first host id of this sandbox's range, never 0
    bool enter;                      // not a new sandbox: one more command in the sandbox of `namespaces`
    int namespaces[NAMESPACES];
    int cgroup2;                     // directory descriptor, or -1
    int cgroups[MAX_CGROUPS];        // `cgroup.procs` descriptors open for writing
    int cgroup_count;
    int filter;                      // file with the seccomp program
    bool notify;                     // a listener for refused calls is wanted
    int listen_port;                 // gateway listener, 0: none
    const char *stage;               // host directory the new root is put together on
    const char *image, *overlay_bytes, *overlay_inodes, *hostname, *directory;
    struct bind binds[MAX_BINDS];
    int bind_count;
    struct tmpfs tmpfs[MAX_TMPFS];
    int tmpfs_count;
    const char *masks[MAX_PATHS], *readonly[MAX_PATHS], *devices[MAX_DEVICES];
    int mask_count, readonly_count, device_count;
    struct rlimit_option rlimits[MAX_RLIMITS];
    int rlimit_count;
    bool landlock;                   // confine at all, by these handled rights and rules
    uint64_t landlock_files, landlock_ports, landlock_scoped;
    struct landlock_rule landlock_rules[MAX_RULES];
    int landlock_rule_count;
    mode_t umask;
    const char *oom_score;
    char **arguments, **environment;  // NULL-terminated
};

struct start {
    struct options options;
    int sync;         // parent's or child's end of the socket between them
    uid_t caller_uid;
    gid_t caller_gid;
    pid_t init;       // parent: the new pid 1
    int image;        // detached mount of the image
    int root;         // directory descriptor of the new root
    pid_t payload;
    bool executed;    // shared memory: false until the payload is past its last step
};

struct step {
    const char *name;
    int (*run)(struct start *);
};

// report.c
int explain(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));  // returns `code`
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));            // one line
int run_steps(struct start *start, const struct step *steps, size_t count);            // reports the failure

// One file each.
int read_options(struct start *);          // options.c
int close_inherited(struct start *);       // descriptors.c
int send_descriptor(char tag, int descriptor, int channel);
int send_descriptors(char tag, const int *list, int count, int channel);  // at most NAMESPACES
int receive_descriptor(int channel, int *descriptor);
int set_oom_score(struct start *);         // process.c
int become_undumpable(struct start *);
int new_session(struct start *);
int set_hostname(struct start *);
int set_limits(struct start *);            // limits.c
int join_cgroups(struct start *);
int clone_namespaces(struct start *);      // namespaces.c: returns in parent and child
int send_namespaces(struct start *);
int join_user_namespace(struct start *);
int join_namespaces(struct start *);
int write_id_maps(struct start *);
int send_image(struct start *);
int await_id_maps(struct start *);
int map_own_id(struct start *);
int become_namespace_root(struct start *);
int send_host_trees(struct start *);       // trees.c
int open_trees_rootless(struct start *);
int open_image(struct start *, int user_namespace);
int raise_loopback(struct start *);        // network.c
int open_gateway(struct start *);
int make_root(struct start *);             // root.c
int mount_proc(struct start *);
int mount_devices(struct start *);
int mount_terminals(struct start *);
int mount_tmpfs_list(struct start *);
int mount_binds(struct start *);
int mask_paths(struct start *);
int change_root(struct start *);
int lock_privileges(struct start *);       // credentials.c
int become_payload(struct start *);
int drop_capabilities(struct start *);
int keep_only_kill(struct start *);
int no_new_privileges(struct start *);
int restrict_files(struct start *);        // landlock.c
int load_filter(struct start *);           // seccomp.c
int map_filter(struct start *);
int confine_init(struct start *);
int run_init(struct start *);              // init.c
int run_entry(struct start *);
