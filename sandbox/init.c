// Pid 1 inside: starts the payload, reaps, forwards signals, and ends with the payload or with the launcher.
// When it ends, by whatever cause, the kernel kills everything else in the pid namespace.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int enter_directory(struct start *start) {
    const char *directory = start->options.directory;
    return chdir(directory) == 0 ? 0 : explain(-errno, "enter %s", directory);
}

static int unblock_signals(struct start *start) {
    (void)start;
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0 ? 0 : explain(-errno, "sigprocmask");
}

// Status and channel stay until exec, for a failure report and the listener; they close on it.
static int keep_only_stdio(struct start *start) {
    (void)start;
    if (close_range(FD_CHANNEL + 1, ~0u, 0) != 0) return explain(-errno, "close_range");
    return close_range(FD_OPTIONS, ~0u, CLOSE_RANGE_CLOEXEC) == 0 ? 0 : explain(-errno, "close_range");
}

static int execute(struct start *start) {
    char **arguments = start->options.arguments, **environment = start->options.environment;
    const char *name = arguments[0], *search = "/usr/bin:/bin";
    start->executed = true;  // pid 1 waits in vfork and sees this only after exec or exit
    if (strchr(name, '/') != NULL) {
        execve(name, arguments, environment);
    } else {
        for (char **entry = environment; *entry != NULL; entry++)
            if (strncmp(*entry, "PATH=", 5) == 0) search = *entry + 5;
        errno = ENOENT;
        int worst = ENOENT;
        for (const char *next = search; *next != '\0';) {
            size_t length = strcspn(next, ":");
            static char path[4096];
            if (snprintf(path, sizeof path, "%.*s/%s", (int)length, next, name) < (int)sizeof path && length > 0) {
                execve(path, arguments, environment);
                if (errno != ENOENT && errno != ENOTDIR) worst = errno;
            }
            next += length + (next[length] == ':');
        }
        errno = worst;
    }
    start->executed = false;
    return explain(-errno, "execute %.256s", name);
}

static const struct step payload_steps[] = {
    {"session", new_session},
    {"limits", set_limits},
    {"identity", become_payload},
    {"capabilities", drop_capabilities},
    {"directory", enter_directory},
    {"landlock", restrict_files},
    {"signals", unblock_signals},
    {"descriptors", keep_only_stdio},
    {"seccomp", load_filter},  // forbids most of the above
    {"exec", execute},
};

static int payload(void *start) {
    run_steps(start, payload_steps, sizeof payload_steps / sizeof payload_steps[0]);
    _exit(EXIT_FAILURE);
}

// Ends the sandbox once the payload itself is gone; anything it left behind is reaped, or killed with us.
static void reap(pid_t payload) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0;) {
        if (pid != payload) continue;
        if (WIFSIGNALED(status)) report("{\"event\":\"exit\",\"signal\":%d}", WTERMSIG(status));
        else report("{\"event\":\"exit\",\"code\":%d}", WEXITSTATUS(status));
        _exit(0);
    }
}

// End of file: the launcher is dead or wants an end. Else each byte is a signal for the payload's process group.
static void follow_lifeline(pid_t payload) {
    unsigned char signals[16];
    ssize_t count = read(FD_LIFELINE, signals, sizeof signals);
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) _exit(128 + SIGKILL);
    for (ssize_t i = 0; i < count; i++) kill(-payload, signals[i]);
}

// Starts the payload with its steps. It shares our memory and lets us wait until it executed: no page is copied, and
// failure needs no pipe. Returns its id.
static pid_t start_payload(struct start *start, int flags) {
    static char stack[65536] __attribute__((aligned(16)));
    pid_t pid = clone(payload, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD | flags, start);
    return pid >= 0 ? pid : explain(-errno, "clone the payload");
}

static int block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    return sigprocmask(SIG_SETMASK, &all, NULL) == 0 ? 0 : explain(-errno, "sigprocmask");
}

// One more command in a running sandbox. It is the launcher's child, who must reap it: a dead one that nobody reaps
// would hold up the end of the pid namespace.
int run_entry(struct start *start) {
    int code = block_signals();
    if (code != 0) return code;
    pid_t pid = start_payload(start, CLONE_PARENT);
    if (pid < 0) return pid;
    report("{\"event\":\"born\",\"pid\":%d}", pid);
    if (!start->executed) _exit(EXIT_FAILURE);  // it said why
    report("{\"event\":\"running\"}");
    return 0;
}

int run_init(struct start *start) {
    int code = block_signals();
    if (code != 0) return code;
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    int signals = signalfd(-1, &children, SFD_CLOEXEC);
    if (signals < 0) return explain(-errno, "signalfd");

    pid_t pid = start_payload(start, 0);
    if (pid < 0) return pid;
    if (!start->executed) _exit(EXIT_FAILURE);  // it said why

    // The payload's change of ids may have set back what our shared memory had been.
    if ((code = become_undumpable(start)) != 0 || (code = keep_only_kill(start)) != 0) return code;
    if (signals != FD_FIRST_EXTRA && dup3(signals, FD_FIRST_EXTRA, O_CLOEXEC) < 0) return explain(-errno, "dup3");
    if (close_range(FD_FIRST_EXTRA + 1, ~0u, 0) != 0 || close_range(0, FD_OPTIONS, 0) != 0)
        return explain(-errno, "close_range");
    close(FD_CHANNEL);
    if ((code = confine_init(start)) != 0) return code;
    report("{\"event\":\"running\"}");

    struct pollfd watched[] = {{.fd = FD_LIFELINE, .events = POLLIN}, {.fd = FD_FIRST_EXTRA, .events = POLLIN}};
    for (;;) {
        if (poll(watched, 2, -1) < 0 && errno != EINTR) _exit(128 + SIGKILL);
        if (watched[0].revents != 0) follow_lifeline(pid);
        if (watched[1].revents != 0) {
            struct signalfd_siginfo ignored;
            if (read(FD_FIRST_EXTRA, &ignored, sizeof ignored) > 0) reap(pid);
        }
    }
}
