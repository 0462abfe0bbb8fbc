// Tells ThreadSanitizer of waits for a Mutex of Swift's Synchronization: that library isn't instrumented, so a lock that a
// thread had to wait for would seem to be none. Preloaded into programs that are built with ThreadSanitizer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define METHOD(name) "$s15Synchronization12_MutexHandleV" name
#define SELF __attribute__((swift_context)) void *self
#define SWIFT __attribute__((swiftcall))

// Weak, because the programs that these start lack it.
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

#define LOCK METHOD("9_lockSlowyys6UInt32VF")
#define TRY METHOD("12_tryLockSlowSbyF")
#define UNLOCK METHOD("11_unlockSlowyyF")

SWIFT void lock(uint32_t thread, SELF) __asm__(LOCK);
SWIFT void lock(uint32_t thread, SELF) {
  ((SWIFT void (*)(uint32_t, SELF))dlsym(RTLD_NEXT, LOCK))(thread, self);
  if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT bool try(SELF) __asm__(TRY);
SWIFT bool try(SELF) {
  bool has = ((SWIFT bool (*)(SELF))dlsym(RTLD_NEXT, TRY))(self);
  if (has && __tsan_acquire) __tsan_acquire(self);
  return has;
}

SWIFT void unlock(SELF) __asm__(UNLOCK);
SWIFT void unlock(SELF) {
  if (__tsan_release) __tsan_release(self);
  ((SWIFT void (*)(SELF))dlsym(RTLD_NEXT, UNLOCK))(self);
}
