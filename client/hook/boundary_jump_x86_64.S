/* vfork, clone and syscall: judged in C, then jumped to as if nothing had been in between: the stack
 * and every register that holds an argument are the caller's. */

    .text

/* FUNCTION: a symbol that other objects see. */
    .macro FUNCTION name
    .globl \name
    .type \name, @function
    .p2align 4
\name:
    .cfi_startproc
    endbr64
    .endm

    .macro END name
    .cfi_endproc
    .size \name, . - \name
    .endm

FUNCTION vfork
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    call boundary_vfork_target
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    testq %rax, %rax
    jz 1f
    jmpq *%rax
1:  movl $-1, %eax
    ret
END vfork
    .globl __vfork
    .set __vfork, vfork

/* clone(function, stack, flags, argument, parent_tid, tls, [stack] child_tid) */
FUNCTION clone
    pushq %rdi
    .cfi_adjust_cfa_offset 8
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    pushq %rcx
    .cfi_adjust_cfa_offset 8
    pushq %r8
    .cfi_adjust_cfa_offset 8
    pushq %r9
    .cfi_adjust_cfa_offset 8
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    movl %edx, %edi
    call boundary_clone_target
    movq %rax, %r11
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %r9
    .cfi_adjust_cfa_offset -8
    popq %r8
    .cfi_adjust_cfa_offset -8
    popq %rcx
    .cfi_adjust_cfa_offset -8
    popq %rdx
    .cfi_adjust_cfa_offset -8
    popq %rsi
    .cfi_adjust_cfa_offset -8
    popq %rdi
    .cfi_adjust_cfa_offset -8
    testq %r11, %r11
    jz 1f
    xorl %eax, %eax /* no vector registers hold arguments */
    jmpq *%r11
1:  movl $-1, %eax
    ret
END clone
    .globl __clone
    .set __clone, clone

/* syscall(number, ...): a sixth argument stands on the stack. The numbers that concern us:
 * clone 56, fork 57, vfork 58, execve 59, execveat 322, clone3 435, and all of x32 (bit 30). The
 * kernel reads 32 bits of a number. */
FUNCTION syscall
    leal -56(%rdi), %eax
    cmpl $3, %eax
    jbe 2f
    cmpl $322, %edi
    je 2f
    cmpl $435, %edi
    je 2f
    testl $0x40000000, %edi
    jnz 2f
    movq boundary_real_syscall(%rip), %rax
    testq %rax, %rax
    jz 2f
    jmpq *%rax
2:  movq 8(%rsp), %rax
    subq $72, %rsp
    .cfi_adjust_cfa_offset 72
    movq %rdi, 0(%rsp)
    movq %rsi, 8(%rsp)
    movq %rdx, 16(%rsp)
    movq %rcx, 24(%rsp)
    movq %r8, 32(%rsp)
    movq %r9, 40(%rsp)
    movq %rax, 48(%rsp)
    movq %rsp, %rdi
    call boundary_syscall_target
    movq %rax, %r11
    movq 56(%rsp), %rax
    movq 0(%rsp), %rdi
    movq 8(%rsp), %rsi
    movq 16(%rsp), %rdx
    movq 24(%rsp), %rcx
    movq 32(%rsp), %r8
    movq 40(%rsp), %r9
    addq $72, %rsp
    .cfi_adjust_cfa_offset -72
    testq %r11, %r11
    jz 3f
    xorl %eax, %eax
    jmpq *%r11
3:  ret
END syscall

    .section .note.GNU-stack, "", @progbits

/* Indirect branches land on endbr64 (System V ABI, GNU_PROPERTY_X86_FEATURE_1_AND: IBT and SHSTK). */
    .section .note.gnu.property, "a", @note
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 3, 0
