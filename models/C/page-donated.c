// holds: a page is given to another VM when its old guests cannot reach it any more
#define GW_ENTRIES 1
#define GW_MMUS 2
#include <gracewalk.h>

struct gw_page *root, *page;

static void *host(void *argument) {
  struct gw_tlbi cpu = {.mmu = 1};
  gw_set_entry(&cpu, &root->entries[0], 0);
  gw_dsb(&cpu);
#ifdef LOCAL
  gw_tlbi_local(&cpu, 0);
#else
  gw_tlbi(&cpu, 0);
#endif
  gw_dsb(&cpu);
  gw_expect_untranslated(0, 0);
#ifndef LOCAL
  gw_donate(page, 1);
#endif
  return NULL;
}

static void *guest(void *argument) {
#ifdef BEFORE_UNMAP
  gw_donate(page, 1);
#endif
  if (gw_guest_read(0, 0) == GW_DONE) gw_must_happen("the guest reads");
  return NULL;
}

int main(void) {
  gw_require("no-stale-use-after-dsb");
  gw_require("donated-page-unreachable");
  root = gw_alloc_page();
  page = gw_alloc_page();
  atomic_store(&root->entries[0], gw_leaf_entry(page, 0));
  gw_mmu_enter(0, root, 0);
  gw_mmu_enter(1, root, 0);
  gw_cpu(host, NULL);
  gw_cpu(guest, NULL);
  gw_run();
}
