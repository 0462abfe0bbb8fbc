/* Runs a command and writes what it cost to file descriptor 3: exit code, wall, user and system seconds, peak memory
 * in KiB, bytes of storage dirtied. Small, because a child's peak memory starts at that of the process it came from. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

int main(int count, char **arguments) {
  if (count < 2) return 64;
  double start = now();
  pid_t pid = fork();
  if (pid < 0) return 71;
  if (pid == 0) {
    close(3);
    execvp(arguments[1], arguments + 1);
    _exit(127);
  }
  int status;
  struct rusage usage;
  if (wait4(pid, &status, 0, &usage) != pid) return 71;
  dprintf(3, "%d %.6f %.6f %.6f %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          now() - start, seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss, usage.ru_oublock * 512);
  return 0;
}
