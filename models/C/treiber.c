// holds: a stack after Treiber, whose top has a tag that each change makes new
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// Nodes are numbers, from 1; a top is the number of a node, and a tag above it.
#define NODES 3
#ifdef WITHOUT_TAG
#define TAG 0u
#else
#define TAG 0x100u
#endif

atomic_uint top;
atomic_uint next[NODES + 1];
atomic_int owners[NODES + 1];

static void push(unsigned node) {
  unsigned old = atomic_load(&top);
  do {
    atomic_store(&next[node], old & 0xFF);
  } while (!atomic_compare_exchange_strong(&top, &old, ((old & ~0xFFu) + TAG) | node));
}

static unsigned pop(void) {
  unsigned old = atomic_load(&top), node;
  do {
    node = old & 0xFF;
    if (node == 0) return 0;
  } while (!atomic_compare_exchange_strong(
      &top, &old, ((old & ~0xFFu) + TAG) | atomic_load(&next[node])));
  // Nobody else may have it.
  assert(atomic_fetch_add(&owners[node], 1) == 0);
  return node;
}

static void give(unsigned node) {
  atomic_fetch_sub(&owners[node], 1);
  push(node);
}

static void *taker(void *argument) {
  pop();
  pop();
  return NULL;
}

static void *giver(void *argument) {
  unsigned first = pop(), second = pop();
  if (first) give(first);
  (void)second;
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  for (unsigned node = 1; node <= NODES; node++) push(node);
  pthread_create(&threads[0], NULL, taker, NULL);
  pthread_create(&threads[1], NULL, giver, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}
