// holds: mappers and a collapser on a small two-level table; gracewalk bench measures it
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#ifndef N
#define N 2
#endif

// An entry is invalid, locked, a block (a page, in a leaf), or the number of a table above these.
enum { invalid, locked, block, page = block, first_table = 16 };

_Atomic uint64_t root[2];
_Atomic uint64_t leaf[N][2];
// Tables in use, and tables that the collapser has taken out.
int installed[N], collapsed[N];

static void *map(void *argument) {
  int mapper = (int)(intptr_t)argument;
  _Atomic uint64_t *slot = &root[mapper % 4 >> 1];
  uint64_t table = atomic_load(slot), none = invalid;
  if (table == invalid) {
#ifdef LOCKS_BY_STORE
    atomic_store(slot, locked);
#else
    if (!atomic_compare_exchange_strong(slot, &none, locked)) return NULL;
#endif
    installed[mapper] = 1;
    table = first_table + (uint64_t)mapper;
    atomic_store(slot, table);
  }
  if (table < first_table) return NULL;
  _Atomic uint64_t *entry = &leaf[table - first_table][mapper & 1];
  none = invalid;
  if (atomic_load(entry) != invalid) return NULL;
  if (!atomic_compare_exchange_strong(entry, &none, locked)) return NULL;
  atomic_store(entry, page);
  return NULL;
}

static void *collapse(void *argument) {
  uint64_t table = atomic_load(&root[0]);
  if (table < first_table) return NULL;
  uint64_t number = table - first_table;
  if (!atomic_compare_exchange_strong(&root[0], &table, locked)) return NULL;
  atomic_store(&root[0], block);
  for (int i = 0; i < 2; i++) {
    uint64_t value = atomic_load(&leaf[number][i]);
    if (value == locked) continue;
    atomic_compare_exchange_strong(&leaf[number][i], &value, value == page ? invalid : locked);
  }
  collapsed[number] = 1;
  return NULL;
}

int main(void) {
  pthread_t threads[N + 1];
  for (int i = 0; i < N; i++) pthread_create(&threads[i], NULL, map, (void *)(intptr_t)i);
  pthread_create(&threads[N], NULL, collapse, NULL);
  for (int i = 0; i <= N; i++) pthread_join(threads[i], NULL);
  // No table is lost: one that was installed is in a root, or was collapsed.
  for (uint64_t i = 0; i < N; i++) {
    uint64_t table = first_table + i;
    if (installed[i]) assert(root[0] == table || root[1] == table || collapsed[i]);
  }
}
