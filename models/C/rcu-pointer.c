// holds: a table is read in a read-side section, and freed after a grace period
// under tso: holds
// under arm: holds
#define GW_ENTRIES 1
#include <gracewalk.h>

_Atomic(struct gw_page *) table;

static void *reader(void *argument) {
#ifndef WITHOUT_SECTION
  rcu_read_lock();
#endif
  struct gw_page *page = gw_dereference(table);
  if (page) atomic_load(&page->entries[0]);
#ifndef WITHOUT_SECTION
  rcu_read_unlock();
#endif
  return NULL;
}

static void *remover(void *argument) {
  struct gw_page *page = atomic_exchange(&table, NULL);
  synchronize_rcu();
  gw_put_page(page);
  return NULL;
}

int main(void) {
  gw_require("grace-period-safety");
  gw_require("no-leaked-table-page");
  gw_assign_pointer(table, gw_alloc_page());
  gw_cpu(reader, NULL);
  gw_cpu(remover, NULL);
  gw_run();
}
