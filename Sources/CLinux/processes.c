#include "fortified.h"

#include "CLinux.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timex.h>
#include <unistd.h>

int shim_setresgid(gid_t id) { return setresgid(id, id, id); }
int shim_setresuid(uid_t id) { return setresuid(id, id, id); }

bool shim_is_only(uid_t user, gid_t group) {
  uid_t users[3];
  gid_t groups[3];
  if (getresuid(users, users + 1, users + 2) != 0 || getresgid(groups, groups + 1, groups + 2) != 0) return false;
  for (int i = 0; i < 3; i++)
    if (users[i] != user || groups[i] != group) return false;
  return true;
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
