/* network_fs - does a file lie on another machine?
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SHARED_DB_NETWORK_FS_H
#define SHARED_DB_NETWORK_FS_H

#include <stdbool.h>

/* Is path, or the directory that it will be made in, on a file system that other hosts may have mounted, too? Yes
 * also for those of which one cannot tell (FUSE). */
bool network_fs(const char *path);

#endif
