// Landlock: the place of a second wall over the mounts. Not restricted yet; the launcher reports the layer as absent.
#include "shim.h"

int restrict_files(struct start *start) {
    (void)start;
    return 0;
}
