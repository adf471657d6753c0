/* replay - runs a fuzz target over its corpus with the ordinary compiler
 *
 * Stands in for libFuzzer's main in `make check`. Files: those named, else all in
 * $CONFAB_SOURCE/tests/fuzz/corpus/<target>/. Each is fed as it is, cut short at every length (to a
 * bound) and damaged in a few hundred ways that are the same in every run. Prints TAP,
 * one line a file; a crash ends it.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1 << 20)
#define CUTS_MAX       512
#define DAMAGES        300
#define FILES_MAX      10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A copy of exactly n bytes, so that a sanitizer sees the first read beyond. */
static void
feed(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);

    if (copy == NULL)
        abort();
    memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void
feed_damaged(uint8_t *data, size_t n)
{
    uint64_t random = 0x9e3779b97f4a7c15u;
    size_t i, at;
    uint8_t was;

    for (i = 0; n > 0 && i < DAMAGES; i++) {
        at = next_random(&random) % n;
        was = data[at];
        data[at] = (uint8_t)next_random(&random);
        feed(data, n);
        if (next_random(&random) % 4 != 0)      /* some damage stays and adds up */
            data[at] = was;
    }
}

static int
replay(const char *path)
{
    static uint8_t data[FILE_BYTES_MAX];
    FILE *f = fopen(path, "rb");
    size_t n, i;

    if (f == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }
    n = fread(data, 1, sizeof(data), f);
    fclose(f);
    feed(data, n);
    for (i = 0; i < n && i < CUTS_MAX; i++)
        feed(data, i);
    feed_damaged(data, n);
    return 0;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Paths of the files in the corpus of the target, sorted; -1 without one. */
static int
corpus_of(const char *program, char **paths)
{
    const char *source = getenv("CONFAB_SOURCE");
    const char *name = strstr(program, "fuzz_") ? strrchr(program, '/') : NULL;
    char dir[4096];
    struct dirent *entry;
    int n = 0;
    DIR *d;

    name = name != NULL ? name + 1 : program;
    if (strncmp(name, "fuzz_", 5) == 0)
        name += 5;
    snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", source != NULL ? source : ".", name);
    if ((d = opendir(dir)) == NULL) {
        fprintf(stderr, "%s: %s\n", dir, strerror(errno));
        return -1;
    }
    while ((entry = readdir(d)) != NULL && n < FILES_MAX)
        if (entry->d_name[0] != '.' &&
            asprintf(&paths[n], "%s/%s", dir, entry->d_name) > 0)
            n++;
    closedir(d);
    qsort(paths, (size_t)n, sizeof(*paths), by_name);
    return n;
}

int
main(int argc, char **argv)
{
    static char *found[FILES_MAX];
    char **paths = argv + 1;
    int n = argc - 1, i, failed = 0;

    if (n == 0) {
        paths = found;
        n = corpus_of(argv[0], found);
    }
    if (n <= 0)
        return 1;
    feed((const uint8_t *)"", 0);
    printf("1..%d\n", n);
    for (i = 0; i < n; i++) {
        int bad = replay(paths[i]);

        printf("%sok %d - %s\n", bad ? "not " : "", i + 1, paths[i]);
        fflush(stdout);
        failed |= bad;
        if (paths == found)
            free(paths[i]);
    }
    return failed ? 1 : 0;
}
