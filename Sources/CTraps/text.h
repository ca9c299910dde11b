/* Text built without allocating, and declarations shared by the parts of a report. */
#ifndef GRACEWALK_TEXT_H
#define GRACEWALK_TEXT_H

#include "CGracewalkTraps.h"
#include <stdatomic.h>
#include <stddef.h>

struct text {
	char *bytes;
	size_t count, capacity;
};

void text_add(struct text *text, const char *part);
void text_add_bytes(struct text *text, const char *bytes, size_t count);
void text_add_number(struct text *text, long number);
/* Adds which code it is, and how to run it again. */
void text_add_code(struct text *text, const struct gracewalk_code *code);
/* Writes it to standard error. */
void text_write(const struct text *text);

/* The state of a thread that the watchdog reads. */
struct gracewalk_slot {
	atomic_int is_taken;
	/* The running code, and how often code has started to run. */
	_Atomic(const struct gracewalk_code *) code;
	atomic_ulong entries;
	/* Set while the watchdog reads the memory that `code` points to. */
	atomic_int is_read;
};

enum { GRACEWALK_SLOTS = 128 };
extern struct gracewalk_slot gracewalk_slots[GRACEWALK_SLOTS];

/* Starts the watchdog, unless it is running. */
void gracewalk_watch(void);

#endif
