// holds: a ticket lock
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

atomic_uint next, serving;
int counter;

static unsigned take(void) {
#ifdef TAKE_IN_TWO_STEPS
  unsigned ticket = atomic_load(&next);
  atomic_store(&next, ticket + 1);
  return ticket;
#else
  return atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
#endif
}

#ifdef WAIT_RELAXED
#define WAIT memory_order_relaxed
#else
#define WAIT memory_order_acquire
#endif

static void *worker(void *argument) {
  unsigned ticket = take();
  while (atomic_load_explicit(&serving, WAIT) != ticket) {
  }
  counter++;
  atomic_store_explicit(&serving, ticket + 1, memory_order_release);
  return NULL;
}

int main(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, worker, NULL);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  assert(counter == 3);
}
