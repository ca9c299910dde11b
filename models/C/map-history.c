// holds: mapping and looking up act as if each took effect at one moment
#define GW_ENTRIES 1
#include <gracewalk.h>
#include <string.h>

struct gw_page *root;
enum { DONE, EXISTS, NOTHING };

static void *map(void *argument) {
  struct gw_operation operation = gw_begin("map", 0);
  uint64_t empty = 0;
#ifdef BY_STORE
  bool done = atomic_load(&root->entries[0]) == 0;
  if (done) atomic_store(&root->entries[0], GW_VALID);
#else
  bool done = atomic_compare_exchange_strong(&root->entries[0], &empty, GW_VALID);
#endif
  gw_end(operation, done ? DONE : EXISTS);
  return NULL;
}

static void *look_up(void *argument) {
  struct gw_operation operation = gw_begin("look up", 0);
  bool found = atomic_load(&root->entries[0]) != 0;
  gw_end(operation, found ? DONE : NOTHING);
  return NULL;
}

static bool allows(const char *name, int address, uint64_t result, uint64_t *state) {
  bool is_mapped = state[address];
  if (strcmp(name, "look up") == 0) return result == (is_mapped ? DONE : NOTHING);
  state[address] = 1;
  return result == (is_mapped ? EXISTS : DONE);
}

int main(void) {
  gw_require("operations-linearise");
  root = gw_alloc_page();
  gw_cpu(map, NULL);
  gw_cpu(map, NULL);
  gw_cpu(look_up, NULL);
  gw_run();
  gw_judge_history(allows);
}
