// holds: left-right; readers use one copy of the data while the writer changes the other
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

// Plain data: nothing but the protocol keeps a reader and the writer apart.
struct data {
  int first, second;
} copies[2];

// The copy that readers use, and the counter that they arrive at.
atomic_int side, version;
atomic_int readers[2];

static void *reader(void *argument) {
  int mine = atomic_load(&version);
  atomic_fetch_add(&readers[mine], 1);
  struct data *data = &copies[atomic_load(&side)];
  assert(data->first == data->second);
  atomic_fetch_sub(&readers[mine], 1);
  return NULL;
}

static void drain(int index) {
  while (atomic_load(&readers[index]) != 0) {
  }
}

static void *writer(void *argument) {
  int old = atomic_load(&side);
  copies[!old].first = 1;
  copies[!old].second = 1;
  atomic_store(&side, !old);
  // New readers arrive at the other counter, so that the old one can become zero.
  int now = atomic_load(&version);
#ifndef WITHOUT_FIRST_DRAIN
  drain(!now);
#endif
#ifndef WITHOUT_TOGGLE
  atomic_store(&version, !now);
#endif
#ifndef WITHOUT_SECOND_DRAIN
  drain(now);
#endif
  copies[old].first = 1;
  copies[old].second = 1;
  return NULL;
}

static void *writers(void *argument) {
  writer(NULL);
  writer(NULL);
  return NULL;
}

int main(void) {
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, writers, NULL);
  pthread_create(&threads[1], NULL, reader, NULL);
  pthread_create(&threads[2], NULL, reader, NULL);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
}
