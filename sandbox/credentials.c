// Capabilities, securebits and ids.
#include "shim.h"

#include <errno.h>
#include <linux/securebits.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Nothing executed from here on can gain a capability: not by file capabilities, not by being id 0.
int lock_privileges(struct start *start) {
    (void)start;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return explain(-errno, "ambient capabilities");
    for (cap_value_t value = 0;; value++) {
        if (cap_drop_bound(value) == 0) continue;
        if (errno == EINVAL && value > CAP_CHOWN) break;  // one past the last this kernel knows
        return explain(-errno, "bounding capability %d", value);
    }
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                         SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == 0 ? 0 : explain(-errno, "securebits");
}

int no_new_privileges(struct start *start) {
    (void)start;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : explain(-errno, "PR_SET_NO_NEW_PRIVS");
}

// By raw calls: the C library's would look for threads, and this process still shares pid 1's memory.
int become_payload(struct start *start) {
    if (start->options.rootless) return 0;  // the only id there is
    if (syscall(SYS_setresgid, PAYLOAD_ID, PAYLOAD_ID, PAYLOAD_ID) != 0) return explain(-errno, "setresgid");
    if (syscall(SYS_setresuid, PAYLOAD_ID, PAYLOAD_ID, PAYLOAD_ID) != 0) return explain(-errno, "setresuid");
    return 0;
}

static int hold(const cap_value_t *values, int count) {
    cap_t none = cap_init();
    if (none == NULL) return explain(-errno, "cap_init");
    int code = 0;
    if (count > 0 && (cap_set_flag(none, CAP_PERMITTED, count, values, CAP_SET) != 0 ||
                      cap_set_flag(none, CAP_EFFECTIVE, count, values, CAP_SET) != 0))
        code = explain(-errno, "cap_set_flag");
    if (code == 0 && cap_set_proc(none) != 0) code = explain(-errno, "capset");
    cap_free(none);
    return code;
}

int drop_capabilities(struct start *start) {
    (void)start;
    return hold(NULL, 0);
}

// Pid 1 has an id of its own where there is a range, and forwards signals to the payload across it.
int keep_only_kill(struct start *start) {
    static const cap_value_t kill_only[] = {CAP_KILL};
    return hold(kill_only, start->options.rootless ? 0 : 1);
}
