/* What is said of model code that traps, or that runs for long without an action.  Everything a
 * report reads is raw memory, made before the code runs; see Fibers for the Swift side. */
#ifndef GRACEWALK_CGRACEWALKTRAPS_H
#define GRACEWALK_CGRACEWALKTRAPS_H

/* An array that grows, as Support lays it out. */
struct gracewalk_steps {
	const char *base;
	long count;
};

/* What all CPUs of a machine have in common. */
struct gracewalk_run {
	/* The name of the model; NULL where nobody knows it. */
	const char *model;
	/* What comes before and after the schedule in a command and in a test. */
	const char *command, *command_end;
	const char *call, *call_end;
	/* The steps taken so far: where in one its CPU (8 bytes) and choice (4 bytes) lie. */
	const struct gracewalk_steps *steps;
	long stride, cpu_offset, choice_offset;
};

/* The code of a CPU. */
struct gracewalk_code {
	const struct gracewalk_run *run;
	/* NULL for that of an invariant, which takes the place of an operation. */
	const char *cpu;
	/* Names of the operations; one beyond them is named by `other` and its number. */
	const char *const *operations;
	long operation_count;
	const char *other;
	long operation;
	/* The place of its latest action; `file` is not terminated. */
	const char *file;
	long file_length, line;
	/* False where it runs along a history that is not that of the steps. */
	int has_schedule;
	/* The guard below its stack. */
	const char *guard, *guard_end;
};

/* The code runs on this thread from now on; returns what ran before. */
const struct gracewalk_code *gracewalk_enter(const struct gracewalk_code *code);
void gracewalk_leave(const struct gracewalk_code *outer);

/* From the first `start` to the last `stop`, traps in code and code without actions are reported
 * on standard error. */
void gracewalk_reports_start(void);
void gracewalk_reports_stop(void);

/* A signal asks the process to end: does so where code takes no action, once that is said. */
void gracewalk_end_where_stuck(int signal);

/* How long code may run without an action before somebody says so. */
void gracewalk_set_patience(unsigned milliseconds);

#endif
