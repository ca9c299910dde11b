// holds: a sequence lock, whose readers try again if a writer was there
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

atomic_uint sequence;
atomic_int first, second;

static void *writer(void *argument) {
#ifndef WITHOUT_ODD_SEQUENCE
  atomic_fetch_add(&sequence, 1);
#endif
  atomic_store(&first, 1);
  atomic_store(&second, 1);
#ifndef WITHOUT_ODD_SEQUENCE
  atomic_fetch_add(&sequence, 1);
#else
  atomic_fetch_add(&sequence, 2);
#endif
  return NULL;
}

static void *reader(void *argument) {
  unsigned before, after;
  int a, b;
  do {
    while ((before = atomic_load(&sequence)) & 1) {
    }
    a = atomic_load(&first);
    b = atomic_load(&second);
    after = atomic_load(&sequence);
  } while (before != after);
  assert(a == b);
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, writer, NULL);
  pthread_create(&threads[1], NULL, reader, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}
