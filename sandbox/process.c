// Attributes of the process itself.
#include "shim.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

// Without this a payload of the same id could trace pid 1 or take its descriptors. An unprivileged shim must stay
// dumpable until its child has written its own id map: /proc/self/uid_map belongs to root otherwise.
int become_undumpable(struct start *start) {
    if (start->options.rootless && getpid() != 1) return 0;
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
