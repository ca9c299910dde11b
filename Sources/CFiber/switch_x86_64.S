/* Stack switch for x86-64, System V ABI: callee-saved are rbx, rbp and r12 to r15.  The floating
 * point control words are the same on every fiber, so they are not saved. */
#if defined(__x86_64__)

#if defined(__APPLE__)
#define SYMBOL(name) _##name
#else
#define SYMBOL(name) name
#endif

	.text
	.globl SYMBOL(gracewalk_switch)
	.p2align 4
SYMBOL(gracewalk_switch):
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/* First instruction of a fiber: r12 holds the entry function, rbx its argument. */
	.globl SYMBOL(gracewalk_start)
	.p2align 4
SYMBOL(gracewalk_start):
	movq	%rbx, %rdi
	xorl	%ebp, %ebp
	callq	*%r12
	ud2

#if defined(__ELF__)
	.section .note.GNU-stack,"",@progbits
#endif
#endif
