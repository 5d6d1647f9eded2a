/* Runs commands by turns, and prints for each the medians of its wall and CPU times in microseconds, with their ratios to
 * the first one's, and the least wall time: what it takes when nothing else runs. In another order each time, because the
 * kernel is still taking apart what the one before had.
 * turns ROUNDS COMMAND...; each COMMAND is words with blanks between them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
    int rounds = argc > 2 ? atoi(argv[1]) : 0, count = argc - 2;
    if (rounds < 1)
        return 2;
    char *words[count][64];
    double *times[count], *cpu[count];
    for (int i = 0; i < count; i++) {
        int n = 0;
        char *line = strdup(argv[i + 2]);
        for (char *word = strtok(line, " "); word && n < 63; word = strtok(0, " "))
            words[i][n++] = word;
        words[i][n] = 0;
        times[i] = malloc(rounds * sizeof(double));
        cpu[i] = malloc(rounds * sizeof(double));
    }
    int order[count];
    for (int i = 0; i < count; i++)
        order[i] = i;
    srandom(1);
    for (int round = 0; round < rounds; round++) {
        for (int i = count - 1; i > 0; i--) {
            int j = random() % (i + 1), other = order[j];
            order[j] = order[i], order[i] = other;
        }
        for (int turn = 0; turn < count; turn++) {
            int status, i = order[turn];
            pid_t pid;
            struct rusage used;
            double begun = now();
            if (posix_spawnp(&pid, words[i][0], 0, 0, words[i], environ) || wait4(pid, &status, 0, &used) < 0 || status) {
                fprintf(stderr, "turns: %s: status %d\n", argv[i + 2], status);
                return 1;
            }
            times[i][round] = now() - begun;
            cpu[i][round] = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
        }
    }
    double first = 0, least = 0, first_cpu = 0;
    for (int i = 0; i < count; i++) {
        qsort(times[i], rounds, sizeof(double), ascending);
        qsort(cpu[i], rounds, sizeof(double), ascending);
        double median = times[i][rounds / 2], median_cpu = cpu[i][rounds / 2];
        if (!i)
            first = median, least = times[i][0], first_cpu = median_cpu;
        printf("wall %7.0f us %5.2f  least %7.0f us %5.2f  CPU %7.0f us %5.2f  %s\n", median, median / first, times[i][0],
               times[i][0] / least, median_cpu, median_cpu / first_cpu, argv[i + 2]);
    }
    return 0;
}
