#include "fortified.h"

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

// Closes all descriptors from `first` but `kept`, which must be in ascending order.
static void close_from(int first, const int *kept, int count) {
  for (int i = 0; i <= count; i++) {
    int last = i < count ? kept[i] - 1 : 1 << 20;
    if (first <= last && syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) != 0)
      for (int fd = first; fd <= last && fd < 1024; fd++) close(fd);
    first = last + 2;
  }
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

// Whether the search for a program continues in the next folder of PATH after this error.
static bool is_elsewhere(int number) { return number == ENOENT || number == ENOTDIR || number == EACCES; }

// Replaces this process by the first program of `paths` that may be run; returns why that failed.
static shim_refusal run_first(char *const *paths, char *const argv[], char *const envp[]) {
  struct stat facts;
  for (; *paths && access(*paths, X_OK) != 0; paths++)
    if (!paths[1] || !is_elsewhere(errno)) return (shim_refusal){errno, shim_step_find};
  if (!*paths) return (shim_refusal){ENOENT, shim_step_find};
  if (stat(*paths, &facts) == 0 && !S_ISREG(facts.st_mode)) return (shim_refusal){EISDIR, shim_step_is_file};
  execve(*paths, argv, envp);
  return (shim_refusal){errno, shim_step_exec};
}

// Runs in the child after fork. Only async-signal-safe calls are allowed, as the program has threads.
static void become(char *const *paths, char *const argv[], char *const envp[], const int *descriptors, int count,
                   pid_t parent, int report, uid_t user, gid_t group, gid_t more) {
  shim_refusal refusal = {0, shim_step_prepare};
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
      // Not at exec only: a child that hangs there would keep the run's locks.
      close_from(count, &report, 1);
      refusal = run_first(paths, argv, envp);
    }
  }
  if (refusal.step == shim_step_prepare) refusal.number = errno;
  (void)!write(report, &refusal, sizeof refusal);
  _exit(127);
}

pid_t shim_spawn(char *const *paths, char *const argv[], char *const envp[], const int *descriptors, int count,
                 bool ends, uid_t user, gid_t group, gid_t more, int *report) {
  int reports[2];
  if (shim_pipe(reports) != 0) return -1;
  int writer = fcntl(reports[1], F_DUPFD_CLOEXEC, count), number = errno;
  close(reports[1]);
  pid_t parent = ends ? getpid() : 0, pid = writer < 0 ? -1 : fork();
  if (pid == 0) become(paths, argv, envp, descriptors, count, parent, writer, user, group, more);
  if (writer >= 0) {
    number = errno;
    close(writer);
  }
  *report = reports[0];
  if (pid < 0) close(reports[0]);
  errno = number;
  return pid;
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
  close_from(3, kept, count);
  return 0;
}

void shim_set_name(const char *name) { prctl(PR_SET_NAME, name); }
void shim_not_dumpable(void) { prctl(PR_SET_DUMPABLE, 0); }
void shim_share_heap(void) { mallopt(M_ARENA_MAX, 1); }
void shim_trim_heap(void) { malloc_trim(0); }

bool shim_contains(const void *text, size_t size, const char *part) {
  return memmem(text, size, part, strlen(part)) != NULL;
}

bool shim_is_remote(const void *type, size_t size) {
  static const char *const types[] = {"nfs", "cifs", "smb", "fuse.", "fuse ", "9p", "ceph", "gluster", "afs", "davfs"};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strlen(types[i]) <= size && memcmp(type, types[i], strlen(types[i])) == 0) return true;
  return false;
}

bool shim_has_remote(const void *text, size_t size) {
  const char *rest = text, *end = rest + size;
  while (rest < end && (rest = memchr(rest, '-', (size_t)(end - rest))) != NULL)
    // The type follows a dash between blanks.
    if (rest++, end - rest > 1 && rest - 2 > (const char *)text && rest[-2] == ' ' && *rest == ' ' &&
        shim_is_remote(rest + 1, (size_t)(end - rest) - 1))
      return true;
  return false;
}

int shim_clock_is_synced(void) {
  struct timex facts = {0};
  return adjtimex(&facts) == -1 ? -1 : (facts.status & STA_UNSYNC) == 0;
}
