// violates race: both threads add to a plain variable, and nothing orders them
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

int counter;

static void *worker(void *argument) {
  counter++;
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, worker, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  assert(counter == 2);
}
