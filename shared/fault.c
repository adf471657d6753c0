/* fault - named moments at which a test may kill the process
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/fault.h"

#ifdef CONFAB_FAULT_POINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
fault_point(const char *name)
{
    const char *armed = getenv("CONFAB_FAULT");
    size_t len = strlen(name);

    if (armed == NULL || strncmp(armed, name, len) != 0 || armed[len] != ':')
        return;
    if (unlink(armed + len + 1) == 0)
        raise(SIGKILL);
}

#else

/* ISO C wants a declaration in every translation unit. */
typedef int fault_points_are_off;

#endif
