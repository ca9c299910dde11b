// holds: Peterson's algorithm, with sequentially consistent accesses
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

atomic_int wants[2];
atomic_int turn;
int counter;

static void *worker(void *argument) {
  int me = (int)(intptr_t)argument, other = 1 - me;
#ifdef TURN_FIRST
  atomic_store(&turn, other);
  atomic_store(&wants[me], 1);
#else
  atomic_store(&wants[me], 1);
  atomic_store(&turn, other);
#endif
  while (atomic_load(&wants[other]) && atomic_load(&turn) == other) {
  }
  counter++;
  atomic_store(&wants[me], 0);
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, worker, (void *)(intptr_t)i);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(counter == 2);
}
