/* Stack switch for arm64, AAPCS64: callee-saved are x19 to x30 and the low halves of v8 to v15. */
#if defined(__aarch64__)

#if defined(__APPLE__)
#define SYMBOL(name) _##name
#else
#define SYMBOL(name) name
#endif

	.text
	.globl SYMBOL(gracewalk_switch)
	.p2align 4
SYMBOL(gracewalk_switch):
	hint	#34
	sub	sp, sp, #160
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #160
	ret

/* First instruction of a fiber: x19 holds the entry function, x20 its argument. */
	.globl SYMBOL(gracewalk_start)
	.p2align 4
SYMBOL(gracewalk_start):
	mov	x0, x20
	mov	x29, #0
	blr	x19
	brk	#1

#if defined(__ELF__)
	.section .note.GNU-stack,"",@progbits
#endif
#endif
