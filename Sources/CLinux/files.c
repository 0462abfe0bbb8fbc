#include "fortified.h"

#include "CLinux.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

_Static_assert(shim_O_PATH == O_PATH, "the header's value");

int shim_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
int shim_set_pipe_size(int descriptor, int size) { return fcntl(descriptor, F_SETPIPE_SZ, size); }
int shim_memory_file(void) { return memfd_create("", MFD_CLOEXEC); }
int shim_pidfd(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int shim_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }
int shim_signal_read(int descriptor) {
  struct signalfd_siginfo info;
  return read(descriptor, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

const char *shim_name(const struct dirent *entry) { return entry->d_name; }

ssize_t shim_get_attribute(int descriptor, const char *name, void *value, size_t size) {
  return fgetxattr(descriptor, name, value, size);
}
int shim_set_attribute(int descriptor, const char *name, const void *value, size_t size) {
  return fsetxattr(descriptor, name, value, size, 0);
}
bool shim_has_access_list(int descriptor) { return fgetxattr(descriptor, "system.posix_acl_access", 0, 0) >= 0; }

static int64_t milliseconds(struct statx_timestamp time) { return time.tv_sec * 1000 + time.tv_nsec / 1000000; }

int64_t shim_birth_or_modification_time(int folder, const char *name) {
  struct statx facts;
  if (statx(folder, name, AT_SYMLINK_NOFOLLOW, STATX_BTIME | STATX_MTIME, &facts) != 0) return -1;
  return milliseconds(facts.stx_mask & STATX_BTIME ? facts.stx_btime : facts.stx_mtime);
}

int64_t shim_birth(int descriptor) {
  struct statx facts;
  if (statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME, &facts) != 0 || !(facts.stx_mask & STATX_BTIME)) return 0;
  return milliseconds(facts.stx_btime);
}

unsigned shim_major(uint64_t device) { return major(device); }
unsigned shim_minor(uint64_t device) { return minor(device); }

bool shim_is_in_ram(const char *path) {
  struct statfs facts;
  return statfs(path, &facts) == 0 && facts.f_type == TMPFS_MAGIC;
}

// glibc has no openat2, whose number is the same everywhere.
static int open_within(int start, const char *path, int flags, uint64_t resolve) {
  struct { uint64_t flags, mode, resolve; } how = {flags | O_CLOEXEC, 0, resolve};
  return (int)syscall(437, start, path, &how, sizeof how);
}

int shim_open_folder_without_links(int start, const char *path) {
  return open_within(start, path, O_RDONLY | O_DIRECTORY, 0x04 /* RESOLVE_NO_SYMLINKS */);
}
int shim_find_folder_in_mount(int start, const char *path) {
  return open_within(start, path, O_PATH | O_DIRECTORY, 0x05 /* and RESOLVE_NO_XDEV */);
}
int shim_find_in_root_mount(const char *path) {
  return open_within(AT_FDCWD, path, O_PATH, 0x01 /* RESOLVE_NO_XDEV */);
}
