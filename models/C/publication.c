// holds: an object is filled, and then linked for readers that take no lock
// under tso: holds
// under arm: holds
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef LINK_RELAXED
#define LINK memory_order_relaxed
#else
#define LINK memory_order_release
#endif

// The kernel's READ_ONCE and WRITE_ONCE, for fields that may be read while they change.
#define READ_ONCE(x) atomic_load_explicit(&(x), memory_order_relaxed)
#define WRITE_ONCE(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)

struct object {
  atomic_int key, value;
};

struct object objects[2];
_Atomic(struct object *) published;

static void *writer(void *argument) {
  struct object *object = &objects[1];
  WRITE_ONCE(object->key, 1);
  WRITE_ONCE(object->value, 2);
  atomic_store_explicit(&published, object, LINK);
  return NULL;
}

static void *reader(void *argument) {
#ifdef READ_BY_NUMBER
  // The address is known without the pointer, so nothing depends on the load but a branch.
  if (READ_ONCE(published) != &objects[1]) return NULL;
  struct object *object = &objects[1];
#else
  struct object *object = READ_ONCE(published);
  if (object == NULL) return NULL;
#endif
  int value = READ_ONCE(object->value);
  int key = READ_ONCE(object->key);
  assert(key == 1 && value == 2);
  return NULL;
}

int main(void) {
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, writer, NULL);
  pthread_create(&threads[1], NULL, reader, NULL);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}
