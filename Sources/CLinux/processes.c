#include "fortified.h"

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_on_exec_from(int first) {
  const unsigned cloexec = 1u << 2; // CLOSE_RANGE_CLOEXEC, Linux 5.11
  if (syscall(SYS_close_range, (unsigned)first, ~0u, cloexec) == 0) return;
  for (int fd = first; fd < 1024; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int shim_setresgid(gid_t id) { return setresgid(id, id, id); }
int shim_setresuid(uid_t id) { return setresuid(id, id, id); }

static int change_to(uid_t user, gid_t group, gid_t more) {
  if (setgroups(1, &more) != 0 || shim_setresgid(group) != 0) return -1;
  return shim_setresuid(user);
}

bool shim_is_only(uid_t user, gid_t group) {
  uid_t users[3];
  gid_t groups[3];
  if (getresuid(users, users + 1, users + 2) != 0 || getresgid(groups, groups + 1, groups + 2) != 0) return false;
  for (int i = 0; i < 3; i++)
    if (users[i] != user || groups[i] != group) return false;
  return true;
}

// Why a child could not be started: the error number, and whether execve returned it.
struct refusal { int number; bool isOfExec; };

// Runs in the child after fork. Only async-signal-safe calls are allowed, as the program has threads.
static void become(const char *path, char *const argv[], char *const envp[], const int *descriptors, int count,
                   pid_t parent, int report, uid_t user, gid_t group, gid_t more) {
  struct refusal refusal = {0, false};
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, 0);
  // setsid makes a process group to signal, and detaches the terminal, so that the child cannot type into it. Unless
  // `parent` is 0, the child dies with the thread that started it.
  if (setsid() > 0 && (user == 0 || change_to(user, group, more) == 0) &&
      (parent == 0 || (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent))) {
    int copied = 0;
    while (copied < count && dup2(descriptors[copied], copied) >= 0) copied++;
    if (copied == count) {
      close_on_exec_from(count);
      execve(path, argv, envp);
      refusal.isOfExec = true;
    }
  }
  refusal.number = errno;
  (void)!write(report, &refusal, sizeof refusal);
  _exit(127);
}

pid_t shim_spawn(const char *path, char *const argv[], char *const envp[], const int *descriptors, int count, bool ends,
                 uid_t user, gid_t group, gid_t more) {
  int reports[2];
  struct refusal refusal = {0, false};
  if (shim_pipe(reports) != 0) return -1;
  int report = fcntl(reports[1], F_DUPFD_CLOEXEC, count);
  close(reports[1]);
  pid_t parent = ends ? getpid() : 0, pid = report < 0 ? -1 : fork();
  if (pid == 0) become(path, argv, envp, descriptors, count, parent, report, user, group, more);
  if (pid < 0) refusal.number = errno;
  if (report >= 0) close(report);
  ssize_t got = 0;
  while (pid > 0 && (got = read(reports[0], &refusal, sizeof refusal)) < 0 && errno == EINTR) continue;
  if (got < 0) {
    // Whether the child runs is unknown.
    refusal.number = errno;
    kill(pid, SIGKILL);
  }
  close(reports[0]);
  if (pid > 0 && got == 0) return pid;
  while (pid > 0 && waitpid(pid, 0, 0) < 0 && errno == EINTR) continue;
  errno = refusal.number;
  return refusal.isOfExec ? -2 : -1;
}

// Closes all descriptors but the standard ones and `kept`.
static void close_others(const int *kept, int count) {
  int first = 3;
  for (int i = 0; i <= count; i++) {
    int last = i < count ? kept[i] - 1 : 1 << 20;
    if (first <= last && syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) != 0)
      for (int fd = first; fd <= last && fd < 1024; fd++) close(fd);
    first = last + 2;
  }
}

pid_t shim_fork(const int *kept, int count) {
  pid_t parent = getpid(), pid = fork();
  if (pid != 0) return pid;
  sigset_t asking;
  sigemptyset(&asking);
  sigaddset(&asking, SIGTERM);
  sigaddset(&asking, SIGINT);
  sigaddset(&asking, SIGHUP);
  sigprocmask(SIG_BLOCK, &asking, 0);
  if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
  close_others(kept, count);
  return 0;
}

void shim_not_dumpable(void) { prctl(PR_SET_DUMPABLE, 0); }
void shim_share_heap(void) { mallopt(M_ARENA_MAX, 1); }
void shim_trim_heap(void) { malloc_trim(0); }

bool shim_contains(const void *text, size_t size, const char *part) {
  return memmem(text, size, part, strlen(part)) != NULL;
}

int shim_clock_is_synced(void) {
  struct timex facts = {0};
  return adjtimex(&facts) == -1 ? -1 : (facts.status & STA_UNSYNC) == 0;
}
