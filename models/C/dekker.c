// holds: each thread says that it wants to enter, and enters if the other does not want to
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifdef WITHOUT_FENCE
#define FENCE()
#else
#define FENCE() atomic_thread_fence(memory_order_seq_cst)
#endif

atomic_int wants[2];
atomic_int inside;

static void *worker(void *argument) {
  int me = (int)(intptr_t)argument, other = 1 - me;
  atomic_store_explicit(&wants[me], 1, memory_order_relaxed);
  FENCE();
  if (atomic_load_explicit(&wants[other], memory_order_relaxed) == 0) {
    // Whoever enters stays inside.
    int before = atomic_fetch_add_explicit(&inside, 1, memory_order_relaxed);
    assert(before == 0);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, worker, (void *)(intptr_t)i);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}
