// holds: a page is zeroed and then installed as a table, and others walk it without a lock
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifdef INSTALLS_BY_PLAIN_STORE
#define INSTALL(entry, new) atomic_store_explicit(&(entry), (new), memory_order_relaxed)
#else
#define INSTALL(entry, new) atomic_store_explicit(&(entry), (new), memory_order_release)
#endif

#define VALID 1

// A page that was a table before, and still has an entry of that time.
_Atomic uint64_t page[2] = {0x1000 | VALID, 0x2000 | VALID};
_Atomic uint64_t root;

static void *mapper(void *argument) {
  for (int i = 0; i < 2; i++) atomic_store_explicit(&page[i], 0, memory_order_relaxed);
  INSTALL(root, (uint64_t)page | VALID);
  return NULL;
}

static void *walker(void *argument) {
  uint64_t entry = atomic_load_explicit(&root, memory_order_relaxed);
  if (!(entry & VALID)) return NULL;
  _Atomic uint64_t *table = (_Atomic uint64_t *)(entry & ~(uint64_t)VALID);
  for (int i = 0; i < 2; i++) {
    uint64_t leaf = atomic_load_explicit(&table[i], memory_order_relaxed);
    assert(!(leaf & VALID));
  }
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, mapper, NULL);
  pthread_create(&threads[1], NULL, walker, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}
