// Resource limits: rlimits of the payload, and control groups by their process lists. A new sandbox joins v1 groups so;
// v2 is joined by its clone3.
#include "shim.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

int set_limits(struct start *start) {
    const struct options *o = &start->options;
    umask(o->umask);
    for (int i = 0; i < o->rlimit_count; i++) {
        struct rlimit limit;
        int resource = o->rlimits[i].resource;
        if (getrlimit(resource, &limit) != 0) return explain(-errno, "resource %d", resource);
        // Raising a hard limit takes a capability of the host; what was inherited is the most there is.
        if (limit.rlim_max > o->rlimits[i].value) limit.rlim_max = o->rlimits[i].value;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(resource, &limit) != 0) return explain(-errno, "resource %d", resource);
    }
    return 0;
}

// Before the clone, so that pid 1, or what enters, is born in them and nothing of it is ever outside.
int join_cgroups(struct start *start) {
    const struct options *o = &start->options;
    for (int i = 0; i < o->cgroup_count; i++)
        if (write(o->cgroups[i], "0", 1) != 1) return explain(-errno, "cgroup.procs, descriptor %d", o->cgroups[i]);
    return 0;
}
