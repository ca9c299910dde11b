/* Signal handlers that report which code trapped, then let the process die of the signal. */
#include "CGracewalkTraps.h"
#include "text.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

static const int signals[] = { SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE };
enum { SIGNALS = sizeof signals / sizeof *signals, STACK_BYTES = 64 * 1024 };
static struct sigaction before[SIGNALS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_end;
static atomic_int users;

struct gracewalk_slot gracewalk_slots[GRACEWALK_SLOTS];

static __thread const struct gracewalk_code *current;
static __thread struct gracewalk_slot *slot;
static __thread void *stack;
static __thread int is_prepared;

/* Threads. */

static void end_thread(void *unused)
{
	(void)unused;
	if (stack) {
		stack_t now, off = { .ss_flags = SS_DISABLE };

		if (sigaltstack(NULL, &now) == 0 && now.ss_sp == stack)
			sigaltstack(&off, NULL);
		munmap(stack, STACK_BYTES);
		stack = NULL;
	}
	if (slot) {
		atomic_store(&slot->is_taken, 0);
		slot = NULL;
	}
	is_prepared = 0;
}

static void make_key(void)
{
	pthread_key_create(&thread_end, end_thread);
}

/* Overflows of a fiber's stack need another stack for the handler; a thread that has one keeps it. */
static void prepare_thread(void)
{
	stack_t now;

	is_prepared = 1;
	pthread_once(&once, make_key);
	if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE)) {
		void *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		stack_t new = { .ss_sp = memory, .ss_size = STACK_BYTES };

		if (memory != MAP_FAILED) {
			if (sigaltstack(&new, NULL) == 0)
				stack = memory;
			else
				munmap(memory, STACK_BYTES);
		}
	}
	for (int number = 0; number < GRACEWALK_SLOTS && !slot; number++) {
		int free = 0;

		if (atomic_compare_exchange_strong(&gracewalk_slots[number].is_taken, &free, 1))
			slot = &gracewalk_slots[number];
	}
	pthread_setspecific(thread_end, &is_prepared);
}

const struct gracewalk_code *gracewalk_enter(const struct gracewalk_code *code)
{
	const struct gracewalk_code *outer = current;

	if (!is_prepared && atomic_load_explicit(&users, memory_order_relaxed) > 0)
		prepare_thread();
	current = code;
	if (slot) {
		unsigned long entries =
			atomic_load_explicit(&slot->entries, memory_order_relaxed);

		atomic_store_explicit(&slot->entries, entries + 1, memory_order_relaxed);
		atomic_store_explicit(&slot->code, code, memory_order_release);
	}
	return outer;
}

void gracewalk_leave(const struct gracewalk_code *outer)
{
	current = outer;
	if (!slot)
		return;
	/* The names of the code may be freed soon, so wait until the watchdog has stopped reading. */
	atomic_store(&slot->code, outer);
	while (atomic_load(&slot->is_read))
		;
}

/* Traps. */

static const char *cause(int number, const siginfo_t *info, const struct gracewalk_code *code)
{
	const char *address = info->si_addr;

	if (number == SIGSEGV || number == SIGBUS) {
		if (address >= code->guard && address < code->guard_end)
			return "its stack overflowed: too deep a recursion";
		return number == SIGBUS ? "SIGBUS: bad access to memory"
					: "SIGSEGV: bad access to memory";
	}
	switch (number) {
	case SIGILL: return "SIGILL: a failed check, such as fatalError or an index out of range";
	case SIGTRAP: return "SIGTRAP: a failed check, such as fatalError or an index out of range";
	case SIGFPE: return "SIGFPE: bad arithmetic";
	default: return "SIGABRT: it called abort";
	}
}

static void report(int number, const siginfo_t *info, const struct gracewalk_code *code)
{
	static atomic_int is_busy;
	static char bytes[1 << 16];
	struct text text = { bytes, 0, sizeof bytes };

	if (atomic_exchange(&is_busy, 1))
		return;
	text_add(&text, "\ngracewalk: model code trapped (");
	text_add(&text, cause(number, info, code));
	text_add(&text, ")\n");
	text_add_code(&text, code);
	text_write(&text);
	atomic_store(&is_busy, 0);
}

static void handle(int number, siginfo_t *info, void *context)
{
	const int saved = errno;
	const struct gracewalk_code *code = current;
	const int is_own = info->si_code > 0 || info->si_pid == getpid();
	const int is_fault = info->si_code > 0 && number != SIGTRAP && number != SIGABRT;

	(void)context;
	current = NULL;
	if (code && is_own)
		report(number, info, code);
	for (int index = 0; index < SIGNALS; index++)
		if (signals[index] == number)
			sigaction(number, &before[index], NULL);
	/* A faulting instruction faults again when it is resumed; other signals are raised again. */
	if (!is_fault)
		raise(number);
	errno = saved;
}

void gracewalk_reports_start(void)
{
	struct sigaction ours = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigemptyset(&ours.sa_mask);
	pthread_mutex_lock(&lock);
	if (atomic_fetch_add(&users, 1) == 0)
		for (int index = 0; index < SIGNALS; index++)
			sigaction(signals[index], &ours, &before[index]);
	pthread_mutex_unlock(&lock);
	gracewalk_watch();
}

void gracewalk_reports_stop(void)
{
	pthread_mutex_lock(&lock);
	if (atomic_fetch_sub(&users, 1) == 1)
		for (int index = 0; index < SIGNALS; index++) {
			struct sigaction now;

			/* Keep a handler that was installed over ours. */
			if (sigaction(signals[index], NULL, &now) == 0 &&
			    (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handle)
				sigaction(signals[index], &before[index], NULL);
		}
	pthread_mutex_unlock(&lock);
}
