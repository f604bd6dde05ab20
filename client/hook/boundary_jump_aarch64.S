/* vfork, clone and syscall: judged in C, then jumped to as if nothing had been in between: the stack
 * and every register that holds an argument are the caller's. */

    .text

/* FUNCTION: a symbol that other objects see. `bti c`, as a hint that older machines pass over. */
    .macro FUNCTION name
    .globl \name
    .type \name, %function
    .p2align 4
\name:
    .cfi_startproc
    hint #34
    .endm

    .macro END name
    .cfi_endproc
    .size \name, . - \name
    .endm

FUNCTION vfork
    stp x29, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    bl boundary_vfork_target
    mov x16, x0
    ldp x29, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x29
    .cfi_restore x30
    cbz x16, 1f
    br x16
1:  mov w0, #-1
    ret
END vfork
    .globl __vfork
    .set __vfork, vfork

/* clone(function, stack, flags, argument, parent_tid, tls, child_tid): x0 to x6 */
FUNCTION clone
    stp x29, x30, [sp, #-80]!
    .cfi_adjust_cfa_offset 80
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    stp x0, x1, [sp, #16]
    stp x2, x3, [sp, #32]
    stp x4, x5, [sp, #48]
    str x6, [sp, #64]
    mov w0, w2
    bl boundary_clone_target
    mov x16, x0
    ldp x0, x1, [sp, #16]
    ldp x2, x3, [sp, #32]
    ldp x4, x5, [sp, #48]
    ldr x6, [sp, #64]
    ldp x29, x30, [sp], #80
    .cfi_adjust_cfa_offset -80
    .cfi_restore x29
    .cfi_restore x30
    cbz x16, 1f
    br x16
1:  mov w0, #-1
    ret
END clone
    .globl __clone
    .set __clone, clone

/* syscall(number, ...): x0 to x6. The numbers that concern us: clone 220, execve 221, execveat 281,
 * clone3 435. The kernel reads 32 bits of a number. */
FUNCTION syscall
    sub w16, w0, #220
    cmp w16, #1
    b.ls 2f
    cmp w0, #281
    b.eq 2f
    cmp w0, #435
    b.eq 2f
    adrp x16, boundary_real_syscall
    ldr x16, [x16, #:lo12:boundary_real_syscall]
    cbz x16, 2f
    br x16
2:  stp x29, x30, [sp, #-80]!
    .cfi_adjust_cfa_offset 80
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    stp x0, x1, [sp, #16]
    stp x2, x3, [sp, #32]
    stp x4, x5, [sp, #48]
    stp x6, xzr, [sp, #64]
    add x0, sp, #16
    bl boundary_syscall_target
    mov x16, x0
    ldr x17, [sp, #72]
    ldp x0, x1, [sp, #16]
    ldp x2, x3, [sp, #32]
    ldp x4, x5, [sp, #48]
    ldr x6, [sp, #64]
    ldp x29, x30, [sp], #80
    .cfi_adjust_cfa_offset -80
    .cfi_restore x29
    .cfi_restore x30
    cbz x16, 3f
    br x16
3:  mov x0, x17
    ret
END syscall

    .section .note.GNU-stack, "", %progbits
