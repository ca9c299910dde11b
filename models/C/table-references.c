// holds: a table has a reference for itself and one for each of its entries in use
#define GW_ENTRIES 2
#include <gracewalk.h>

struct gw_page *root, *page;

static void *map(void *argument) {
  struct gw_tlbi cpu = {0};
  gw_get_page(root);
  if (!gw_replace_entry(&cpu, &root->entries[0], 0, gw_leaf_entry(page, 0))) {
    gw_must_happen("a CPU is too late");
#ifndef WITHOUT_PUT
    gw_put_page(root);
#endif
  }
  return NULL;
}

int main(void) {
  gw_require("references-match-entries");
  root = gw_alloc_page();
  page = gw_alloc_page();
  gw_root(root);
  gw_cpu(map, NULL);
  gw_cpu(map, NULL);
  gw_run();
}
