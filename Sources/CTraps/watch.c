/* The watchdog: a thread that reports code that runs for a long time without an action.  It has no
 * other effect. */
#include "text.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The number of samples that must find the same code before it is reported.  A process that was
 * stopped for a while takes no samples, so this is not fooled by elapsed time. */
enum { LOOKS = 10 };

static atomic_uint patience = 5000;
static atomic_int ending;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char bytes[1 << 16];

static unsigned long last_entries[GRACEWALK_SLOTS];
static int looks[GRACEWALK_SLOTS];

void gracewalk_set_patience(unsigned milliseconds)
{
	atomic_store(&patience, milliseconds > LOOKS ? milliseconds : LOOKS);
}

void gracewalk_end_where_stuck(int number)
{
	atomic_store(&ending, number);
}

static void speak(struct gracewalk_slot *slot, unsigned long entries)
{
	struct text text = { bytes, 0, sizeof bytes };
	const struct gracewalk_code *code;

	atomic_store(&slot->is_read, 1);
	code = atomic_load(&slot->code);
	if (code && atomic_load(&slot->entries) == entries) {
		text_add(&text, "\ngracewalk: model code has run for ");
		text_add_number(&text, atomic_load(&patience) / 1000);
		text_add(&text, ".");
		text_add_number(&text, atomic_load(&patience) / 100 % 10);
		text_add(&text, " s without an action");
		text_add(&text, code->cpu ? "; if it is in a loop that waits for something, use "
					    "wait(until:) there\n"
					  : "\n");
		text_add_code(&text, code);
	}
	atomic_store(&slot->is_read, 0);
	text_write(&text);
}

static void look(int number)
{
	struct gracewalk_slot *slot = &gracewalk_slots[number];
	const unsigned long entries = atomic_load(&slot->entries);

	if (!atomic_load(&slot->code) || entries != last_entries[number]) {
		last_entries[number] = entries;
		looks[number] = 0;
	} else if (looks[number] <= LOOKS && ++looks[number] == LOOKS) {
		speak(slot, entries);
	}
	/* Such code may never return to the search that polls for interrupts. */
	if (looks[number] >= LOOKS && atomic_load(&ending)) {
		struct text text = { bytes, 0, sizeof bytes };

		text_add(&text, "\ngracewalk: ended in the middle of it\n");
		text_write(&text);
		signal(atomic_load(&ending), SIG_DFL);
		kill(getpid(), atomic_load(&ending));
	}
}

static void *watch(void *unused)
{
	(void)unused;
	for (;;) {
		const unsigned period = atomic_load(&patience) / LOOKS;
		struct timespec time = { period / 1000, period % 1000 * 1000000L };

		nanosleep(&time, NULL);
		for (int number = 0; number < GRACEWALK_SLOTS; number++)
			if (atomic_load(&gracewalk_slots[number].is_taken))
				look(number);
	}
	return NULL;
}

/* Block signals, so that the other threads receive them. */
static void start(void)
{
	sigset_t all, saved;
	pthread_t thread;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	if (pthread_create(&thread, NULL, watch, NULL) == 0)
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
}

void gracewalk_watch(void)
{
	pthread_once(&once, start);
}
