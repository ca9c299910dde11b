// holds: a deque after Chase and Lev; the owner works at one end, thieves at the other
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

// A size that is a power of two, and enough for what is pushed.
#define SIZE 4

atomic_int top, bottom;
atomic_int items[SIZE];
atomic_int taken[3];

static void push(int item) {
  int b = atomic_load_explicit(&bottom, memory_order_relaxed);
  atomic_store_explicit(&items[b % SIZE], item, memory_order_relaxed);
  atomic_store_explicit(&bottom, b + 1, memory_order_release);
}

static int take(void) {
  int b = atomic_load_explicit(&bottom, memory_order_relaxed) - 1;
#ifdef LOOKS_BEFORE_CLAIMING
  int t = atomic_load(&top);
  atomic_store(&bottom, b);
#else
  // The claim comes first, so that a thief that takes the same item sees it.
  atomic_store(&bottom, b);
  int t = atomic_load(&top);
#endif
  if (t > b) {
    atomic_store_explicit(&bottom, b + 1, memory_order_relaxed);
    return 0;
  }
  int item = atomic_load_explicit(&items[b % SIZE], memory_order_relaxed);
  if (t < b) return item;
#ifndef WITHOUT_CONTEST
  // It is the last one: a thief may want it, too.
  if (!atomic_compare_exchange_strong(&top, &t, t + 1)) item = 0;
#endif
  atomic_store_explicit(&bottom, b + 1, memory_order_relaxed);
  return item;
}

static int steal(void) {
  int t = atomic_load(&top);
  int b = atomic_load(&bottom);
  if (t >= b) return 0;
  int item = atomic_load_explicit(&items[t % SIZE], memory_order_relaxed);
  if (!atomic_compare_exchange_strong(&top, &t, t + 1)) return 0;
  return item;
}

static void note(int item) {
  if (item) assert(atomic_fetch_add(&taken[item], 1) == 0);
}

static void *owner(void *argument) {
  push(1);
  push(2);
  note(take());
  note(take());
  return NULL;
}

static void *thief(void *argument) {
  note(steal());
  note(steal());
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, owner, NULL);
  pthread_create(&threads[1], NULL, thief, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(taken[1] == 1 && taken[2] == 1);
}
