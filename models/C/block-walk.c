// holds: while a block becomes a table, an MMU walks to it whenever it likes
#define GW_ENTRIES 2
#define GW_LEVELS 2
#define GW_MMUS 1
#include <gracewalk.h>

struct gw_page *root, *page, *other;

static void *host(void *argument) {
  struct gw_tlbi cpu = {0};
  struct gw_page *table = gw_alloc_page();
  atomic_store(&table->entries[1], gw_leaf_entry(other, 0));
#ifdef BY_STORE
  atomic_store(&root->entries[0], gw_table_entry(table));
#else
  gw_set_entry(&cpu, &root->entries[0], 0);
  gw_dsb(&cpu);
  gw_tlbi(&cpu, 0);
  gw_dsb(&cpu);
  gw_set_entry(&cpu, &root->entries[0], gw_table_entry(table));
#endif
  return NULL;
}

static void *walker(void *argument) {
  gw_mmu_speculate(0, root, 0);
  if (gw_mmu_speculate(0, root, 1)) gw_must_happen("the MMU caches an entry");
  return NULL;
}

int main(void) {
  gw_require("no-conflicting-tlb-entries");
  root = gw_alloc_page();
  page = gw_alloc_page();
  other = gw_alloc_page();
  atomic_store(&root->entries[0], gw_leaf_entry(page, 0));
  gw_mmu_enter(0, root, 0);
  gw_cpu(host, NULL);
  gw_cpu(walker, NULL);
  gw_run();
}
