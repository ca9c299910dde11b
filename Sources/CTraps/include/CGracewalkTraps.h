/* Reports on model code that traps, or runs for a long time without an action.  A report reads only
 * raw memory, prepared before the code runs; see Fibers for the Swift side. */
#ifndef GRACEWALK_CGRACEWALKTRAPS_H
#define GRACEWALK_CGRACEWALKTRAPS_H

/* The header of a growable buffer, with the layout of Support. */
struct gracewalk_steps {
	const char *base;
	long count;
};

/* The data shared by all CPUs of a machine. */
struct gracewalk_run {
	/* The name of the model, or NULL if unknown. */
	const char *model;
	/* The text before and after the schedule, in a command and in a test. */
	const char *command, *command_end;
	const char *call, *call_end;
	/* The steps taken so far, and the offsets of a step's CPU (8 bytes) and choice (4 bytes). */
	const struct gracewalk_steps *steps;
	long stride, cpu_offset, choice_offset;
};

/* The code of a CPU. */
struct gracewalk_code {
	const struct gracewalk_run *run;
	/* NULL for the code of an invariant, which is listed like an operation. */
	const char *cpu;
	/* Names of the operations; one without a name is called `other` and its number. */
	const char *const *operations;
	long operation_count;
	const char *other;
	long operation;
	/* The place of its latest action; `file` is not terminated. */
	const char *file;
	long file_length, line;
	/* False if the code runs along a history other than the steps taken so far. */
	int has_schedule;
	/* The guard below its stack. */
	const char *guard, *guard_end;
};

/* Registers the code that now runs on this thread; returns the previous code. */
const struct gracewalk_code *gracewalk_enter(const struct gracewalk_code *code);
void gracewalk_leave(const struct gracewalk_code *outer);

/* From the first `start` to the last `stop`, traps in code and code without actions are reported
 * on standard error. */
void gracewalk_reports_start(void);
void gracewalk_reports_stop(void);

/* Called when a signal asks the process to end: if code takes no action, reports it and ends. */
void gracewalk_end_where_stuck(int signal);

/* Sets how long code may run without an action before it is reported. */
void gracewalk_set_patience(unsigned milliseconds);

#endif
