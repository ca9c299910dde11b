// holds: a page is given away when its entry is invalid and no MMU has it cached any more
#define GW_ENTRIES 1
#include <gracewalk.h>

struct gw_page *root, *page;

static void *host(void *argument) {
  struct gw_tlbi pending = {0};
  atomic_store(&root->entries[0], 0);
#ifndef WITHOUT_TLBI
  gw_tlbi(&pending, 0);
#endif
#ifndef WITHOUT_DSB
  gw_dsb(&pending);
#endif
  gw_reuse(page);
  return NULL;
}

// The MMU walks when it likes to.
static void *walker(void *argument) {
  gw_mmu_speculate(0, root, 0);
  return NULL;
}

static void *guest(void *argument) {
  if (gw_translate(0, root, 0)) gw_must_happen("the guest reaches the page");
  return NULL;
}

int main(void) {
  root = gw_alloc_page();
  page = gw_alloc_page();
  atomic_store(&root->entries[0], gw_table_entry(page));
  gw_cpu(host, NULL);
  gw_cpu(walker, NULL);
  gw_cpu(guest, NULL);
  gw_run();
}
