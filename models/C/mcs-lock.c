// holds: an MCS lock, whose waiters spin on a word of their own
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

struct waiter {
  _Atomic(struct waiter *) next;
  atomic_int waits;
};

_Atomic(struct waiter *) tail;
int counter;

static void *worker(void *argument) {
  struct waiter me;
  atomic_init(&me.next, NULL);
  atomic_init(&me.waits, 1);
  struct waiter *before = atomic_exchange(&tail, &me);
  if (before != NULL) {
    atomic_store(&before->next, &me);
    while (atomic_load(&me.waits)) {
    }
  }
  counter++;
  struct waiter *mine = &me;
  if (atomic_load(&me.next) == NULL) {
    if (atomic_compare_exchange_strong(&tail, &mine, NULL)) return NULL;
#ifdef WITHOUT_WAITING_FOR_SUCCESSOR
    return NULL;
#endif
    while (atomic_load(&me.next) == NULL) {
    }
  }
  struct waiter *after = atomic_load(&me.next);
  atomic_store(&after->waits, 0);
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, worker, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(counter == 2);
}
