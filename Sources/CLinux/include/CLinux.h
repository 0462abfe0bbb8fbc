// Linux calls that are missing in Swift's Glibc module, and the work between fork and exec, which must be C. They
// return what the call of that name returns, unless a comment says otherwise.
#pragma once
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Descriptors and files.

int shim_pipe(int ends[2]);
int shim_set_pipe_size(int descriptor, int size);
/// Creates an unnamed file in memory.
int shim_memory_file(void);
int shim_pidfd(pid_t pid);
int shim_signalfd(const sigset_t *signals);
/// The signal that was read; 0 if there is none.
int shim_signal_read(int descriptor);
/// The name within an entry: an entry is shorter than its type, so it must not be copied as a whole.
const char *shim_name(const struct dirent *entry);
ssize_t shim_get_attribute(int descriptor, const char *name, void *value, size_t size);
int shim_set_attribute(int descriptor, const char *name, const void *value, size_t size);
/// Whether a file has an access control list that names further users or groups.
bool shim_has_access_list(int descriptor);
/// When a file was created, in milliseconds since 1970; when it was last modified, if that is unknown; -1 if there is
/// no such file.
int64_t shim_birth_or_modification_time(int folder, const char *name);
/// When an open file was created, in milliseconds since 1970; 0 if its file system does not record that.
int64_t shim_birth(int descriptor);
unsigned shim_major(uint64_t device);
unsigned shim_minor(uint64_t device);
/// Whether a path lies on a file system in RAM.
bool shim_is_in_ram(const char *path);

enum { shim_O_PATH = 010000000 };

/// Opens a folder in one call if no part of its path is a symbolic link; otherwise, and before Linux 5.6, returns -1.
int shim_open_folder_without_links(int start, const char *path);
/// Opens a folder (O_PATH) below `start`; returns -1 with EXDEV at a mount and with ELOOP at a link.
int shim_find_folder_in_mount(int start, const char *path);
/// Opens a path (O_PATH) if its way from the root crosses no mount; otherwise -1 with EXDEV.
int shim_find_in_root_mount(const char *path);
/// Whether `type`, a file system's type followed by a blank, is that of a network file system or of FUSE. `fuseblk` is
/// a local disk.
bool shim_is_remote(const void *type, size_t size);
/// Whether text of `/proc/PID/mountinfo` names a file system for which shim_is_remote is true.
bool shim_has_remote(const void *text, size_t size);

// Processes.

/// The call that failed in a child before its program began.
enum { shim_step_prepare, shim_step_find, shim_step_is_file, shim_step_exec };
typedef struct { int number, step; } shim_refusal;

/// Starts the first program of `paths` (ends with a null) in its own process group, with descriptors[i] as descriptor i
/// and no others; `count` is at most 64. `dies_with_thread`: kill it when the thread that forked it ends. `user` other
/// than 0: run as that user, with `group` and `supplementary`. Only the child touches the program's file, as its folder
/// may hang.
/// Reading from `*report` gives a shim_refusal if the start failed, or end of file once the program runs.
pid_t shim_spawn(char *const *paths, char *const argv[], char *const envp[], const int *descriptors, int count,
                 bool dies_with_thread, uid_t user, gid_t group, gid_t supplementary, int *report);
/// From now on shim_spawn forks in a thread with a descriptor table of its own. A child then inherits no file of a
/// folder that hangs, which it could not close. Returns 0, or -1 with errno.
int shim_begin_starter(void);
/// Forks a child that dies with the thread that forked it, has no terminal, and blocks SIGTERM, SIGINT and SIGHUP. It
/// keeps the standard descriptors and `kept`, which must be in ascending order.
pid_t shim_fork(const int *kept, int count);
/// Set the real, effective and saved id.
int shim_setresgid(gid_t id);
int shim_setresuid(uid_t id);
/// Whether the real, effective and saved ids of this process are all that user and that group.
bool shim_is_only(uid_t user, gid_t group);
/// Sets the name of this process in `/proc/PID/comm`, at most 15 bytes.
void shim_set_name(const char *name);
/// Keeps other processes of this user from reading this process's memory or descriptors, and prevents core dumps.
void shim_not_dumpable(void);
/// Makes all threads use one heap, to save memory. Call it before the first thread is started.
void shim_share_heap(void);
/// Returns freed memory to the system.
void shim_trim_heap(void);
/// Whether `part` is somewhere in `text`.
bool shim_contains(const void *text, size_t size, const char *part);
/// 1 if the kernel regards its clock as synchronised (STA_UNSYNC is clear), 0 if not; -1 if the call is not permitted,
/// as under systemd's ProtectClock=.
int shim_clock_is_synced(void);

// Sockets.

typedef struct { uint32_t address; uint16_t port; } shim_endpoint; // both in network order
typedef struct { uint32_t inode; uid_t user; } shim_socket_owner;

/// Asks the kernel for one IPv4 TCP socket by its two endpoints, which is fast however many sockets there are. False if
/// there is none, or the kernel does not provide it.
bool shim_find_socket(shim_endpoint near, shim_endpoint far, shim_socket_owner *owner);

// UDP over IPv4 for discovering cameras. Addresses and ports are in host byte order.

typedef struct {
  char name[16]; // IF_NAMESIZE
  uint32_t address, mask;
} shim_interface;

/// Lists the active interfaces with broadcast and an IPv4 address, at most `most`; returns their number, or -1.
int shim_interfaces(shim_interface *found, int most);
/// Creates a bound socket that may broadcast; broadcasts and multicasts leave by the interface with that address.
/// Returns -1 on failure.
/// - Parameter shared: whether others may bind to the same port; broadcasts then reach all of them.
int shim_udp(uint32_t address, uint16_t port, bool shared);
/// The port that a socket is bound to, 0 on failure.
uint16_t shim_udp_port(int descriptor);
/// Joins the multicast `group` on the interface with `address` (0: any).
int shim_udp_join(int descriptor, uint32_t group, uint32_t address);
ssize_t shim_udp_send(int descriptor, const void *bytes, size_t count, uint32_t address, uint16_t port);
/// Receives the next datagram and its sender; returns its size, or -1. What exceeds `size` is cut off.
ssize_t shim_udp_receive(int descriptor, void *bytes, size_t size, uint32_t *address, uint16_t *port);
