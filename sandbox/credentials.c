// Capabilities, securebits and ids.
#include "shim.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Nothing executed from here on can gain a capability: not by file capabilities, not by being id 0.
int lock_privileges(struct start *start) {
    (void)start;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return explain(-errno, "ambient capabilities");
    for (int value = 0;; value++) {
        if (prctl(PR_CAPBSET_DROP, value, 0, 0, 0) == 0) continue;
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

int become_payload(struct start *start) {
    if (start->options.rootless) return 0;  // the only id there is
    if (syscall(SYS_setresgid, PAYLOAD_ID, PAYLOAD_ID, PAYLOAD_ID) != 0) return explain(-errno, "setresgid");
    if (syscall(SYS_setresuid, PAYLOAD_ID, PAYLOAD_ID, PAYLOAD_ID) != 0) return explain(-errno, "setresuid");
    return 0;
}

static int hold(uint32_t low) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{.permitted = low, .effective = low}};
    return syscall(SYS_capset, &header, data) == 0 ? 0 : explain(-errno, "capset");
}

int drop_capabilities(struct start *start) {
    (void)start;
    return hold(0);
}

// Pid 1 has an id of its own where there is a range, and forwards signals to the payload across it.
int keep_only_kill(struct start *start) {
    return hold(start->options.rootless ? 0 : 1u << CAP_KILL);
}
