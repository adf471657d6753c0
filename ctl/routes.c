/* routes - what the request handlers serve
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Routes belong to the request handler, which this tool is not linked with. The one of the same
 * build comes first, so that a checkout shows its own. */
int
ctl_routes(struct ctl *ctl, int argc, char **argv)
{
    static char installed[] = CONFAB_LIBEXEC_DIR "/confab.fcgi";
    char self[4096];
    char *sibling;
    ssize_t n;

    (void)argv;
    if (argc != 1)
        return CTL_USAGE;
    n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = '\0';
        *strrchr(self, '/') = '\0';
        sibling = arena_printf(ctl->arena, "%s/../fcgi/confab.fcgi", self);
        execl(sibling, sibling, "--routes", (char *)NULL);
    }
    execl(installed, installed, "--routes", (char *)NULL);
    return ctl_fail("%s: %s", installed, strerror(errno));
}
