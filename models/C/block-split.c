// holds: a block becomes a table, with the break in between that the architecture asks for
#define GW_ENTRIES 2
#define GW_LEVELS 2
#define GW_MMUS 1
#include <gracewalk.h>

struct gw_page *root, *page;

static void *host(void *argument) {
  struct gw_tlbi cpu = {0};
  struct gw_page *table = gw_alloc_page();
  for (int i = 0; i < 2; i++) atomic_store(&table->entries[i], gw_leaf_entry(page, GW_WRITE));
#ifndef WITHOUT_BREAK
  gw_set_entry(&cpu, &root->entries[0], GW_LOCKED);
  gw_dsb(&cpu);
#ifndef WITHOUT_TLBI
  gw_tlbi(&cpu, 0);
  gw_dsb(&cpu);
#endif
#endif
#ifndef WITHOUT_MAKE
#if defined(READ_ONLY)
  gw_set_entry(&cpu, &root->entries[0], gw_table_entry(table) & ~GW_WRITE);
#else
  gw_set_entry(&cpu, &root->entries[0], gw_table_entry(table));
#endif
#ifdef LINKED_TWICE
  gw_set_entry(&cpu, &root->entries[1], gw_table_entry(table));
#endif
#endif
  return NULL;
}

static void *guest(void *argument) {
  if (gw_guest_write(0, 0) == GW_TRANSLATION_FAULT) gw_must_happen("the guest meets the break");
  if (gw_guest_write(0, 1) == GW_DONE) gw_must_happen("the guest writes");
  return NULL;
}

int main(void) {
  gw_require("break-before-make");
  gw_require("no-conflicting-tlb-entries");
  gw_require("no-table-linked-twice");
  gw_require("no-entry-left-locked");
  gw_require("directories-stay-writable");
  root = gw_alloc_page();
  page = gw_alloc_page();
  atomic_store(&root->entries[0], gw_leaf_entry(page, GW_WRITE));
  gw_root(root);
  gw_mmu_enter(0, root, 0);
  gw_cpu(host, NULL);
  gw_cpu(guest, NULL);
  gw_run();
}
