// The few functions the shim needs of a C library, on bare system calls, and the entry point.
//
// A static C library examines the processor before main (on a virtual machine each of those instructions is an exit)
// and brings 700 KB along: a start without it takes 0.3 ms less, a tenth of a whole launch, and there is nothing in
// the executable that is not in this folder. Prototypes and constants stay those of the system's headers.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void);

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n and $-16,%rsp\n call main\n mov %eax,%edi\n call _exit\n");

static long call(long n, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return n;
}

// The child starts on its own stack, whose top holds the function and its argument.
__asm__(".globl start_clone\n"
        "start_clone:\n"              // flags, stack
        " mov $56,%eax\n"             // SYS_clone
        " xor %edx,%edx\n xor %r10d,%r10d\n xor %r8d,%r8d\n"
        " syscall\n"
        " test %eax,%eax\n jz 1f\n ret\n"
        "1: xor %ebp,%ebp\n pop %rax\n pop %rdi\n call *%rax\n mov %eax,%edi\n call _exit\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n mov x29,#0\n mov x30,#0\n bl main\n bl _exit\n");

static long call(long n, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                  x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

__asm__(".globl start_clone\n"
        "start_clone:\n"
        " mov x8,#220\n mov x2,#0\n mov x3,#0\n mov x4,#0\n svc #0\n"
        " cbz x0,1f\n ret\n"
        "1: mov x29,#0\n mov x30,#0\n ldp x1,x0,[sp],#16\n blr x1\n bl _exit\n");
#endif

long start_clone(long flags, void *stack);

static int error;
int *__errno_location(void) { return &error; }

static long checked(long result) {
    if (result >= 0 || result < -4095) return result;
    error = (int)-result;
    return -1;
}

#define CALL(...) CALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(n, a, b, c, d, e, f, ...) \
    checked(call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)))

long syscall(long number, ...) {
    va_list v;
    va_start(v, number);
    long a = va_arg(v, long), b = va_arg(v, long), c = va_arg(v, long), d = va_arg(v, long), e = va_arg(v, long),
         f = va_arg(v, long);
    va_end(v);
    return CALL(number, a, b, c, d, e, f);
}

void _exit(int code) {
    for (;;) call(SYS_exit_group, code, 0, 0, 0, 0, 0);
}

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...) {
    void **top = (void **)stack - 2;
    top[0] = (void *)function;
    top[1] = argument;
    return (int)checked(start_clone(flags, top));
}

// MARK: files

int open(const char *path, int flags, ...) { return (int)CALL(SYS_openat, AT_FDCWD, path, flags); }
int close(int descriptor) { return (int)CALL(SYS_close, descriptor); }
ssize_t read(int descriptor, void *bytes, size_t count) { return CALL(SYS_read, descriptor, bytes, count); }
ssize_t write(int descriptor, const void *bytes, size_t count) { return CALL(SYS_write, descriptor, bytes, count); }
int dup3(int from, int to, int flags) { return (int)CALL(SYS_dup3, from, to, flags); }
int close_range(unsigned first, unsigned last, int flags) { return (int)CALL(SYS_close_range, first, last, flags); }
int fstat(int descriptor, struct stat *info) { return (int)CALL(SYS_fstat, descriptor, info); }
int mkdirat(int folder, const char *path, mode_t mode) { return (int)CALL(SYS_mkdirat, folder, path, mode); }
int mknodat(int folder, const char *path, mode_t mode, dev_t device) {
    return (int)CALL(SYS_mknodat, folder, path, mode, device);
}
int symlinkat(const char *to, int folder, const char *path) { return (int)CALL(SYS_symlinkat, to, folder, path); }
int chdir(const char *path) { return (int)CALL(SYS_chdir, path); }
int fchdir(int folder) { return (int)CALL(SYS_fchdir, folder); }
mode_t umask(mode_t mask) { return (mode_t)CALL(SYS_umask, mask); }
int fcntl(int descriptor, int command, ...) {
    va_list v;
    va_start(v, command);
    long argument = va_arg(v, long);
    va_end(v);
    return (int)CALL(SYS_fcntl, descriptor, command, argument);
}
int ioctl(int descriptor, unsigned long request, ...) {
    va_list v;
    va_start(v, request);
    void *argument = va_arg(v, void *);
    va_end(v);
    return (int)CALL(SYS_ioctl, descriptor, request, argument);
}
int poll(struct pollfd *list, nfds_t count, int milliseconds) {
    (void)milliseconds;  // always without a limit here
    return (int)CALL(SYS_ppoll, list, count);
}
int pause(void) { return poll(NULL, 0, -1); }

// MARK: mounts

int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) {
    return (int)CALL(SYS_mount, source, target, type, flags, data);
}
int umount2(const char *target, int flags) { return (int)CALL(SYS_umount2, target, flags); }
int open_tree(int folder, const char *path, unsigned flags) { return (int)CALL(SYS_open_tree, folder, path, flags); }
int move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags) {
    return (int)CALL(SYS_move_mount, from, from_path, to, to_path, flags);
}
int mount_setattr(int folder, const char *path, unsigned flags, struct mount_attr *attributes, size_t size) {
    return (int)CALL(SYS_mount_setattr, folder, path, flags, attributes, size);
}

// MARK: processes

pid_t getpid(void) { return (pid_t)CALL(SYS_getpid); }
uid_t geteuid(void) { return (uid_t)CALL(SYS_geteuid); }
gid_t getegid(void) { return (gid_t)CALL(SYS_getegid); }
pid_t setsid(void) { return (pid_t)CALL(SYS_setsid); }
int kill(pid_t pid, int signal) { return (int)CALL(SYS_kill, pid, signal); }
pid_t waitpid(pid_t pid, int *status, int options) { return (pid_t)CALL(SYS_wait4, pid, status, options); }
int execve(const char *path, char *const arguments[], char *const environment[]) {
    return (int)CALL(SYS_execve, path, arguments, environment);
}
int sethostname(const char *name, size_t length) { return (int)CALL(SYS_sethostname, name, length); }
int prctl(int option, ...) {
    va_list v;
    va_start(v, option);
    long a = va_arg(v, long), b = va_arg(v, long), c = va_arg(v, long), d = va_arg(v, long);
    va_end(v);
    return (int)CALL(SYS_prctl, option, a, b, c, d);
}
int getrlimit(__rlimit_resource_t resource, struct rlimit *limit) {
    return (int)CALL(SYS_prlimit64, 0, resource, 0, limit);
}
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
    return (int)CALL(SYS_prlimit64, 0, resource, limit, 0);
}
void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t offset) {
    return (void *)CALL(SYS_mmap, address, size, protection, flags, descriptor, offset);
}
void *calloc(size_t count, size_t size) {  // for the life of the process
    void *memory = mmap(NULL, count * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

// MARK: signals; the kernel's set is the first 64 bits of the library's

enum { KERNEL_SET = 8 };
int sigemptyset(sigset_t *set) { return *(uint64_t *)(void *)set = 0, 0; }
int sigfillset(sigset_t *set) { return *(uint64_t *)(void *)set = ~0ull, 0; }
int sigaddset(sigset_t *set, int signal) { return *(uint64_t *)(void *)set |= 1ull << (signal - 1), 0; }
int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
    return (int)CALL(SYS_rt_sigprocmask, how, set, old, KERNEL_SET);
}
int signalfd(int descriptor, const sigset_t *set, int flags) {
    return (int)CALL(SYS_signalfd4, descriptor, set, KERNEL_SET, flags);
}

// MARK: sockets

int socket(int domain, int type, int protocol) { return (int)CALL(SYS_socket, domain, type, protocol); }
int socketpair(int domain, int type, int protocol, int ends[2]) {
    return (int)CALL(SYS_socketpair, domain, type, protocol, ends);
}
int bind(int descriptor, const struct sockaddr *address, socklen_t size) {
    return (int)CALL(SYS_bind, descriptor, address, size);
}
int listen(int descriptor, int backlog) { return (int)CALL(SYS_listen, descriptor, backlog); }
ssize_t sendmsg(int descriptor, const struct msghdr *m, int flags) { return CALL(SYS_sendmsg, descriptor, m, flags); }
ssize_t recvmsg(int descriptor, struct msghdr *m, int flags) { return CALL(SYS_recvmsg, descriptor, m, flags); }
