// holds: a table is freed after a TLBI of all levels, although an MMU may walk at any moment
#define GW_ENTRIES 2
#define GW_LEVELS 2
#define GW_MMUS 1
#include <gracewalk.h>

struct gw_page *root, *page;

static void *host(void *argument) {
  struct gw_tlbi cpu = {0};
  struct gw_page *table = gw_table(gw_set_entry(&cpu, &root->entries[0], 0));
#ifndef WITHOUT_FIRST_DSB
  gw_dsb(&cpu);
#endif
#if defined(LAST_LEVEL)
  gw_tlbi_last_level(&cpu, 0);
#elif defined(OTHER_ADDRESS)
  gw_tlbi(&cpu, 2);
#elif !defined(WITHOUT_TLBI)
  gw_tlbi(&cpu, 0);
#endif
  gw_dsb(&cpu);
  gw_put_page(table);
  return NULL;
}

static void *walker(void *argument) {
  gw_mmu_speculate(0, root, 1);
  return NULL;
}

static void *guest(void *argument) {
  if (gw_guest_read(0, 0) == GW_DONE) gw_must_happen("the guest reaches the page");
  return NULL;
}

int main(void) {
  gw_require("no-leaked-table-page");
  gw_require("no-reuse-while-cached");
  gw_require("entries-are-well-formed");
  root = gw_alloc_page();
  page = gw_alloc_page();
  struct gw_page *table = gw_alloc_page();
  atomic_store(&table->entries[0], gw_leaf_entry(page, 0));
#ifdef MALFORMED
  atomic_store(&table->entries[1], gw_table_entry(page));
#endif
  atomic_store(&root->entries[0], gw_table_entry(table));
  gw_root(root);
  gw_mmu_enter(0, root, 0);
  gw_cpu(host, NULL);
  gw_cpu(walker, NULL);
  gw_cpu(guest, NULL);
  gw_run();
}
