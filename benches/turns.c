/* Runs commands by turns, and prints for each the median of its wall times in microseconds.
 * turns ROUNDS COMMAND...; each COMMAND is words with blanks between them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    double *times[count];
    for (int i = 0; i < count; i++) {
        int n = 0;
        char *line = strdup(argv[i + 2]);
        for (char *word = strtok(line, " "); word && n < 63; word = strtok(0, " "))
            words[i][n++] = word;
        words[i][n] = 0;
        times[i] = malloc(rounds * sizeof(double));
    }
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < count; i++) {
            int status;
            pid_t pid;
            double begun = now();
            if (posix_spawnp(&pid, words[i][0], 0, 0, words[i], environ) || waitpid(pid, &status, 0) < 0 || status) {
                fprintf(stderr, "turns: %s: status %d\n", argv[i + 2], status);
                return 1;
            }
            times[i][round] = now() - begun;
        }
    double first = 0;
    for (int i = 0; i < count; i++) {
        qsort(times[i], rounds, sizeof(double), ascending);
        double median = times[i][rounds / 2];
        if (!i)
            first = median;
        printf("%8.0f us  %5.2f  %s\n", median, median / first, argv[i + 2]);
    }
    return 0;
}
