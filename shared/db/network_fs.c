/* network_fs - does a file lie on another machine?
 *
 * The numbers are those of statfs(2). Some are in no header, so all stand here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shared/db/network_fs.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

static const uint32_t kinds[] = {
    0x00006969,     /* NFS */
    0x0000517b,     /* SMB */
    0xff534d42,     /* CIFS */
    0xfe534d42,     /* SMB 2 */
    0x5346414f,     /* AFS */
    0x73757245,     /* Coda */
    0x01021997,     /* 9P */
    0x00c36400,     /* Ceph */
    0x0bd00bd0,     /* Lustre */
    0x47504653,     /* GPFS */
    0x01161970,     /* GFS2 */
    0x7461636f,     /* OCFS2 */
    0x19830326,     /* BeeGFS */
    0x65735546,     /* FUSE: sshfs and GlusterFS, but also local ones */
};

static bool
stat_parent(const char *path, struct statfs *st)
{
    char parent[PATH_MAX];
    char *slash;

    if (snprintf(parent, sizeof parent, "%s", path) >= (int)sizeof parent)
        return false;
    slash = strrchr(parent, '/');
    if (slash == NULL)
        return statfs(".", st) == 0;
    slash[slash == parent] = '\0';
    return statfs(parent, st) == 0;
}

bool
network_fs(const char *path)
{
    struct statfs st;
    size_t i;

    if (statfs(path, &st) != 0 && !stat_parent(path, &st))
        return false;
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((uint32_t)st.f_type == kinds[i])
            return true;
    return false;
}
