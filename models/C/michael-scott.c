// holds: a queue after Michael and Scott, whose nodes are freed when all threads are done
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

struct node {
  int item;
  _Atomic(struct node *) next;
};

_Atomic(struct node *) head, tail;
atomic_int taken[3];

static struct node *node(int item) {
  struct node *node = malloc(sizeof *node);
  node->item = item;
  atomic_init(&node->next, NULL);
  return node;
}

static void enqueue(int item) {
  struct node *new = node(item);
  for (;;) {
    struct node *last = atomic_load(&tail), *next = atomic_load(&last->next);
    if (next != NULL) {
      // Somebody has linked a node, and not yet moved the tail.
      atomic_compare_exchange_strong(&tail, &last, next);
      continue;
    }
#ifdef LINKS_BY_STORE
    atomic_store(&last->next, new);
#else
    if (!atomic_compare_exchange_strong(&last->next, &next, new)) continue;
#endif
    atomic_compare_exchange_strong(&tail, &last, new);
    return;
  }
}

static int dequeue(void) {
  for (;;) {
    struct node *first = atomic_load(&head), *last = atomic_load(&tail);
    struct node *next = atomic_load(&first->next);
    if (next == NULL) return 0;
#ifndef WITHOUT_HELPING
    if (first == last) {
      atomic_compare_exchange_strong(&tail, &last, next);
      continue;
    }
#endif
    int item = next->item;
    if (!atomic_compare_exchange_strong(&head, &first, next)) continue;
#ifdef FREES_AT_ONCE
    free(first);
#endif
    return item;
  }
}

static void *producer(void *argument) {
  enqueue(*(int *)argument);
  return NULL;
}

static void *consumer(void *argument) {
  int item = dequeue();
  if (item) assert(atomic_fetch_add(&taken[item], 1) == 0);
  return NULL;
}

int main(void) {
  static int items[2] = {1, 2};
  pthread_t threads[3];
  struct node *dummy = node(0);
  atomic_init(&head, dummy);
  atomic_init(&tail, dummy);
  pthread_create(&threads[0], NULL, producer, &items[0]);
  pthread_create(&threads[1], NULL, producer, &items[1]);
  pthread_create(&threads[2], NULL, consumer, NULL);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  consumer(NULL);
  consumer(NULL);
  assert(taken[1] == 1 && taken[2] == 1);
}
