/* init - makes what an installation needs: directories, secrets, database
 *
 * Everything may be there already; what is missing is added, what is there stays.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/db/db.h"

#define SECRET_BYTES 32

/* mkdir -p, for the parents with the usual mode. */
static int
make_directory(struct arena *a, const char *path)
{
    char *copy = arena_string(a, path);
    char *slash;

    for (slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            return ctl_fail("%s: %s", copy, strerror(errno));
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return ctl_fail("%s: %s", path, strerror(errno));
    return 0;
}

/* For those who have no place but below a folder that Apache hands out. */
static int
make_htaccess(struct arena *a, const char *state)
{
    const char *path = arena_printf(a, "%s/.htaccess", state);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *f;

    if (fd < 0)
        return errno == EEXIST ? 0 : ctl_fail("%s: %s", path, strerror(errno));
    if ((f = fdopen(fd, "w")) == NULL || fputs("Require all denied\n", f) == EOF || fclose(f) != 0)
        return ctl_fail("%s: %s", path, strerror(errno));
    return 0;
}

static void
hex_line(const unsigned char *bytes, size_t n, char *out)
{
    size_t i;

    for (i = 0; i < n; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
    out[2 * n] = '\n';
}

/* Written under another name and linked into place, so that no other process reads half a secret
 * and of two inits that run at once both use the same one. */
static int
make_secret(struct arena *a, const char *state, const char *name)
{
    const char *path = arena_printf(a, "%s/%s", state, name);
    const char *draft = arena_printf(a, "%s.%ld", path, (long)getpid());
    unsigned char bytes[SECRET_BYTES];
    char line[2 * SECRET_BYTES + 1];
    int fd, status = 0;

    if (access(path, F_OK) == 0) {
        printf("%s is there\n", path);
        return 0;
    }
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return ctl_fail("no randomness: %s", strerror(errno));
    hex_line(bytes, sizeof bytes, line);
    fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return ctl_fail("%s: %s", draft, strerror(errno));
    if (write(fd, line, sizeof line) != (ssize_t)sizeof line || fsync(fd) != 0)
        status = ctl_fail("%s: %s", draft, strerror(errno));
    close(fd);
    if (status == 0 && link(draft, path) != 0 && errno != EEXIST)
        status = ctl_fail("%s: %s", path, strerror(errno));
    unlink(draft);
    explicit_bzero(bytes, sizeof bytes);
    explicit_bzero(line, sizeof line);
    if (status == 0)
        printf("%s made\n", path);
    return status;
}

static int
make_database(struct ctl *ctl)
{
    struct db *db;
    enum err e;
    int status;

    umask(077);         /* the database holds what was said, and the bus key */
    if ((e = ctl_open(ctl, DB_ANY_VERSION | DB_CREATE, &db)) != ERR_OK)
        return ctl_fail_err(ctl->config->database, e, NULL);
    status = ctl_migrate_to_now(db);
    db_close(db);
    return status;
}

int
ctl_init(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        { "secrets", no_argument, NULL, 's' },
        { 0 }
    };
    const char *state = ctl->config->state;
    bool secrets = false;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c != 's')
            return CTL_USAGE;
        secrets = true;
    }
    if (optind != argc)
        return CTL_USAGE;
    if (make_directory(ctl->arena, state) != 0
        || make_directory(ctl->arena, ctl->config->run) != 0 || make_htaccess(ctl->arena, state) != 0)
        return 1;
    if (secrets && (make_secret(ctl->arena, state, "jwt_secret") != 0
                    || make_secret(ctl->arena, state, "admin_token") != 0
                    || make_secret(ctl->arena, state, "rooms_jwt_secret") != 0))
        return 1;
    return make_database(ctl);
}
