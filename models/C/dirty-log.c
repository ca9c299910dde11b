// holds: a page is write-protected, with a TLBI, before it is copied and its mark is taken away
#define GW_ENTRIES 1
#define GW_MMUS 1
#include <gracewalk.h>

struct gw_page *root, *page;
atomic_int dirty;
uint64_t copied;

static void *copier(void *argument) {
  struct gw_tlbi cpu = {0};
  atomic_store(&dirty, 0);
  gw_set_entry(&cpu, &root->entries[0], gw_leaf_entry(page, 0));
  gw_dsb(&cpu);
#ifndef WITHOUT_TLBI
  gw_tlbi(&cpu, 0);
  gw_dsb(&cpu);
#endif
  copied = atomic_load(&page->writes);
  return NULL;
}

static void *guest(void *argument) {
  struct gw_tlbi cpu = {0};
  while (gw_guest_write(0, 0) == GW_PERMISSION_FAULT) {
    gw_must_happen("the guest faults");
    atomic_store(&dirty, 1);
    gw_replace_entry(
        &cpu, &root->entries[0], gw_leaf_entry(page, 0), gw_leaf_entry(page, GW_WRITE));
    gw_dsb(&cpu);
    gw_tlbi(&cpu, 0);
    gw_dsb(&cpu);
  }
  return NULL;
}

int main(void) {
  gw_require("no-guest-write-without-dirty-record");
  root = gw_alloc_page();
  page = gw_alloc_page();
  atomic_store(&root->entries[0], gw_leaf_entry(page, GW_WRITE));
  gw_mmu_enter(0, root, 0);
  gw_cpu(copier, NULL);
  gw_cpu(guest, NULL);
  gw_run();
  gw_invariant(
      "no-guest-write-without-dirty-record", atomic_load(&page->writes) == copied || dirty);
}
