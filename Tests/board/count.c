// A plugin of QEMU's that counts the instructions it runs, in a file that can be read meanwhile: 64 numbers, whose sum counts.
//     cc -shared -fPIC -O2 -o count.so count.c && qemu-… -plugin ./count.so,counts=FILE
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// As much of QEMU's qemu-plugin.h as is used; Debian has no package of it.
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(
    struct qemu_plugin_tb *, void (*)(unsigned, void *), enum qemu_plugin_cb_flags, void *);

int qemu_plugin_version = 1;

enum { SLOTS = 64 };
static uint64_t *counts;

// A slot for each processor, or thread of a program.
static void ran(unsigned cpu, void *instructions) {
  __atomic_fetch_add(&counts[cpu % SLOTS], (uintptr_t)instructions, __ATOMIC_RELAXED);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  qemu_plugin_register_vcpu_tb_exec_cb(block, ran, QEMU_PLUGIN_CB_NO_REGS, (void *)qemu_plugin_tb_n_insns(block));
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **arguments) {
  size_t size = SLOTS * sizeof *counts;
  if (count != 1 || strncmp(arguments[0], "counts=", 7) != 0) return 1;
  int file = open(arguments[0] + 7, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0 || ftruncate(file, size) != 0) return 1;
  counts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (counts == MAP_FAILED) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}
