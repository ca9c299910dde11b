// holds: a sequence lock with the barriers of the kernel, and no more
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define READ_ONCE(x) atomic_load_explicit(&(x), memory_order_relaxed)
#define WRITE_ONCE(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)

#ifdef WITHOUT_WMB
#define WMB()
#else
#define WMB() atomic_thread_fence(memory_order_release)
#endif
#ifdef WITHOUT_RMB
#define RMB()
#else
#define RMB() atomic_thread_fence(memory_order_acquire)
#endif

atomic_uint sequence;
atomic_int first, second;

static void *writer(void *argument) {
  WRITE_ONCE(sequence, 1);
  WMB();
  WRITE_ONCE(first, 1);
  WRITE_ONCE(second, 1);
  WMB();
  WRITE_ONCE(sequence, 2);
  return NULL;
}

static void *reader(void *argument) {
  unsigned before = READ_ONCE(sequence);
  if (before & 1) return NULL;
  RMB();
  int a = READ_ONCE(first);
  int b = READ_ONCE(second);
  RMB();
  if (READ_ONCE(sequence) != before) return NULL;
  assert(a == b);
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, writer, NULL);
  pthread_create(&threads[1], NULL, reader, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}
