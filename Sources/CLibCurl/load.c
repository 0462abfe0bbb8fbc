// Loads libcurl without the libraries that snapshot never uses: twenty, for LDAP, RTMP, Kerberos and more, a fifth of a
// run's cost. The dynamic linker loads no library whose name is loaded already, so a stand-in that has all their names
// is loaded first (packaging/stand-ins builds it). Without the stand-in, libcurl is loaded whole.
#define _GNU_SOURCE
#include "library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The suffix is the version of the ABI that curl.h declares.
#define LIBCURL "libcurl.so.4"
// The version whose headers sessions.c includes.
#define LIBSSL "libssl.so.3"
// The stand-in's folder, seen from the program's: /usr/lib/snapshot for /usr/bin.
#define STAND_INS "/../lib/snapshot"

// Whether a name service (of glibc, in nsswitch.conf) links none of the libraries that have a stand-in. NIS links
// Kerberos, for example, and WINS links LDAP.
static bool is_plain(const char *service) {
  static const char *const plain[] = {"files", "dns", "systemd", "myhostname", "mymachines", "resolve"};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (!strcmp(service, plain[i])) return true;
  // "mdns4_minimal" and the like, and "[NOTFOUND=return]".
  return !strncmp(service, "mdns", 4) || *service == '[';
}

// Whether none of this machine's name services needs a library that has a stand-in.
static bool name_services_are_plain(void) {
  FILE *file = fopen("/etc/nsswitch.conf", "re");
  if (!file) return true;
  bool plain = true;
  char *line = NULL;
  for (size_t size = 0; plain && getline(&line, &size, file) >= 0;) {
    // glibc needs no blank after the colon.
    char *rest = NULL, *database = strtok_r(line, ": \t\n", &rest);
    if (!database || (strcmp(database, "hosts") && strcmp(database, "passwd") && strcmp(database, "group"))) continue;
    for (char *word; plain && (word = strtok_r(NULL, ": \t\n", &rest)) && *word != '#';) plain = is_plain(word);
  }
  free(line);
  fclose(file);
  return plain;
}

// Opens the stand-in's folder, if nobody but root and the program's owner can write to it; returns -1 otherwise.
static int open_folder(void) {
  struct stat program, folder;
  if (stat("/proc/self/exe", &program)) return -1;
  char path[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof STAND_INS);
  if (length < 0) return -1;
  path[length] = 0;
  char *name = strrchr(path, '/');
  if (!name) return -1;
  strcpy(name, STAND_INS);
  int made = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (made < 0) return -1;
  if (!fstat(made, &folder) && (!folder.st_uid || folder.st_uid == program.st_uid) && !(folder.st_mode & 022)) return made;
  close(made);
  return -1;
}

static void *load_stand_in(void) {
  // Load OpenSSL first, with the real libraries that it needs; that of Debian 13 needs libzstd.
  if (!dlopen(LIBSSL, RTLD_LAZY | RTLD_LOCAL) || !name_services_are_plain()) return NULL;
  int folder = open_folder();
  if (folder < 0) return NULL;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d/libsnapshot-names.so", folder);
  void *loaded = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  close(folder);
  return loaded;
}

void *shim_open_library(void) {
  void *stand_in = load_stand_in(), *library = dlopen(LIBCURL, RTLD_LAZY | RTLD_LOCAL);
  if (library || !stand_in) return library;
  // A newer libcurl may look up a function that the stand-in lacks.
  dlclose(stand_in);
  return dlopen(LIBCURL, RTLD_LAZY | RTLD_LOCAL);
}
