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
/* Whether it is required; that something is wrong, by the name of an invariant. */
bool gw_requires(const char *invariant);
void gw_violate(const char *invariant, const char *text);
/* Says that some execution comes here: without one, the verdict is not "holds". */
void gw_must_happen(const char *what);
#else
static GW_UNUSED int gw_choose(int count) { return rand() % count; }
#define gw_assume(condition) ((condition) ? (void)0 : exit(0))
#define gw_note(text) ((void)(text))
#define gw_require(invariant) ((void)(invariant))
#define gw_requires(invariant) ((void)(invariant), false)
#define gw_violate(invariant, text) ((void)(invariant), (void)(text), abort())
#define gw_must_happen(what) ((void)(what))
#endif

/* States an invariant by name: one of Gracewalk's, or one of the program's own. */
#define gw_invariant(name, condition) ((condition) ? (void)0 : gw_violate(name, #condition))

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

static void gw_judge_tables(void) GW_UNUSED;
static GW_UNUSED void gw_run(void) {
  while (gw_cpu_count > 0) pthread_join(gw_cpus[--gw_cpu_count], NULL);
  gw_judge_tables();
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
int rcu_read_lock_held(void);
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
static GW_UNUSED int rcu_read_lock_held(void) { return atomic_load(&gw_readers) > 0; }
static GW_UNUSED void gw_free_after_grace(void *object) {
  synchronize_rcu();
  free(object);
}
#endif

/* Publishes and follows pointers, as the kernel's macros do. */
#define gw_assign_pointer(pointer, value) \
  atomic_store_explicit(&(pointer), (value), memory_order_release)
#define gw_dereference(pointer) \
  (gw_judge_section(), atomic_load_explicit(&(pointer), memory_order_acquire))

static GW_UNUSED void gw_judge_section(void) {
  if (gw_requires("grace-period-safety") && !rcu_read_lock_held())
    gw_violate("grace-period-safety", "a pointer is followed outside of a read-side section");
}

/* Table pages --------------------------------------------------------------------------------- */

/* Entries of a table page, and levels of a table; few of them make small searches. */
#ifndef GW_ENTRIES
#define GW_ENTRIES 512
#endif
#ifndef GW_LEVELS
#define GW_LEVELS 1
#endif

typedef _Atomic(uint64_t) gw_pte;

/* A table page, with references that keep it; or a page of data. */
struct gw_page {
  gw_pte entries[GW_ENTRIES];
  /* The VMID whose guests may use it, and how often guests have written to it. */
  gw_pte owner, writes;
  atomic_int references;
  int gw_seen;
};

/* A zeroed page with one reference. */
static GW_UNUSED struct gw_page *gw_alloc_page(void) {
  struct gw_page *page = calloc(1, sizeof *page);
  if (page != NULL) atomic_init(&page->references, 1);
  return page;
}

static void gw_free_page(struct gw_page *page) GW_UNUSED;

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
  if (old == 1) gw_free_page(page);
  return old == 1;
}

/* Entries: bit 0 says that one is valid, bit 1 that it leads to a table and not to a block or a
 * page, bit 2 that it may be written, and bit 3 of one that is not valid that it is locked. */
#define GW_VALID 1ull
#define GW_TABLE 2ull
#define GW_WRITE 4ull
#define GW_LOCKED 8ull
#define GW_FRAME 0xfffffffffff0ull
static GW_UNUSED uint64_t gw_leaf_entry(struct gw_page *page, uint64_t permissions) {
  return (uint64_t)(uintptr_t)page | GW_VALID | permissions;
}
static GW_UNUSED uint64_t gw_table_entry(struct gw_page *page) {
  return (uint64_t)(uintptr_t)page | GW_VALID | GW_TABLE | GW_WRITE;
}
static GW_UNUSED bool gw_is_table(uint64_t entry) {
  return (entry & (GW_VALID | GW_TABLE)) == (GW_VALID | GW_TABLE);
}
static GW_UNUSED struct gw_page *gw_table(uint64_t entry) {
  return (struct gw_page *)(uintptr_t)(entry & GW_FRAME);
}

/* Addresses that an entry of a level translates (0 is the root's), and the entry of an address. */
static GW_UNUSED int gw_span(int level) {
  int span = 1;
  while (++level < GW_LEVELS) span *= GW_ENTRIES;
  return span;
}
static GW_UNUSED gw_pte *gw_entry(struct gw_page *table, int address, int level) {
  return &table->entries[address / gw_span(level) % GW_ENTRIES];
}

/* Roots of tables, whose trees gw_run() judges at the end by what is required. */
static struct gw_page *gw_roots[4] GW_UNUSED;
static int gw_root_count GW_UNUSED;
static GW_UNUSED void gw_root(struct gw_page *page) {
  assert(gw_root_count < 4 && "at most four roots");
  gw_roots[gw_root_count++] = page;
}

static GW_UNUSED void gw_judge_table(struct gw_page *page, int level) {
  int used = 0;
  if (page->gw_seen++ && gw_requires("no-table-linked-twice"))
    gw_violate("no-table-linked-twice", "two entries lead to the same table page");
  for (int i = 0; i < GW_ENTRIES; i++) {
    uint64_t entry = atomic_load(&page->entries[i]);
    used += entry != 0;
    if ((entry & (GW_VALID | GW_LOCKED)) == GW_LOCKED && gw_requires("no-entry-left-locked"))
      gw_violate("no-entry-left-locked", "an entry is still locked at the end");
    if (level == GW_LEVELS - 1 || !gw_is_table(entry)) continue;
    if (!(entry & GW_WRITE) && gw_requires("directories-stay-writable"))
      gw_violate("directories-stay-writable", "an entry that leads to a table lost its write bit");
    gw_judge_table(gw_table(entry), level + 1);
  }
  if (gw_requires("references-match-entries") && gw_page_count(page) != used + 1)
    gw_violate(
        "references-match-entries",
        "the references of a table are not one more than its entries in use");
}

static void gw_judge_tables(void) {
  for (int i = 0; i < gw_root_count; i++) gw_judge_table(gw_roots[i], 0);
}

/* Hardware ------------------------------------------------------------------------------------
 *
 * What follows up to "Operations" models memory management units in C, with the rules that
 * Docs/Architecture/Translation.md gives. The state of hardware is in variables whose names begin
 * with gw_hardware. Only code after a gw_hardware_step may access them, and it is one step with
 * that up to the next access to anything shared. The step opens some MMUs for writing or reading,
 * and may access one word of the program at the same moment. Software exchanges it for `b`, or
 * replaces `a` by `b`. Hardware loads it, or adds one, if the word of its own at `a` (if it is not 0)
 * is still `b`; otherwise the access is cancelled, and the step returns GW_CANCELLED.
 */
#ifndef GW_MMUS
#define GW_MMUS 2
#endif
#ifndef GW_VMIDS
#define GW_VMIDS 1
#endif
/* Walks of an MMU at a time. */
#ifndef GW_WALKS
#define GW_WALKS 2
#endif
/* FEAT_BBM: at level 2 a block may replace a table of the same memory, and a table a block. */
#ifndef GW_BBM
#define GW_BBM 0
#endif
#if GW_LEVELS == 1
#define GW_ADDRESSES (GW_ENTRIES)
#elif GW_LEVELS == 2
#define GW_ADDRESSES (GW_ENTRIES * GW_ENTRIES)
#elif GW_LEVELS == 3
#define GW_ADDRESSES (GW_ENTRIES * GW_ENTRIES * GW_ENTRIES)
#else
#define GW_ADDRESSES (GW_ENTRIES * GW_ENTRIES * GW_ENTRIES * GW_ENTRIES)
#endif

enum { GW_NO_ACCESS, GW_LOAD, GW_EXCHANGE, GW_REPLACE, GW_ADD };
#define GW_CANCELLED UINT64_MAX
#define GW_WRITES(mmu) (1u << (mmu))
#define GW_WRITES_ALL ((1u << GW_MMUS) - 1)
#define GW_READS_ALL (GW_WRITES_ALL << 16)
#define GW_HISTORY (1u << 15)

#ifdef __GRACEWALK__
uint64_t gw_hardware_step(
    uint32_t opens, int access, gw_pte *word, uint64_t a, uint64_t b, const char *text, ...);
#else
static GW_UNUSED uint64_t gw_hardware_step(
    uint32_t opens, int access, gw_pte *word, uint64_t a, uint64_t b, const char *text, ...) {
  (void)opens, (void)text;
  if (access == GW_LOAD) return atomic_load(word);
  if (access == GW_EXCHANGE) return atomic_exchange(word, b);
  if (access == GW_ADD) return atomic_fetch_add(word, 1);
  if (access == GW_REPLACE) atomic_compare_exchange_strong(word, &a, b);
  return a;
}
#endif

/* An entry that an MMU has cached, and where it was read. */
struct gw_cached {
  uint64_t entry;
  gw_pte *source;
};

/* A walk under way: the table it is in, and the entries that led there. */
struct gw_walk {
  uint64_t is_active, restarts;
  int vmid, address, level;
  struct gw_page *table;
  gw_pte *way[GW_LEVELS];
};

/* An MMU: the table that it walks, and by VMID, level and prefix what it has cached: leaves (its
 * TLB) and pointers to tables (its walk cache). */
static struct gw_mmu {
  struct gw_page *root;
  int vmid;
  struct gw_walk walks[GW_WALKS];
  struct gw_cached leaves[GW_VMIDS][GW_LEVELS][GW_ADDRESSES];
  struct gw_cached tables[GW_VMIDS][GW_LEVELS][GW_ADDRESSES];
} gw_hardware[GW_MMUS] GW_UNUSED;
static atomic_int gw_has_mmus GW_UNUSED;

/* The MMU walks a table from now on, with a VMID. */
static GW_UNUSED void gw_mmu_enter(int mmu, struct gw_page *root, int vmid) {
  if (!atomic_load_explicit(&gw_has_mmus, memory_order_relaxed)) gw_has_mmus = 1;
  gw_hardware_step(GW_WRITES(mmu), 0, NULL, vmid, 0, "MMU %d enters VMID %d", mmu, vmid);
  gw_hardware[mmu].root = root;
  gw_hardware[mmu].vmid = vmid;
}

/* An entry is cached while another translates one of its addresses differently. */
static GW_UNUSED void gw_judge_conflicts(
    struct gw_mmu *unit, int vmid, int address, int level, uint64_t entry) {
  for (int other = 0; other < GW_LEVELS; other++) {
    if (other == level) continue;
    int narrow = gw_span(other > level ? level : other), span = gw_span(other);
    int first = address / narrow * narrow / span;
    for (int at = first; at < first + (narrow > span ? narrow / span : 1); at++) {
      uint64_t known = unit->leaves[vmid][other][at].entry;
      if (known && (GW_BBM < 2 || (known ^ entry) & GW_FRAME))
        gw_violate(
            "no-conflicting-tlb-entries",
            "an MMU caches an entry while it holds another one for the same address");
    }
  }
}

#define GW_RESTART UINT64_MAX

/* Walks a table: a valid leaf, which is cached; 0 for a fault; GW_RESTART. */
static GW_UNUSED uint64_t gw_walk_table(int mmu, struct gw_page *root, int address) {
  gw_hardware_step(
      GW_WRITES(mmu), 0, NULL, address, 0, "MMU %d begins a walk to 0x%x", mmu, address);
  struct gw_mmu *unit = &gw_hardware[mmu];
  int vmid = unit->vmid, level = 0, slot = 0;
  while (slot < GW_WALKS && unit->walks[slot].is_active) slot++;
  assert(slot < GW_WALKS && "at most GW_WALKS walks of an MMU at a time");
  struct gw_walk *walk = &unit->walks[slot];
  struct gw_page *table = root;
  for (int above = GW_LEVELS - 2; above >= 0; above--) {
    struct gw_cached *pointer = &unit->tables[vmid][above][address / gw_span(above)];
    if (pointer->entry == 0) continue;
    table = gw_table(pointer->entry);
    level = above + 1;
    walk->way[above] = pointer->source;
    break;
  }
  walk->is_active = 1;
  walk->vmid = vmid, walk->address = address;
  for (;; level++) {
    walk->table = table, walk->level = level;
    gw_pte *source = gw_entry(table, address, level);
    uint64_t entry = gw_hardware_step(
        GW_WRITES(mmu), GW_LOAD, source, (uint64_t)(uintptr_t)&walk->restarts, 0,
        "MMU %d, walk to 0x%x, level %d", mmu, address, level);
    struct gw_cached found = {entry, source};
    if (walk->restarts || !(entry & GW_VALID)) {
      bool restarts = walk->restarts;
      *walk = (struct gw_walk){0};
      return restarts ? GW_RESTART : 0;
    }
    if (gw_is_table(entry) && level < GW_LEVELS - 1) {
      unit->tables[vmid][level][address / gw_span(level)] = found;
      walk->way[level] = source;
      table = gw_table(entry);
      continue;
    }
    *walk = (struct gw_walk){0};
#if GW_LEVELS > 1
    if (gw_is_table(entry))
      gw_violate("entries-are-well-formed", "an entry of the last level leads to a table");
#endif
    gw_judge_conflicts(unit, vmid, address, level, entry);
    unit->leaves[vmid][level][address / gw_span(level)] = found;
    return entry;
  }
}

/* An MMU walks when it likes to: a CPU of its own may call this, or a CPU between other things. */
static GW_UNUSED uint64_t gw_mmu_speculate(int mmu, struct gw_page *table, int address) {
  uint64_t entry = gw_walk_table(mmu, table, address);
  return entry == GW_RESTART ? 0 : entry;
}

static GW_UNUSED struct gw_cached *gw_cached_leaf(int mmu, int address) {
  struct gw_mmu *unit = &gw_hardware[mmu];
  for (int level = GW_LEVELS - 1; level >= 0; level--) {
    struct gw_cached *leaf = &unit->leaves[unit->vmid][level][address / gw_span(level)];
    if (leaf->entry) return leaf;
  }
  return NULL;
}

/* An MMU drops what it has cached of an address. */
static GW_UNUSED void gw_mmu_evict(int mmu, int address) {
  gw_hardware_step(GW_WRITES(mmu), 0, NULL, address, 0, "MMU %d evicts 0x%x", mmu, address);
  struct gw_mmu *unit = &gw_hardware[mmu];
  for (int level = 0; level < GW_LEVELS; level++) {
    unit->leaves[unit->vmid][level][address / gw_span(level)] = (struct gw_cached){0};
    unit->tables[unit->vmid][level][address / gw_span(level)] = (struct gw_cached){0};
  }
}

/* Translates: by the TLB, if there is an entry, and by a walk otherwise. 0 is a fault. */
static GW_UNUSED uint64_t gw_translate(int mmu, struct gw_page *table, int address) {
  for (;;) {
    gw_hardware_step(
        GW_WRITES(mmu) << 16, 0, NULL, address, 0, "MMU %d looks up 0x%x", mmu, address);
    struct gw_cached *leaf = gw_cached_leaf(mmu, address);
    uint64_t entry = leaf ? leaf->entry : gw_walk_table(mmu, table, address);
    if (entry != GW_RESTART) return entry;
  }
}

/* The result of a guest's access. */
enum gw_access { GW_DONE, GW_TRANSLATION_FAULT, GW_PERMISSION_FAULT };

/* A guest uses an address: the page that its entry leads to, in the moment of the translation. */
static GW_UNUSED enum gw_access gw_guest(int mmu, int address, bool writes) {
  for (;;) {
    gw_hardware_step(
        GW_WRITES(mmu) << 16, 0, NULL, address, writes, "the guest of MMU %d %s 0x%x", mmu,
        writes ? "writes to" : "reads", address);
    struct gw_cached *leaf = gw_cached_leaf(mmu, address);
    if (!leaf) {
      if (!gw_walk_table(mmu, gw_hardware[mmu].root, address)) return GW_TRANSLATION_FAULT;
      continue;
    }
    uint64_t entry = leaf->entry;
    if (writes && !(entry & GW_WRITE)) return GW_PERMISSION_FAULT;
    struct gw_page *page = gw_table(entry);
    uint64_t owner = gw_hardware_step(
        GW_WRITES(mmu) << 16, GW_LOAD, &page->owner, (uint64_t)(uintptr_t)&leaf->entry, entry,
        "the guest of MMU %d uses its page", mmu);
    if (owner == GW_CANCELLED) continue;
    if (owner != (uint64_t)gw_hardware[mmu].vmid)
      gw_violate("donated-page-unreachable", "a guest uses a page that belongs to somebody else");
    if (!writes) return GW_DONE;
    uint64_t count = gw_hardware_step(
        GW_WRITES(mmu) << 16, GW_ADD, &page->writes, (uint64_t)(uintptr_t)&leaf->entry, entry,
        "the guest of MMU %d writes", mmu);
    if (count != GW_CANCELLED) return GW_DONE;
  }
}
static GW_UNUSED enum gw_access gw_guest_read(int mmu, int address) {
  return gw_guest(mmu, address, false);
}
static GW_UNUSED enum gw_access gw_guest_write(int mmu, int address) {
  return gw_guest(mmu, address, true);
}

/* Invalidation: a TLBI does nothing by itself; it takes effect at the next DSB of its CPU. Of
 * entries that the CPU has changed (gw_set_entry) with no DSB since, it removes nothing. Walks that
 * have read an entry that is removed begin again. */
struct gw_invalidation {
  /* The first address, or -1 for all; the number of addresses; a VMID, or -1 for all. */
  int address, count, vmid;
  /* Only leaves; only leaves of a level, or -1; only in the MMU of the CPU. */
  bool last_level;
  int level;
  bool local;
  gw_pte *unpublished[4];
};

/* What a CPU has asked for, and changed, since its last DSB. Zeroed, it is empty. */
struct gw_tlbi {
  struct gw_invalidation pending[4];
  int count;
  gw_pte *written[4];
  /* The CPU's own MMU, for local invalidation, and the VMID it means. */
  int mmu, vmid;
};

static GW_UNUSED void gw_tlbi_by(struct gw_tlbi *cpu, struct gw_invalidation what) {
  assert(cpu->count < 4 && "at most four TLBIs before a DSB");
  for (int i = 0; i < 4; i++) what.unpublished[i] = cpu->written[i];
  cpu->pending[cpu->count++] = what;
  gw_hardware_step(
      0, 0, NULL, what.address, what.count, "TLBI, %d address(es) from %d%s%s", what.count,
      what.address, what.last_level ? ", last level" : "", what.local ? ", local" : "");
}
/* The entries of an address, of all with -1; of several; leaves; leaves of a level; locally. */
static GW_UNUSED void gw_tlbi(struct gw_tlbi *cpu, int address) {
  gw_tlbi_by(cpu, (struct gw_invalidation){address, 1, cpu->vmid, false, -1, false, {0}});
}
static GW_UNUSED void gw_tlbi_range(struct gw_tlbi *cpu, int address, int count) {
  gw_tlbi_by(cpu, (struct gw_invalidation){address, count, cpu->vmid, false, -1, false, {0}});
}
static GW_UNUSED void gw_tlbi_last_level(struct gw_tlbi *cpu, int address) {
  gw_tlbi_by(cpu, (struct gw_invalidation){address, 1, cpu->vmid, true, -1, false, {0}});
}
static GW_UNUSED void gw_tlbi_level(struct gw_tlbi *cpu, int address, int level) {
  gw_tlbi_by(cpu, (struct gw_invalidation){address, 1, cpu->vmid, false, level, false, {0}});
}
static GW_UNUSED void gw_tlbi_local(struct gw_tlbi *cpu, int address) {
  gw_tlbi_by(cpu, (struct gw_invalidation){address, 1, cpu->vmid, false, -1, true, {0}});
}

/* Whether an invalidation removes an entry that was read at a level. */
static GW_UNUSED bool gw_removes(
    struct gw_invalidation *by, gw_pte *source, int level, int first, bool is_leaf) {
  if (by->address >= 0 &&
      (first >= by->address + by->count || first + gw_span(level) <= by->address))
    return false;
  if (is_leaf && by->level >= 0 && by->level != level) return false;
  if (!is_leaf && (by->last_level || (by->level >= 0 && level >= by->level))) return false;
  for (int i = 0; i < 4; i++)
    if (by->unpublished[i] == source) return false;
  return true;
}

static GW_UNUSED void gw_invalidate(struct gw_mmu *unit, struct gw_invalidation *by) {
  for (int vmid = 0; vmid < GW_VMIDS; vmid++) {
    if (by->vmid >= 0 && by->vmid != vmid) continue;
    for (int level = 0; level < GW_LEVELS; level++) {
      int span = gw_span(level);
      for (int at = 0; at < GW_ADDRESSES / span; at++) {
        struct gw_cached *leaf = &unit->leaves[vmid][level][at];
        struct gw_cached *table = &unit->tables[vmid][level][at];
        if (leaf->entry && gw_removes(by, leaf->source, level, at * span, true))
          *leaf = (struct gw_cached){0};
        if (table->entry && gw_removes(by, table->source, level, at * span, false))
          *table = (struct gw_cached){0};
      }
    }
  }
  for (int slot = 0; slot < GW_WALKS; slot++) {
    struct gw_walk *walk = &unit->walks[slot];
    if (!walk->is_active || (by->vmid >= 0 && by->vmid != walk->vmid)) continue;
    for (int level = 0; level < walk->level; level++) {
      int first = walk->address / gw_span(level) * gw_span(level);
      if (walk->way[level] && gw_removes(by, walk->way[level], level, first, false))
        walk->restarts = 1;
    }
  }
}

/* Waits until the CPU's changes of entries are seen, and its TLBIs have taken effect. */
static GW_UNUSED void gw_dsb(struct gw_tlbi *cpu) {
  for (int i = 0; i < cpu->count; i++) {
    struct gw_invalidation *by = &cpu->pending[i];
    gw_hardware_step(
        by->local ? GW_WRITES(cpu->mmu) : GW_WRITES_ALL, 0, NULL, by->address, by->count,
        "DSB: the TLBI of %d address(es) from %d takes effect", by->count, by->address);
    for (int mmu = 0; mmu < GW_MMUS; mmu++)
      if (!by->local || mmu == cpu->mmu) gw_invalidate(&gw_hardware[mmu], by);
  }
  for (int i = 0; i < 4; i++) {
    cpu->pending[i] = (struct gw_invalidation){0};
    cpu->written[i] = NULL;
  }
  cpu->count = 0;
}

/* Break-before-make: no MMU may have an entry cached that a new valid one differs from. */
static GW_UNUSED void gw_judge_break(gw_pte *entry, uint64_t new) {
  if (!(new &GW_VALID)) return;
  for (int mmu = 0; mmu < GW_MMUS; mmu++)
    for (int vmid = 0; vmid < GW_VMIDS; vmid++)
      for (int level = 0; level < GW_LEVELS; level++)
        for (int at = 0; at < GW_ADDRESSES / gw_span(level); at++)
          for (int is_leaf = 0; is_leaf < 2; is_leaf++) {
            struct gw_mmu *unit = &gw_hardware[mmu];
            struct gw_cached *old =
                is_leaf ? &unit->leaves[vmid][level][at] : &unit->tables[vmid][level][at];
            if (old->entry == 0 || old->source != entry) continue;
            uint64_t change = old->entry ^ new;
            bool may_differ = GW_BBM >= 2 && (change & GW_TABLE);
            if ((change & (GW_FRAME | GW_TABLE)) && !may_differ)
              gw_violate(
                  "break-before-make",
                  "an entry is made valid while an MMU still has the old one cached");
          }
}

static GW_UNUSED void gw_note_write(struct gw_tlbi *cpu, gw_pte *entry) {
  int i = 0;
  while (i < 4 && cpu->written[i] && cpu->written[i] != entry) i++;
  assert(i < 4 && "at most four entries changed before a DSB");
  cpu->written[i] = entry;
}

/* Sets an entry; the old one. */
static GW_UNUSED uint64_t gw_set_entry(struct gw_tlbi *cpu, gw_pte *entry, uint64_t new) {
  uint64_t old = gw_hardware_step(GW_READS_ALL, GW_EXCHANGE, entry, 0, new, "set an entry");
  gw_judge_break(entry, new);
  gw_note_write(cpu, entry);
  return old;
}

/* Replaces an entry, if it is the expected one. */
static GW_UNUSED bool gw_replace_entry(
    struct gw_tlbi *cpu, gw_pte *entry, uint64_t expected, uint64_t new) {
  uint64_t old =
      gw_hardware_step(GW_READS_ALL, GW_REPLACE, entry, expected, new, "replace an entry");
  if (old != expected) return false;
  gw_judge_break(entry, new);
  gw_note_write(cpu, entry);
  return true;
}

/* Code relies on an address not being translated any more. */
static GW_UNUSED void gw_expect_untranslated(int vmid, int address) {
  gw_hardware_step(
      GW_READS_ALL, 0, NULL, vmid, address, "claim: 0x%x is not translated", address);
  for (int mmu = 0; mmu < GW_MMUS; mmu++)
    for (int level = 0; level < GW_LEVELS; level++)
      if (gw_hardware[mmu].leaves[vmid][level][address / gw_span(level)].entry)
        gw_violate(
            "no-stale-use-after-dsb",
            "code relies on a translation being gone that an MMU still has cached");
}

/* No MMU may have a page cached, as a table or as what an address leads to, or walk it now. */
static GW_UNUSED void gw_judge_reuse(struct gw_page *page, int but) {
  for (int mmu = 0; mmu < GW_MMUS; mmu++) {
    struct gw_mmu *unit = &gw_hardware[mmu];
    bool is_found = false;
    for (int vmid = 0; vmid < GW_VMIDS; vmid++)
      for (int level = 0; level < GW_LEVELS && vmid != but; level++)
        for (int at = 0; at < GW_ADDRESSES / gw_span(level); at++)
          is_found |= gw_table(unit->leaves[vmid][level][at].entry) == page ||
                      gw_table(unit->tables[vmid][level][at].entry) == page;
    for (int slot = 0; slot < GW_WALKS; slot++)
      is_found |= unit->walks[slot].is_active && !unit->walks[slot].restarts &&
                  unit->walks[slot].table == page && unit->walks[slot].vmid != but;
    if (is_found)
      gw_violate(
          "no-reuse-while-cached", "a page is given away while an MMU still leads to it");
  }
}

/* Gives a page to somebody else: no MMU may have a translation to it. */
static GW_UNUSED void gw_reuse(struct gw_page *page) {
  gw_hardware_step(
      GW_READS_ALL, 0, NULL, (uint64_t)(uintptr_t)page, 0, "give a page away");
  gw_judge_reuse(page, -1);
}

/* Gives a page to the guests with a VMID, or to nobody with -1. */
static GW_UNUSED void gw_donate(struct gw_page *page, int vmid) {
  gw_hardware_step(
      GW_READS_ALL, GW_EXCHANGE, &page->owner, 0, (uint64_t)vmid, "give a page to VMID %d", vmid);
  gw_judge_reuse(page, vmid);
}

static void gw_free_page(struct gw_page *page) {
  if (atomic_load_explicit(&gw_has_mmus, memory_order_relaxed)) gw_reuse(page);
  free(page);
}

/* Operations ----------------------------------------------------------------------------------
 *
 * An operation has a name, an argument and a result. Their beginnings and ends are steps, so that
 * executions that differ in which came first are told apart, and a history can be judged.
 */
#ifndef GW_CALLS
#define GW_CALLS 8
#endif
#ifndef GW_STATE
#define GW_STATE 4
#endif

struct gw_call {
  const char *name;
  int argument;
  uint64_t result;
  int began, ended;
};

static struct {
  int clock, count;
  struct gw_call calls[GW_CALLS];
} gw_hardware_history GW_UNUSED;

struct gw_operation {
  const char *name;
  int call;
};

static GW_UNUSED struct gw_operation gw_begin(const char *name, int argument) {
  gw_hardware_step(
      GW_HISTORY, 0, NULL, (uint64_t)(uintptr_t)name, argument, "%s %d begins", name, argument);
  int call = gw_hardware_history.count++;
  assert(call < GW_CALLS && "more operations than GW_CALLS");
  gw_hardware_history.calls[call] =
      (struct gw_call){name, argument, 0, ++gw_hardware_history.clock, 0};
  return (struct gw_operation){name, call};
}

static GW_UNUSED void gw_end(struct gw_operation operation, uint64_t result) {
  gw_hardware_step(
      GW_HISTORY, 0, NULL, result, operation.call, "%s ends with %d", operation.name, (int)result);
  struct gw_call *call = &gw_hardware_history.calls[operation.call];
  call->result = result;
  call->ended = ++gw_hardware_history.clock;
}

/* Whether an operation may return a result in a state, which it then changes. */
typedef bool (*gw_specification)(const char *name, int argument, uint64_t result, uint64_t *state);

/* Depth first over orders: an operation may be next if no other one ended before it began. */
static GW_UNUSED bool gw_can_order(
    struct gw_call *calls, int count, unsigned left, uint64_t *state, gw_specification allows) {
  if (left == 0) return true;
  for (int i = 0; i < count; i++) {
    bool may_be_next = left >> i & 1;
    for (int j = 0; j < count; j++)
      if ((left >> j & 1) && calls[j].ended && calls[j].ended < calls[i].began) may_be_next = false;
    if (!may_be_next) continue;
    uint64_t next[GW_STATE];
    for (int j = 0; j < GW_STATE; j++) next[j] = state[j];
    if (allows(calls[i].name, calls[i].argument, calls[i].result, next) &&
        gw_can_order(calls, count, left & ~(1u << i), next, allows))
      return true;
  }
  return false;
}

/* Judges, after gw_run(), that the operations act as if each took effect at one moment. */
static GW_UNUSED void gw_judge_history(gw_specification allows) {
  gw_hardware_step(GW_HISTORY << 16, 0, NULL, 0, 0, "judge the history");
  struct gw_call calls[GW_CALLS];
  int count = gw_hardware_history.count;
  for (int i = 0; i < count; i++) calls[i] = gw_hardware_history.calls[i];
  uint64_t state[GW_STATE] = {0};
  if (!gw_can_order(calls, count, (1u << count) - 1, state, allows))
    gw_violate("operations-linearise", "no order of the operations explains what they returned");
}

#endif
