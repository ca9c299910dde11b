// holds: a message is written, and then published
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef PUBLISH_RELAXED
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif

struct message {
  int text;
};

_Atomic(struct message *) box;

static void *sender(void *argument) {
  struct message *message = malloc(sizeof *message);
  message->text = 42;
  atomic_store_explicit(&box, message, PUBLISH);
#ifdef FREE_TOO_EARLY
  free(message);
#endif
  return NULL;
}

static void *receiver(void *argument) {
  struct message *message;
  while ((message = atomic_load_explicit(&box, memory_order_acquire)) == NULL) {
  }
  assert(message->text == 42);
#ifndef FREE_TOO_EARLY
  free(message);
#endif
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, sender, NULL);
  pthread_create(&threads[1], NULL, receiver, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}
