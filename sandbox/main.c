// codeforge-sandbox: builds one sandbox around one command. See README.md for the whole picture.
#include <stdlib.h>
#include <unistd.h>

#include "shim.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

// Outside, in the caller's namespaces. The only part that may run with privileges of the host.
static const struct step outside[] = {
    {"options", read_options},
    {"descriptors", close_inherited},
    {"oom-score", set_oom_score},
};
static const struct step outside_starting[] = {
    {"undumpable", become_undumpable},
    {"cgroups", join_cgroups},
    {"filter", map_filter},
    {"namespaces", clone_namespaces},
};
static const struct step outside_after[] = {
    {"id-maps", write_id_maps},
    {"image", send_image},
    {"host-trees", send_host_trees},  // while the inside goes on; it takes them at "binds"
};

// Inside, as pid 1 with all capabilities over the new namespaces and none over the host.
static const struct step inside[] = {
    {"loopback", raise_loopback},
    {"gateway", open_gateway},
    {"own-id-map", map_own_id},
    {"id-maps", await_id_maps},
    {"undumpable", become_undumpable},
    {"trees", open_trees_rootless},
    {"identity", become_namespace_root},
    {"root", make_root},
    {"proc", mount_proc},
    {"devices", mount_devices},
    {"terminals", mount_terminals},
    {"tmpfs", mount_tmpfs_list},
    {"binds", mount_binds},
    {"masks", mask_paths},
    {"pivot", change_root},
    {"hostname", set_hostname},
    {"doors", send_namespaces},
    {"privileges", lock_privileges},
    {"no-new-privs", no_new_privileges},
    {"init", run_init},
};

// The other mode: one more command in a sandbox that runs. Whoever enters is never seen inside with more rights than
// the payload has, or by a process that could be traced: that is the point of this order.
static const struct step entering[] = {
    {"undumpable", become_undumpable},
    {"cgroups", join_cgroups},
    {"filter", map_filter},
    {"user-namespace", join_user_namespace},
    {"identity", become_namespace_root},
    {"namespaces", join_namespaces},
    {"undumpable", become_undumpable},  // changed ids may have set it back
    {"privileges", lock_privileges},
    {"no-new-privs", no_new_privileges},
    {"entry", run_entry},
};

int main(void) {
    static struct start start;
    if (run_steps(&start, outside, COUNT(outside)) != 0) return EXIT_FAILURE;
    if (start.options.enter)
        return run_steps(&start, entering, COUNT(entering)) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (run_steps(&start, outside_starting, COUNT(outside_starting)) != 0) return EXIT_FAILURE;
    if (start.init == 0) {
        run_steps(&start, inside, COUNT(inside));
        _exit(EXIT_FAILURE);  // run_init does not return on success
    }
    // A failure here closes our end of the socket, and pid 1 ends by itself.
    return run_steps(&start, outside_after, COUNT(outside_after)) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
