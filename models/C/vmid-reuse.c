// holds: a VMID goes to another VM after what MMUs have cached with it is gone
#define GW_ENTRIES 1
#define GW_MMUS 1
#define GW_VMIDS 2
#include <gracewalk.h>

struct gw_page *old_root, *new_root, *page;
pthread_mutex_t scheduler = PTHREAD_MUTEX_INITIALIZER;
bool is_gone;

// The vCPU of the old VM, and then that of the new one with the same VMID.
static void *vcpu(void *argument) {
  gw_lock(&scheduler);
  if (!is_gone && gw_guest_read(0, 0) == GW_DONE) gw_must_happen("the old guest reads");
  gw_unlock(&scheduler);
  return NULL;
}

static void *host(void *argument) {
  struct gw_tlbi cpu = {.vmid = 1};
  gw_lock(&scheduler);
  is_gone = true;
#ifdef OTHER_VMID
  cpu.vmid = 0;
#endif
#ifndef WITHOUT_TLBI
  gw_tlbi(&cpu, -1);
  gw_dsb(&cpu);
#endif
  gw_reuse(page);
  gw_mmu_enter(0, new_root, 1);
  if (gw_guest_read(0, 0) == GW_TRANSLATION_FAULT) gw_must_happen("the new guest faults");
  gw_unlock(&scheduler);
  return NULL;
}

int main(void) {
  gw_require("no-reuse-while-cached");
  old_root = gw_alloc_page();
  new_root = gw_alloc_page();
  page = gw_alloc_page();
  gw_donate(page, 1);
  atomic_store(&old_root->entries[0], gw_leaf_entry(page, GW_WRITE));
  gw_mmu_enter(0, old_root, 1);
  gw_cpu(vcpu, NULL);
  gw_cpu(host, NULL);
  gw_run();
}
