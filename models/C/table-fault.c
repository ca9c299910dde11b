// holds: two CPUs fault below the same empty entry, and each installs a table
// under tso: holds
// under arm: holds
#define GW_ENTRIES 2
#include <gracewalk.h>

struct gw_page *root;

static void *fault(void *argument) {
  gw_pte *slot = &root->entries[0];
  uint64_t empty = 0;
  if (atomic_load_explicit(slot, memory_order_relaxed) & GW_VALID) return NULL;
  struct gw_page *table = gw_alloc_page();
#ifdef INSTALLS_BY_STORE
  atomic_store(slot, gw_table_entry(table));
#else
  if (!atomic_compare_exchange_strong(slot, &empty, gw_table_entry(table))) {
    gw_must_happen("a fault loses the race");
    gw_put_page(table);
    return NULL;
  }
#endif
  gw_must_happen("a fault installs a table");
  return NULL;
}

int main(void) {
  gw_require("no-leaked-table-page");
  root = gw_alloc_page();
  gw_cpu(fault, NULL);
  gw_cpu(fault, NULL);
  gw_run();
}
