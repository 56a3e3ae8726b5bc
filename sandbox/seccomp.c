// The system call filter: compiled by the launcher, only loaded here, as the last step before exec.
#include "shim.h"

#include <errno.h>
#include <stddef.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)  // Linux 5.19
#endif

static struct sock_fprog program;

int map_filter(struct start *start) {
    struct stat info;
    if (fstat(start->options.filter, &info) != 0) return explain(-errno, "filter");
    size_t size = (size_t)info.st_size;
    if (size == 0 || size % sizeof(struct sock_filter) != 0 || size / sizeof(struct sock_filter) > BPF_MAXINSNS)
        return explain(-EINVAL, "filter of %zu bytes", size);
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, start->options.filter, 0);
    if (bytes == MAP_FAILED) return explain(-errno, "map the filter");
    program.filter = bytes;
    program.len = (unsigned short)(size / sizeof(struct sock_filter));
    return 0;
}

int load_filter(struct start *start) {
    unsigned long flags = 0;
    if (start->options.notify) flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (listener < 0 && errno == EINVAL && start->options.notify)
        listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (listener < 0) return explain(-errno, "load %d instructions", program.len);
    if (!start->options.notify) return 0;
    int code = send_descriptor('N', (int)listener, FD_CHANNEL);
    close((int)listener);
    return code == 0 ? 0 : explain(code, "send the listener");
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

// What the loop of pid 1 needs, for the case that a payload finds a way to steer it: it can wait, tell, and kill what
// is inside anyway, and open, execute or map nothing. Anything else ends the sandbox.
int confine_init(struct start *start) {
    (void)start;
    static struct sock_filter list[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_ppoll),
        ALLOW(SYS_read),   // lifeline, signals
        ALLOW(SYS_write),  // status
        ALLOW(SYS_wait4),
        ALLOW(SYS_kill),
        ALLOW(SYS_exit_group),
        ALLOW(SYS_restart_syscall),  // a wait goes on after the freezer
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog init = {.len = sizeof list / sizeof list[0], .filter = list};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &init) == 0 ? 0 : explain(-errno, "filter of pid 1");
}
