// Attributes of the process itself.
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

// A launcher protected from the out-of-memory killer must not protect what it starts. Inherited by all that follows;
// raising it needs no privilege, and the file is still ours while we are dumpable.
int set_oom_score(struct start *start) {
    const char *score = start->options.oom_score;
    if (score == NULL) return 0;
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return explain(-errno, "open oom_score_adj");
    int code = write(file, score, strlen(score)) > 0 ? 0 : explain(-errno, "write oom_score_adj");
    close(file);
    return code;
}

// Without this a payload of the same id could trace pid 1 or take its descriptors. An unprivileged shim must stay
// dumpable until its child has written its own id map: /proc/self/uid_map belongs to root otherwise.
int become_undumpable(struct start *start) {
    if (start->options.rootless && !start->options.enter && getpid() != 1) return 0;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : explain(-errno, "PR_SET_DUMPABLE");
}

// No controlling terminal, so there is none whose input could be forged.
int new_session(struct start *start) {
    (void)start;
    return setsid() >= 0 ? 0 : explain(-errno, "setsid");
}

int set_hostname(struct start *start) {
    const char *name = start->options.hostname;
    return sethostname(name, strlen(name)) == 0 ? 0 : explain(-errno, "hostname %.64s", name);
}
