// Linux calls that are missing in Swift's Glibc module, and the work between fork and exec, which must be C.
#pragma once
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static inline int shim_pipe(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }
/// Creates an unnamed file in memory.
static inline int shim_memory_file(void) { return (int)syscall(SYS_memfd_create, "", 1 /* MFD_CLOEXEC */); }
static inline int shim_set_pipe_size(int descriptor, int size) {
  return fcntl(descriptor, 1031 /* F_SETPIPE_SZ */, size);
}
/// The name within an entry: an entry is shorter than its type, so it must not be copied as a whole.
static inline const char *shim_name(const struct dirent *entry) { return entry->d_name; }
static inline ssize_t shim_get_attribute(int descriptor, const char *name, void *value, size_t size) {
  return fgetxattr(descriptor, name, value, size);
}
static inline int shim_set_attribute(int descriptor, const char *name, const void *value, size_t size) {
  return fsetxattr(descriptor, name, value, size, 0);
}
static inline int shim_pidfd(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int shim_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }
static inline int shim_signal_read(int descriptor) {
  struct signalfd_siginfo info;
  return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static inline void shim_close_on_exec_from(int first) {
  const unsigned cloexec = 1u << 2; // CLOSE_RANGE_CLOEXEC, Linux 5.11
  if (syscall(SYS_close_range, (unsigned)first, ~0u, cloexec) == 0) return;
  for (int fd = first; fd < 1024; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

#include <grp.h>
int setresgid(gid_t real, gid_t effective, gid_t saved);
int setresuid(uid_t real, uid_t effective, uid_t saved);
int getresgid(gid_t *real, gid_t *effective, gid_t *saved);
int getresuid(uid_t *real, uid_t *effective, uid_t *saved);

static inline int shim_change_to(uid_t user, gid_t group, gid_t more) {
  if (setgroups(1, &more) != 0 || setresgid(group, group, group) != 0) return -1;
  return setresuid(user, user, user);
}

// Why a child could not be started: the error number, and whether execve returned it.
struct shim_refusal { int number; bool isOfExec; };

// Runs in the child after fork. Only async-signal-safe calls are allowed, as the program has threads.
static inline void shim_become(const char *path, char *const argv[], char *const envp[], const int *descriptors,
                               int count, pid_t parent, int report, uid_t user, gid_t group, gid_t more) {
  struct shim_refusal refusal = {0, false};
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, 0);
  // setsid makes a process group to signal, and detaches the terminal, so that the child cannot type into it. Unless
  // `parent` is 0, the child dies with the thread that started it.
  if (setsid() > 0 && (user == 0 || shim_change_to(user, group, more) == 0) &&
      (parent == 0 || (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent))) {
    int copied = 0;
    while (copied < count && dup2(descriptors[copied], copied) >= 0) copied++;
    if (copied == count) {
      shim_close_on_exec_from(count);
      execve(path, argv, envp);
      refusal.isOfExec = true;
    }
  }
  refusal.number = errno;
  (void)!write(report, &refusal, sizeof refusal);
  _exit(127);
}

// Starts `path` in its own process group, with descriptors[i] as descriptor i and no others; each must be at least
// `count`. `ends`: kill it when the calling thread ends. `user` other than 0: run as that user, with `group` and
// `more`. Returns the pid; -1 and errno if no child could be made, -2 and errno if exec failed.
static inline pid_t shim_spawn(const char *path, char *const argv[], char *const envp[], const int *descriptors,
                               int count, bool ends, uid_t user, gid_t group, gid_t more) {
  int reports[2];
  struct shim_refusal refusal = {0, false};
  if (shim_pipe(reports) != 0) return -1;
  int report = fcntl(reports[1], F_DUPFD_CLOEXEC, count);
  close(reports[1]);
  pid_t parent = ends ? getpid() : 0, pid = report < 0 ? -1 : fork();
  if (pid == 0) shim_become(path, argv, envp, descriptors, count, parent, report, user, group, more);
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

#include <sys/timex.h>

// 1 if the kernel regards its clock as synchronised (STA_UNSYNC is clear), 0 if not; -1 if the call is not permitted,
// as under systemd's ProtectClock=.
static inline int shim_clock_is_synced(void) {
  struct timex facts = {0};
  return adjtimex(&facts) == -1 ? -1 : (facts.status & STA_UNSYNC) == 0;
}

/// When a file was created, in milliseconds since 1970; when it was last modified, if that is unknown; -1 if there is
/// no such file.
static inline int64_t shim_birth_time(int folder, const char *name) {
  struct statx facts;
  if (syscall(SYS_statx, folder, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME | STATX_MTIME, &facts) != 0) return -1;
  struct statx_timestamp time = facts.stx_mask & STATX_BTIME ? facts.stx_btime : facts.stx_mtime;
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static inline unsigned shim_major(uint64_t device) { return (unsigned)((device >> 8) & 0xfff) | (unsigned)((device >> 32) & ~0xfffu); }
static inline unsigned shim_minor(uint64_t device) { return (unsigned)(device & 0xff) | (unsigned)((device >> 12) & ~0xffu); }

/// When an open file was created, in milliseconds since 1970; 0 if its file system does not record that.
static inline int64_t shim_birth(int descriptor) {
  struct statx facts;
  if (syscall(SYS_statx, descriptor, "", 0x1000 /* AT_EMPTY_PATH */, STATX_BTIME, &facts) != 0 || !(facts.stx_mask & STATX_BTIME)) return 0;
  return facts.stx_btime.tv_sec * 1000 + facts.stx_btime.tv_nsec / 1000000;
}

/// Makes all threads use one heap, to save memory. Call it before the first thread is started.
static inline void shim_share_heap(void) { mallopt(M_ARENA_MAX, 1); }

/// Returns freed memory to the system.
static inline void shim_trim_heap(void) { malloc_trim(0); }

/// Whether a file has an access control list that names further users or groups.
static inline bool shim_has_access_list(int descriptor) {
  return fgetxattr(descriptor, "system.posix_acl_access", 0, 0) >= 0;
}

enum { shim_O_PATH = 010000000 };

// Opens a folder in one call if no part of its path is a symbolic link; otherwise, and before Linux 5.6, returns -1.
static inline int shim_open_folder_without_links(int start, const char *path) {
  struct { uint64_t flags, mode, resolve; } how = {O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0x04 /* RESOLVE_NO_SYMLINKS */};
  return (int)syscall(437 /* SYS_openat2, the same everywhere */, start, path, &how, sizeof how);
}

// Opens a folder below `start` (O_PATH) without crossing a mount or following a link; -1 with EXDEV, ELOOP or ENOENT.
static inline int shim_find_folder_in_mount(int start, const char *path) {
  struct { uint64_t flags, mode, resolve; } how = {shim_O_PATH | O_DIRECTORY | O_CLOEXEC, 0, 0x05 /* and RESOLVE_NO_XDEV */};
  return (int)syscall(437, start, path, &how, sizeof how);
}

// Closes all descriptors but the standard ones and `kept`, which must be in ascending order.
static inline void shim_close_others(const int *kept, int count) {
  int first = 3;
  for (int i = 0; i <= count; i++) {
    int last = i < count ? kept[i] - 1 : 1 << 20;
    if (first <= last && syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) != 0)
      for (int fd = first; fd <= last && fd < 1024; fd++) close(fd);
    first = last + 2;
  }
}

// Forks a child that dies with this process, has no terminal, and blocks SIGTERM, SIGINT and SIGHUP.
static inline pid_t shim_fork(const int *kept, int count) {
  pid_t parent = getpid(), pid = fork();
  if (pid != 0) return pid;
  sigset_t asking;
  sigemptyset(&asking);
  sigaddset(&asking, SIGTERM);
  sigaddset(&asking, SIGINT);
  sigaddset(&asking, SIGHUP);
  sigprocmask(SIG_BLOCK, &asking, 0);
  if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
  shim_close_others(kept, count);
  return 0;
}

static inline int shim_setresgid(gid_t id) { return setresgid(id, id, id); }
static inline int shim_setresuid(uid_t id) { return setresuid(id, id, id); }

// Whether the real, effective and saved ids of this process are all that user and that group.
static inline bool shim_is_only(uid_t user, gid_t group) {
  uid_t users[3];
  gid_t groups[3];
  if (getresuid(users, users + 1, users + 2) != 0 || getresgid(groups, groups + 1, groups + 2) != 0) return false;
  for (int i = 0; i < 3; i++)
    if (users[i] != user || groups[i] != group) return false;
  return true;
}

// Whether `part` is somewhere in `text`; Swift doesn't see memmem.
static inline bool shim_contains(const void *text, size_t size, const char *part) {
  return memmem(text, size, part, strlen(part)) != NULL;
}

// Keeps other processes of this user from reading this process's memory or descriptors, and prevents core dumps.
static inline void shim_not_dumpable(void) { prctl(PR_SET_DUMPABLE, 0); }

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

typedef struct { uint32_t address; uint16_t port; } shim_endpoint; // both in network order
typedef struct { uint32_t inode; uid_t user; } shim_socket_owner;

// Asks the kernel for one IPv4 TCP socket by its two endpoints, which is fast however many sockets there are. False if
// there is none, or the kernel does not provide it.
static inline bool shim_find_socket(shim_endpoint near, shim_endpoint far, shim_socket_owner *owner) {
  struct { struct nlmsghdr head; struct inet_diag_req_v2 body; } request = {
      {sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0},
      {.sdiag_family = 2 /* AF_INET */, .sdiag_protocol = 6 /* TCP */, .idiag_states = ~0u}};
  request.body.id.idiag_sport = near.port;
  request.body.id.idiag_dport = far.port;
  request.body.id.idiag_src[0] = near.address;
  request.body.id.idiag_dst[0] = far.address;
  request.body.id.idiag_cookie[0] = request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  struct { struct nlmsghdr head; struct inet_diag_msg body; char rest[1024]; } answer;
  // <sys/socket.h> is not included, as it would hide Glibc's constants from Swift.
  int fd = (int)syscall(SYS_socket, 16 /* AF_NETLINK */, 2 /* SOCK_DGRAM */ | O_CLOEXEC | O_NONBLOCK, NETLINK_SOCK_DIAG);
  if (fd < 0) return false;
  ssize_t got = write(fd, &request, sizeof request) < 0 ? -1 : read(fd, &answer, sizeof answer);
  close(fd);
  if (got < (ssize_t)NLMSG_LENGTH(sizeof answer.body) || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
      answer.body.idiag_inode == 0)
    return false;
  *owner = (shim_socket_owner){answer.body.idiag_inode, answer.body.idiag_uid};
  return true;
}

#include <linux/magic.h>
#include <sys/vfs.h>

/// Whether a path lies on a file system in RAM.
static inline bool shim_is_in_ram(const char *path) {
  struct statfs facts;
  return statfs(path, &facts) == 0 && facts.f_type == TMPFS_MAGIC;
}
