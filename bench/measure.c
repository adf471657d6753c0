/* measure - see the header
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/measure.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t
measure_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
measure_add(struct samples *s, int64_t ns)
{
    if (s->n == s->size) {
        s->size = s->size == 0 ? 4096 : s->size * 2;
        s->ns = realloc(s->ns, s->size * sizeof(*s->ns));
        if (!s->ns) {
            perror("samples");
            exit(1);
        }
    }
    s->ns[s->n++] = ns;
}

static int
compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

double
measure_percentile_us(struct samples *s, double percent)
{
    size_t i;

    if (s->n == 0)
        return 0;
    qsort(s->ns, s->n, sizeof(*s->ns), compare);
    i = (size_t)((double)s->n * percent / 100);
    return (double)s->ns[i < s->n ? i : s->n - 1] / 1000;
}

void
measure_clear(struct samples *s)
{
    s->n = 0;
}

double
measure_cpu(int pid)
{
    char path[300];
    DIR *tasks;
    struct dirent *task;
    long long ns, sum = 0;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    if (pid == 0 || !(tasks = opendir(path)))
        return 0;
    while ((task = readdir(tasks)) != NULL) {
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat", pid, task->d_name);
        if (task->d_name[0] == '.' || !(f = fopen(path, "r")))
            continue;
        if (fscanf(f, "%lld", &ns) == 1)
            sum += ns;
        fclose(f);
    }
    closedir(tasks);
    return (double)sum / 1e9;
}
