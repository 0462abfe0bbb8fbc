// A race between two threads, for a test of the tests: it happens in each process that gives freed memory back, as the two of
// a relay under systemd do. Preloaded into programs that are built with ThreadSanitizer.
#include <pthread.h>
#include <stddef.h>

// Weak, because the programs that these start lack it.
extern void __tsan_write4(void *) __attribute__((weak));

static int number;

static void *write_number(void *nothing) {
  __tsan_write4(&number);
  return nothing;
}

int malloc_trim(size_t left) {
  (void)left;
  pthread_t other;
  if (!__tsan_write4 || pthread_create(&other, NULL, write_number, NULL) != 0) return 0;
  write_number(NULL);
  pthread_join(other, NULL);
  return 0;
}
