/* doctor_state - the doctor's look at directories and files: whose, for whom, where
 *
 * SPDX-License-Identifier: MIT
 */
#include "ctl/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Directories from which web servers hand out what lies there. */
static const char *const roots[] = { "public_html", "www", "htdocs", "httpdocs", "public", "html", NULL };

static const char *
user_name(struct doctor *d, uid_t uid)
{
    const struct passwd *pw = getpwuid(uid);

    return pw != NULL ? arena_string(d->arena, pw->pw_name) : arena_printf(d->arena, "%ld", (long)uid);
}

/* Is that user the one whom we look as? A file that root made for himself is the usual accident. */
static bool
check_owner(struct doctor *d, const char *path, const struct stat *st)
{
    if (st->st_uid == geteuid())
        return true;
    if (geteuid() == 0)
        doctor_say(d, FINDING_ERROR, "state", "%s belongs to %s; run: runuser -u %s -- confabctl doctor", path,
                   user_name(d, st->st_uid), user_name(d, st->st_uid));
    else
        doctor_say(d, FINDING_ERROR, "state", "%s belongs to %s, not to %s; as root, run: chown -R %s %s", path,
                   user_name(d, st->st_uid), user_name(d, geteuid()), user_name(d, geteuid()), d->config->state);
    return false;
}

static bool
check_directory(struct doctor *d, const char *check, const char *path, bool private)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        doctor_say(d, FINDING_ERROR, check, "%s: %s; run: confabctl init", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        doctor_say(d, FINDING_ERROR, check, "%s is no directory", path);
        return false;
    }
    if (private && !check_owner(d, path, &st))
        return false;
    if (access(path, R_OK | W_OK | X_OK) != 0) {
        doctor_say(d, FINDING_ERROR, check, "%s cannot be written to by %s; run: chmod u+rwx %s", path,
                   user_name(d, geteuid()), path);
        return false;
    }
    if (private && (st.st_mode & 007) != 0)
        doctor_say(d, FINDING_ERROR, check, "%s is open to every user of this host; run: chmod 700 %s", path, path);
    else if (private && (st.st_mode & 070) != 0)
        doctor_say(d, FINDING_WARNING, check, "%s is open to its group; run: chmod 700 %s", path, path);
    else
        doctor_say(d, FINDING_OK, check, "%s", path);
    return true;
}

static bool
check_file(struct doctor *d, const char *name)
{
    const char *path = arena_printf(d->arena, "%s/%s", d->config->state, name);
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || strcmp(name, ".htaccess") == 0)
        return true;
    if (!check_owner(d, path, &st))
        return false;
    if ((st.st_mode & 007) != 0)
        doctor_say(d, FINDING_ERROR, "files", "%s is open to every user of this host; run: chmod 600 %s", path, path);
    else if (access(path, R_OK | W_OK) != 0)
        doctor_say(d, FINDING_ERROR, "files", "%s cannot be written to; run: chmod 600 %s", path, path);
    return true;
}

static bool
check_files(struct doctor *d)
{
    DIR *dir = opendir(d->config->state);
    const struct dirent *entry;
    bool ours = true;

    if (dir == NULL)
        return false;
    while (ours && (entry = readdir(dir)) != NULL)
        ours = check_file(d, entry->d_name);
    closedir(dir);
    return ours;
}

/* A web server hands out what lies in its folder, the database too. */
static void
check_place(struct doctor *d)
{
    const char *const *root, *state = d->config->state;
    size_t len;

    for (; *state != '\0'; state += len + (state[len] == '/')) {
        len = strcspn(state, "/");
        for (root = roots; *root != NULL; root++)
            if (strlen(*root) == len && strncmp(state, *root, len) == 0) {
                doctor_say(d, FINDING_WARNING, "place", "%s looks like a folder of a web server, which would hand out the "
                           "database: set state to a directory outside of it", d->config->state);
                return;
            }
    }
    doctor_say(d, FINDING_OK, "place", "not in a web server's folder");
}

static void
check_run(struct doctor *d)
{
    const char *bus = arena_printf(d->arena, "%s/bus-%s.sock", d->config->run, d->config->relay_name);

    if (!check_directory(d, "run", d->config->run, false))
        return;
    if (strlen(bus) >= sizeof ((struct sockaddr_un *)0)->sun_path)
        doctor_say(d, FINDING_ERROR, "run", "%s is too long for a socket's name: set run to a shorter directory", bus);
}

bool
doctor_state(struct doctor *d)
{
    bool open = check_directory(d, "state", d->config->state, true);

    check_place(d);
    if (open)
        check_run(d);
    return open && check_files(d);
}
