/* Building the text of a report from raw bytes, safe in a signal handler. */
#include "text.h"
#include <string.h>
#include <unistd.h>

void text_add_bytes(struct text *text, const char *bytes, size_t count)
{
	const size_t room = text->capacity - text->count;

	if (count > room)
		count = room;
	memcpy(text->bytes + text->count, bytes, count);
	text->count += count;
}

void text_add(struct text *text, const char *part)
{
	text_add_bytes(text, part, strlen(part));
}

void text_add_number(struct text *text, long number)
{
	char digits[24];
	size_t first = sizeof digits;
	unsigned long left = number < 0 ? -(unsigned long)number : (unsigned long)number;

	do {
		digits[--first] = '0' + left % 10;
		left /= 10;
	} while (left > 0);
	if (number < 0)
		digits[--first] = '-';
	text_add_bytes(text, digits + first, sizeof digits - first);
}

/* Runs of equal steps, as in 0*4,1,2:1. */
static void add_schedule(struct text *text, const struct gracewalk_run *run)
{
	const long count = run->steps->count;
	long next;

	for (long number = 0; number < count; number = next) {
		const char *step = run->steps->base + number * run->stride;
		long long cpu;
		int choice;

		memcpy(&cpu, step + run->cpu_offset, sizeof cpu);
		memcpy(&choice, step + run->choice_offset, sizeof choice);
		for (next = number + 1; next < count; next++) {
			const char *other = run->steps->base + next * run->stride;

			if (memcmp(step + run->cpu_offset, other + run->cpu_offset, sizeof cpu) ||
			    memcmp(step + run->choice_offset, other + run->choice_offset,
				   sizeof choice))
				break;
		}
		if (number > 0)
			text_add(text, ",");
		text_add_number(text, cpu);
		if (choice != 0) {
			text_add(text, ":");
			text_add_number(text, choice);
		}
		if (next - number > 1) {
			text_add(text, "*");
			text_add_number(text, next - number);
		}
	}
}

void text_add_code(struct text *text, const struct gracewalk_code *code)
{
	const struct gracewalk_run *run = code->run;

	if (run->model) {
		text_add(text, "  model:     ");
		text_add(text, run->model);
		text_add(text, "\n");
	}
	if (code->cpu) {
		text_add(text, "  CPU:       ");
		text_add(text, code->cpu);
		text_add(text, "\n  operation: ");
	} else {
		text_add(text, "  invariant: ");
	}
	if (code->operation >= 0 && code->operation < code->operation_count) {
		text_add(text, code->operations[code->operation]);
	} else {
		text_add(text, code->other);
		if (code->operation_count == 0 && code->operation >= 0) {
			text_add(text, " ");
			text_add_number(text, code->operation);
		}
	}
	if (code->file) {
		text_add(text, ", after its action at ");
		text_add_bytes(text, code->file, code->file_length);
		text_add(text, ":");
		text_add_number(text, code->line);
	}
	text_add(text, "\n");
	if (!run->model || !code->has_schedule)
		return;
	text_add(text, "  replay:    ");
	text_add(text, run->command);
	add_schedule(text, run);
	text_add(text, run->command_end);
	text_add(text, "\n  in a test: ");
	text_add(text, run->call);
	add_schedule(text, run);
	text_add(text, run->call_end);
	text_add(text, "\n");
}

void text_write(const struct text *text)
{
	size_t written = 0;

	while (written < text->count) {
		const ssize_t count =
			write(STDERR_FILENO, text->bytes + written, text->count - written);

		if (count <= 0)
			return;
		written += count;
	}
}
