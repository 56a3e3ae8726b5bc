// The floor: the same namespaces, the same control groups, the same file systems, pivot_root, the same Landlock rules,
// exec; no checks, no masks, no limits in the groups, no privileges dropped, no filter, no gateway.
// Usage: floor V2 FIRST COUNT IMAGE COMMAND…: the groups as descriptors, see driver.c
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(call) do { if ((call) < 0) { perror(#call); _exit(1); } } while (0)

static void map(pid_t pid, const char *file) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    int descriptor = open(path, O_WRONLY);
    const char *ids = geteuid() == 0 ? "0 2141126656 65536" : NULL;
    char own[32];
    if (ids == NULL) snprintf(own, sizeof own, "1000 %d 1", geteuid()), ids = own;
    CHECK(write(descriptor, ids, strlen(ids)));
    close(descriptor);
}

static void confine(void) {
    struct { uint64_t files, ports, scoped; } handled = {0xffff, 0, 3};  // ABI 6; older: as far as they go
    int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1u);
    if (version < 6) handled.files = 0x1fff, handled.scoped = 0;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    CHECK(rules);
    static const struct { const char *path; uint64_t rights; } allowed[] = {
        {"/", 0xd}, {"/workspace", 0x77ff}, {"/home/agent", 0x77ff}, {"/tmp", 0x77ff}, {"/dev/shm", 0x77ff},
        {"/dev/null", 6}, {"/dev/zero", 6}, {"/dev/full", 6}, {"/dev/random", 6}, {"/dev/urandom", 6},
        {"/dev/pts", 0x8006},
    };
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        struct { uint64_t rights; int32_t parent; } __attribute__((packed)) rule = {
            allowed[i].rights & handled.files, open(allowed[i].path, O_PATH | O_CLOEXEC)};
        CHECK(rule.parent);
        CHECK(syscall(SYS_landlock_add_rule, rules, 1, &rule, 0));
        close(rule.parent);
    }
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK(syscall(SYS_landlock_restrict_self, rules, 0));
}

static void inside(const char *image, char **argv) {
    CHECK(dup2(open(image, O_PATH | O_DIRECTORY), 9));  // the stage below may cover its path
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    CHECK(mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"));
    CHECK(chdir("/tmp"));
    mkdir("lower", 0755), mkdir("upper", 0755), mkdir("work", 0755), mkdir("root", 0755);
    CHECK(mount("/proc/self/fd/9", "lower", NULL, MS_BIND, NULL));
    CHECK(mount("overlay", "root", "overlay", MS_NOSUID | MS_NODEV,
                "userxattr,lowerdir=lower,upperdir=upper,workdir=work"));
    CHECK(chdir("root"));
    CHECK(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    CHECK(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"));
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom"};
    for (int i = 0; i < 5; i++) {
        char from[32], to[32];
        snprintf(from, sizeof from, "/dev/%s", devices[i]);
        snprintf(to, sizeof to, "dev/%s", devices[i]);
        CHECK(mknod(to, S_IFREG | 0444, 0));
        CHECK(mount(from, to, NULL, MS_BIND, NULL));
    }
    mkdir("dev/shm", 0755), mkdir("dev/pts", 0755);
    CHECK(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0600"));
    CHECK(mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, NULL));
    CHECK(mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL));
    CHECK(mount("tmpfs", "home/agent", "tmpfs", MS_NOSUID | MS_NODEV, NULL));
    CHECK(syscall(SYS_pivot_root, ".", "."));
    CHECK(umount2(".", MNT_DETACH));
    pid_t payload = fork();
    if (payload == 0) {
        confine();
        execv(argv[0], argv);
        _exit(127);
    }
    int status;
    waitpid(payload, &status, 0);
    _exit(WEXITSTATUS(status));
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int unified = atoi(argv[1]), first = atoi(argv[2]), count = atoi(argv[3]);
    argv += 3;
    for (int i = 0; i < count; i++) CHECK(write(first + i, "0", 1));
    int go[2];
    CHECK(pipe(go));
    struct clone_args arguments = {
        .flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                 CLONE_NEWCGROUP,
        .exit_signal = SIGCHLD};
    if (unified >= 0) arguments.flags |= CLONE_INTO_CGROUP, arguments.cgroup = (uint64_t)unified;
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    CHECK(pid);
    if (pid == 0) {
        char byte;
        close(go[1]);
        CHECK(read(go[0], &byte, 1));
        if (geteuid() == 65534) {
            CHECK(setresgid(0, 0, 0));
            CHECK(setresuid(0, 0, 0));
        }
        inside(argv[1], argv + 2);
    }
    if (geteuid() != 0) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/setgroups", pid);
        int descriptor = open(path, O_WRONLY);
        CHECK(write(descriptor, "deny", 4));
    }
    map(pid, "uid_map"), map(pid, "gid_map");
    CHECK(write(go[1], "x", 1));
    int status;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}
