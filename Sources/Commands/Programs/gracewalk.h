/* gracewalk.h: what C has no words for, in programs that Gracewalk checks.
 *
 * `gracewalk check FILE.c` finds this file by itself; `gracewalk show gracewalk.h` prints it.
 * Compiled for a machine, the same program is one run of it: choices are random, RCU is a lock.
 */
#ifndef GRACEWALK_H
#define GRACEWALK_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define GW_UNUSED __attribute__((unused))

/* Choices, assumptions, requirements ---------------------------------------------------------- */

#ifdef __GRACEWALK__
/* A number below count: each of them is tried. */
int gw_choose(int count);
/* Executions in which it does not hold are not looked at. */
void __VERIFIER_assume(int condition);
#define gw_assume(condition) __VERIFIER_assume(!!(condition))
/* Shows a text in executions. */
#define gw_note(text) ((void)puts(text))
int puts(const char *);
/* Requires one of Gracewalk's invariants; see the list in Docs/C.md. */
void gw_require(const char *invariant);
/* Says that some execution comes here: without one, the verdict is not "holds". */
void gw_must_happen(const char *what);
#else
static GW_UNUSED int gw_choose(int count) { return rand() % count; }
#define gw_assume(condition) ((condition) ? (void)0 : exit(0))
#define gw_note(text) ((void)(text))
#define gw_require(invariant) ((void)(invariant))
#define gw_must_happen(what) ((void)(what))
#endif

/* Waits until a condition holds. Any loop that only reads is such a wait, too. */
#define gw_wait(condition) \
  do {                     \
  } while (!(condition))

/* CPUs ---------------------------------------------------------------------------------------- */

/* Starts a CPU that runs an operation; gw_run() waits for all CPUs. */
#ifndef GW_CPUS
#define GW_CPUS 16
#endif
static pthread_t gw_cpus[GW_CPUS] GW_UNUSED;
static int gw_cpu_count GW_UNUSED;

static GW_UNUSED void gw_cpu(void *(*operation)(void *), void *argument) {
  assert(gw_cpu_count < GW_CPUS && "more CPUs than GW_CPUS");
  pthread_create(&gw_cpus[gw_cpu_count++], NULL, operation, argument);
}

static GW_UNUSED void gw_run(void) {
  while (gw_cpu_count > 0) pthread_join(gw_cpus[--gw_cpu_count], NULL);
}

/* Locks --------------------------------------------------------------------------------------- */

typedef pthread_mutex_t gw_spinlock;
#define GW_SPINLOCK PTHREAD_MUTEX_INITIALIZER
static GW_UNUSED void gw_lock(gw_spinlock *lock) { pthread_mutex_lock(lock); }
static GW_UNUSED bool gw_try_lock(gw_spinlock *lock) { return pthread_mutex_trylock(lock) == 0; }
static GW_UNUSED void gw_unlock(gw_spinlock *lock) { pthread_mutex_unlock(lock); }

/* Strict C without POSIX has none. */
#ifdef PTHREAD_RWLOCK_INITIALIZER
typedef pthread_rwlock_t gw_rwlock;
#define GW_RWLOCK PTHREAD_RWLOCK_INITIALIZER
static GW_UNUSED void gw_read_lock(gw_rwlock *lock) { pthread_rwlock_rdlock(lock); }
static GW_UNUSED void gw_read_unlock(gw_rwlock *lock) { pthread_rwlock_unlock(lock); }
static GW_UNUSED void gw_write_lock(gw_rwlock *lock) { pthread_rwlock_wrlock(lock); }
static GW_UNUSED void gw_write_unlock(gw_rwlock *lock) { pthread_rwlock_unlock(lock); }
#endif

/* Read-copy update ---------------------------------------------------------------------------- */

struct rcu_head {
  void *gw_unused[2];
};

#ifdef __GRACEWALK__
void rcu_read_lock(void);
void rcu_read_unlock(void);
void synchronize_rcu(void);
void call_rcu(struct rcu_head *head, void (*callback)(struct rcu_head *));
void rcu_barrier(void);
/* Frees an object after a grace period. */
void gw_free_after_grace(void *object);
#else
static atomic_int gw_readers GW_UNUSED;
static GW_UNUSED void rcu_read_lock(void) { atomic_fetch_add(&gw_readers, 1); }
static GW_UNUSED void rcu_read_unlock(void) { atomic_fetch_sub(&gw_readers, 1); }
static GW_UNUSED void synchronize_rcu(void) { gw_wait(atomic_load(&gw_readers) == 0); }
static GW_UNUSED void call_rcu(struct rcu_head *head, void (*callback)(struct rcu_head *)) {
  synchronize_rcu();
  callback(head);
}
static GW_UNUSED void rcu_barrier(void) {}
static GW_UNUSED void gw_free_after_grace(void *object) {
  synchronize_rcu();
  free(object);
}
#endif

/* Publishes and follows pointers, as the kernel's macros do. */
#define gw_assign_pointer(pointer, value) \
  atomic_store_explicit(&(pointer), (value), memory_order_release)
#define gw_dereference(pointer) atomic_load_explicit(&(pointer), memory_order_acquire)

/* Table pages --------------------------------------------------------------------------------- */

/* Entries of a table page; few of them make small searches. */
#ifndef GW_ENTRIES
#define GW_ENTRIES 512
#endif

typedef _Atomic(uint64_t) gw_pte;

/* A table page, with references that keep it. */
struct gw_page {
  gw_pte entries[GW_ENTRIES];
  atomic_int references;
};

/* A zeroed page with one reference. */
static GW_UNUSED struct gw_page *gw_alloc_page(void) {
  struct gw_page *page = calloc(1, sizeof *page);
  if (page != NULL) atomic_init(&page->references, 1);
  return page;
}

static GW_UNUSED void gw_get_page(struct gw_page *page) {
  atomic_fetch_add_explicit(&page->references, 1, memory_order_relaxed);
}

static GW_UNUSED int gw_page_count(struct gw_page *page) {
  return atomic_load(&page->references);
}

/* Drops a reference; true if it was the last, and the page is freed. */
static GW_UNUSED bool gw_put_page(struct gw_page *page) {
  int old = atomic_fetch_sub(&page->references, 1);
  assert(old > 0 && "a reference is dropped that nobody had");
  if (old == 1) free(page);
  return old == 1;
}

/* Entries: bit 0 says that one is valid, bit 1 that it leads to a table and not to a block. */
#define GW_VALID 1ull
#define GW_TABLE 2ull
#define GW_FRAME 0xfffffffff000ull
static GW_UNUSED uint64_t gw_table_entry(struct gw_page *page) {
  return (uint64_t)(uintptr_t)page | GW_VALID | GW_TABLE;
}
static GW_UNUSED bool gw_is_table(uint64_t entry) {
  return (entry & (GW_VALID | GW_TABLE)) == (GW_VALID | GW_TABLE);
}
static GW_UNUSED struct gw_page *gw_table(uint64_t entry) {
  return (struct gw_page *)(uintptr_t)(entry & ~(GW_VALID | GW_TABLE));
}

/* Memory management units ---------------------------------------------------------------------
 *
 * An MMU caches one translation for each of GW_ENTRIES addresses of a table with one level. It may
 * cache what an entry says whenever it likes: gw_mmu_speculate(), on a CPU of its own or between
 * other things. A TLBI takes effect at the next DSB of the CPU that made it, which also waits for
 * walks that are under way. Before that, others may still use what they have cached.
 */
#ifndef GW_MMUS
#define GW_MMUS 2
#endif

static struct {
  gw_pte tlb[GW_ENTRIES];
  atomic_int walks;
} gw_mmus[GW_MMUS] GW_UNUSED;

/* Walks the table at an address, and caches a valid entry. */
static GW_UNUSED uint64_t gw_mmu_speculate(int mmu, struct gw_page *table, int address) {
  atomic_fetch_add(&gw_mmus[mmu].walks, 1);
  uint64_t entry = atomic_load(&table->entries[address]);
  if (entry & GW_VALID) atomic_store(&gw_mmus[mmu].tlb[address], entry);
  atomic_fetch_sub(&gw_mmus[mmu].walks, 1);
  return entry;
}

/* Translates: by the TLB, if there is an entry, and by a walk otherwise. 0 is a fault. */
static GW_UNUSED uint64_t gw_translate(int mmu, struct gw_page *table, int address) {
  uint64_t cached = atomic_load(&gw_mmus[mmu].tlb[address]);
  if (cached & GW_VALID) return cached;
  uint64_t entry = gw_mmu_speculate(mmu, table, address);
  return entry & GW_VALID ? entry : 0;
}

/* Addresses of which the CPU has asked to forget translations; -1 for all. */
struct gw_tlbi {
  int addresses[4];
  int count;
};

static GW_UNUSED void gw_tlbi(struct gw_tlbi *pending, int address) {
  assert(pending->count < 4 && "at most four TLBIs before a DSB");
  pending->addresses[pending->count++] = address;
}

/* Waits until the TLBIs have taken effect on all MMUs. */
static GW_UNUSED void gw_dsb(struct gw_tlbi *pending) {
  for (int mmu = 0; mmu < GW_MMUS; mmu++) {
    if (pending->count > 0) gw_wait(atomic_load(&gw_mmus[mmu].walks) == 0);
    for (int i = 0; i < pending->count; i++) {
      int first = pending->addresses[i], last = first;
      if (first < 0) first = 0, last = GW_ENTRIES - 1;
      for (int at = first; at <= last; at++) atomic_store(&gw_mmus[mmu].tlb[at], 0);
    }
  }
  pending->count = 0;
}

/* Gives a page to somebody else: no MMU may have a translation to it. */
static GW_UNUSED void gw_reuse(struct gw_page *page) {
  for (int mmu = 0; mmu < GW_MMUS; mmu++) {
    for (int at = 0; at < GW_ENTRIES; at++) {
      uint64_t entry = atomic_load(&gw_mmus[mmu].tlb[at]);
      assert((!(entry & GW_VALID) || gw_table(entry) != page) && "no-reuse-while-cached");
    }
  }
}

#endif
