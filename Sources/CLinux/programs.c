#include "fortified.h"

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// Closes all descriptors from `first` on, except those in `kept`, which must be in ascending order.
static void close_from(int first, const int *kept, int count) {
  for (int i = 0; i <= count; i++) {
    int last = i < count ? kept[i] - 1 : 1 << 20;
    if (first <= last && syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) != 0)
      for (int fd = first; fd <= last && fd < 1024; fd++) close(fd);
    first = last + 2;
  }
}

static int change_to(uid_t user, gid_t group, gid_t supplementary) {
  if (setgroups(1, &supplementary) != 0 || shim_setresgid(group) != 0) return -1;
  return shim_setresuid(user);
}

// Whether the search for a program continues in the next folder of PATH after this error.
static bool tries_next_folder(int number) { return number == ENOENT || number == ENOTDIR || number == EACCES; }

// Replaces this process by the first program of `paths` that may be run; returns why that failed.
static shim_refusal run_first(char *const *paths, char *const argv[], char *const envp[]) {
  struct stat facts;
  for (; *paths && access(*paths, X_OK) != 0; paths++)
    if (!paths[1] || !tries_next_folder(errno)) return (shim_refusal){errno, shim_step_find};
  if (!*paths) return (shim_refusal){ENOENT, shim_step_find};
  if (stat(*paths, &facts) == 0 && !S_ISREG(facts.st_mode)) return (shim_refusal){EISDIR, shim_step_is_file};
  execve(*paths, argv, envp);
  return (shim_refusal){errno, shim_step_exec};
}

// A program to start, as shim_spawn's arguments say.
typedef struct {
  char *const *paths, *const *argv, *const *envp;
  int count;
  bool dies_with_thread;
  uid_t user;
  gid_t group, supplementary;
} program;

enum { most_descriptors = 64 };

// Makes descriptors[i] this process's descriptor i, and closes all others but `report`, which may change.
static bool take_descriptors(const int *descriptors, int count, int *report) {
  int copies[most_descriptors];
  // First copies all to numbers above those that the program will use, so that dup2 overwrites none.
  int moved = fcntl(*report, F_DUPFD_CLOEXEC, count);
  if (moved < 0) return false;
  *report = moved;
  for (int i = 0; i < count; i++)
    if ((copies[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, count)) < 0) return false;
  for (int i = 0; i < count; i++)
    if (dup2(copies[i], i) < 0) return false;
  // Close-on-exec isn't enough: a child that hangs in execve would keep the run's locks.
  close_from(count, report, 1);
  return true;
}

// Runs in the child after fork. Only async-signal-safe calls are allowed, as this process may have had other threads.
static void become(const program *it, pid_t parent, const int *descriptors, int report) {
  shim_refusal refusal = {0, shim_step_prepare};
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, 0);
  // setsid makes a process group to signal, and detaches the terminal, so that the child cannot type into it.
  if (setsid() > 0 && (it->user == 0 || change_to(it->user, it->group, it->supplementary) == 0) &&
      (!it->dies_with_thread || (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent)) &&
      take_descriptors(descriptors, it->count, &report))
    refusal = run_first(it->paths, it->argv, it->envp);
  if (refusal.step == shim_step_prepare) refusal.number = errno;
  (void)!write(report, &refusal, sizeof refusal);
  _exit(127);
}

static pid_t start(const program *it, const int *descriptors, int report) {
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) become(it, parent, descriptors, report);
  return pid;
}

// What a thread asks the starter for, and its answer.
typedef struct {
  program program;
  pid_t pid;
  int number;
} request;

// The thread that starts programs: one at a time. The descriptors reach it through a socket, as it shares no open file
// with the other threads.
static struct {
  pthread_mutex_t lock;
  int sockets[2]; // the starter's end, and the end of the threads that call `ask`; -1: there is no starter
  _Atomic(request *) asked;
} starter = {.lock = PTHREAD_MUTEX_INITIALIZER, .sockets = {-1, -1}};

typedef struct {
  char byte;
  struct iovec part;
  struct msghdr head;
  union { struct cmsghdr head; char space[CMSG_SPACE(sizeof(int) * (most_descriptors + 1))]; } rights;
} message;

static void prepare(message *it, int count) {
  *it = (message){.rights.head = {CMSG_LEN(sizeof(int) * (size_t)count), SOL_SOCKET, SCM_RIGHTS}};
  it->part = (struct iovec){&it->byte, 1};
  it->head = (struct msghdr){.msg_iov = &it->part, .msg_iovlen = 1, .msg_control = &it->rights,
                             .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
}

// Starts the requested program. It calls recvmsg and close by syscall(): a sanitizer that intercepts these would take a
// descriptor of this thread for the other threads' file of the same number.
static bool serve(int socket) {
  message message;
  int descriptors[most_descriptors + 1], count = most_descriptors + 1;
  prepare(&message, count);
  ssize_t got = syscall(SYS_recvmsg, socket, &message.head, MSG_CMSG_CLOEXEC);
  if (got != 1) return got < 0 && errno == EINTR;
  request *asked = starter.asked;
  bool came = message.head.msg_controllen >= sizeof message.rights.head;
  count = came ? (int)((message.rights.head.cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
  memcpy(descriptors, CMSG_DATA(&message.rights.head), sizeof(int) * (size_t)count);
  // Where the limit on open files is reached, not all of them arrive.
  bool all = count == asked->program.count + 1;
  asked->pid = all ? start(&asked->program, descriptors, descriptors[count - 1]) : -1;
  asked->number = all ? errno : EMFILE;
  for (int i = 0; i < count; i++) syscall(SYS_close, descriptors[i]);
  return write(socket, "", 1) == 1;
}

static void *serve_all(void *unused) {
  int socket = starter.sockets[0];
  // This thread gets a descriptor table of its own, with the descriptors up to `socket` only. Those above aren't
  // copied, because closing them here might hang.
  bool alone = close_range((unsigned)socket + 1, ~0U, CLOSE_RANGE_UNSHARE) == 0;
  if (alone && socket > 3) close_range(3, (unsigned)socket - 1, 0);
  bool goes_on = write(socket, alone ? "1" : "0", 1) == 1 && alone;
  while (goes_on) goes_on = serve(socket);
  return unused;
}

int shim_begin_starter(void) {
  int *ends = starter.sockets;
  char byte = '0';
  pthread_t thread;
  sigset_t all, before;
  if (ends[1] >= 0) return 0;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int number = pthread_create(&thread, NULL, serve_all, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (number == 0) {
    pthread_detach(thread);
    if (read(ends[1], &byte, 1) == 1 && byte == '1') return 0;
    number = ENOSYS;
  }
  close(ends[0]);
  close(ends[1]);
  ends[0] = ends[1] = -1;
  errno = number;
  return -1;
}

// Has the starter start a program.
static pid_t ask(const program *it, const int *descriptors, int report) {
  request request = {*it, -1, EIO};
  message message;
  char byte;
  prepare(&message, it->count + 1);
  int *rights = (int *)CMSG_DATA(&message.rights.head);
  memcpy(rights, descriptors, sizeof(int) * (size_t)it->count);
  rights[it->count] = report;
  pthread_mutex_lock(&starter.lock);
  starter.asked = &request;
  ssize_t passed;
  do passed = sendmsg(starter.sockets[1], &message.head, MSG_NOSIGNAL);
  while (passed < 0 && errno == EINTR);
  if (passed < 0) request.number = errno;
  while (passed == 1 && read(starter.sockets[1], &byte, 1) < 0 && errno == EINTR);
  pthread_mutex_unlock(&starter.lock);
  errno = request.number;
  return request.pid;
}

pid_t shim_spawn(char *const *paths, char *const argv[], char *const envp[], const int *descriptors, int count,
                 bool dies_with_thread, uid_t user, gid_t group, gid_t supplementary, int *report) {
  const program it = {paths, argv, envp, count, dies_with_thread, user, group, supplementary};
  int reports[2];
  if (count < 0 || count > most_descriptors) return errno = E2BIG, -1;
  if (shim_pipe(reports) != 0) return -1;
  bool direct = starter.sockets[1] < 0;
  pid_t pid = direct ? start(&it, descriptors, reports[1]) : ask(&it, descriptors, reports[1]);
  int number = errno;
  close(reports[1]);
  *report = reports[0];
  if (pid < 0) close(reports[0]);
  errno = number;
  return pid;
}

pid_t shim_fork(const int *kept, int count) {
  pid_t parent = getpid(), pid = fork();
  if (pid != 0) return pid;
  // The thread that starts programs isn't in this process.
  starter.sockets[1] = -1;
  sigset_t termination;
  sigemptyset(&termination);
  sigaddset(&termination, SIGTERM);
  sigaddset(&termination, SIGINT);
  sigaddset(&termination, SIGHUP);
  sigprocmask(SIG_BLOCK, &termination, 0);
  if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
  close_from(3, kept, count);
  return 0;
}
