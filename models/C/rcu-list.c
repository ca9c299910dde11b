// holds: a list that readers walk under RCU while an element is replaced and another removed
// under tso: holds
// under arm: holds
#include <assert.h>
#include <gracewalk.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef PUBLISHES_RELAXED
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif

// Plain data: elements never change once they are in the list.
struct element {
  int key, value;
  _Atomic(struct element *) next;
};

_Atomic(struct element *) head;

static struct element *element(int key, int value, struct element *next) {
  struct element *new = malloc(sizeof *new);
  new->key = key;
  new->value = value;
  atomic_init(&new->next, next);
  return new;
}

static int lookup(int key) {
  int value = 0;
#ifndef WITHOUT_SECTION
  rcu_read_lock();
#endif
  struct element *at = atomic_load_explicit(&head, memory_order_acquire);
  while (at != NULL && at->key != key) at = atomic_load_explicit(&at->next, memory_order_acquire);
#ifdef SECTION_TOO_SHORT
  rcu_read_unlock();
#endif
  if (at != NULL) value = at->value;
#if !defined WITHOUT_SECTION && !defined SECTION_TOO_SHORT
  rcu_read_unlock();
#endif
  return value;
}

static void *reader(void *argument) {
  int value = lookup(2);
  assert(value == 20 || value == 21 || value == 0);
  return NULL;
}

static void *updater(void *argument) {
  struct element *first = atomic_load_explicit(&head, memory_order_relaxed);
  struct element *second = atomic_load_explicit(&first->next, memory_order_relaxed);
  // Replaces the second element, and then removes the first.
  struct element *new = element(2, 21, NULL);
  atomic_store_explicit(&first->next, new, PUBLISH);
#ifndef WITHOUT_GRACE_PERIOD
  synchronize_rcu();
#endif
  free(second);
  atomic_store_explicit(&head, new, memory_order_release);
  synchronize_rcu();
  free(first);
  return NULL;
}

int main(void) {
  pthread_t threads[3];
  atomic_init(&head, element(1, 10, element(2, 20, NULL)));
  pthread_create(&threads[0], NULL, updater, NULL);
  pthread_create(&threads[1], NULL, reader, NULL);
  pthread_create(&threads[2], NULL, reader, NULL);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  free(atomic_load(&head));
}
