/* dlopen and dlmopen, as every object of the process but libc itself calls them: the judge is called
 * (boundary_native.h), and what it gives is jumped to with the stack as the caller left it. Nothing
 * stays behind on the stack, so the return address is the caller's, by which the loader knows whose
 * RUNPATH and namespace count. */

#if defined(__x86_64__)

    .text

    .globl dlopen
    .type dlopen, @function
dlopen: /* rdi: path, esi: flags */
    .cfi_startproc
    endbr64
    subq $24, %rsp
    .cfi_adjust_cfa_offset 24
    movq %rsp, %rdx
    call boundary_native_dlopen
    movq (%rsp), %rdi
    movl 8(%rsp), %esi
    addq $24, %rsp
    .cfi_adjust_cfa_offset -24
    testq %rax, %rax
    jz 1f
    jmpq *%rax
1:  ret
    .cfi_endproc
    .size dlopen, . - dlopen

    .globl dlmopen
    .type dlmopen, @function
dlmopen: /* rdi: namespace, rsi: path, edx: flags */
    .cfi_startproc
    endbr64
    subq $24, %rsp
    .cfi_adjust_cfa_offset 24
    movq %rdi, 16(%rsp)
    movq %rdi, %rcx
    movq %rsi, %rdi
    movl %edx, %esi
    movq %rsp, %rdx
    call boundary_native_dlmopen
    movq 16(%rsp), %rdi
    movq (%rsp), %rsi
    movl 8(%rsp), %edx
    addq $24, %rsp
    .cfi_adjust_cfa_offset -24
    testq %rax, %rax
    jz 1f
    jmpq *%rax
1:  ret
    .cfi_endproc
    .size dlmopen, . - dlmopen

#elif defined(__aarch64__)

    .text

    .globl dlopen
    .type dlopen, %function
dlopen: /* x0: path, w1: flags */
    .cfi_startproc
    hint #34 /* bti c */
    stp x29, x30, [sp, #-32]!
    .cfi_def_cfa_offset 32
    .cfi_offset x29, -32
    .cfi_offset x30, -24
    mov x29, sp
    add x2, sp, #16
    bl boundary_native_dlopen
    mov x16, x0
    ldr x0, [sp, #16]
    ldr w1, [sp, #24]
    ldp x29, x30, [sp], #32
    .cfi_restore x30
    .cfi_restore x29
    .cfi_def_cfa_offset 0
    cbz x16, 1f
    br x16
1:  mov x0, xzr
    ret
    .cfi_endproc
    .size dlopen, . - dlopen

    .globl dlmopen
    .type dlmopen, %function
dlmopen: /* x0: namespace, x1: path, w2: flags */
    .cfi_startproc
    hint #34 /* bti c */
    stp x29, x30, [sp, #-48]!
    .cfi_def_cfa_offset 48
    .cfi_offset x29, -48
    .cfi_offset x30, -40
    mov x29, sp
    str x0, [sp, #32]
    mov x3, x0
    mov x0, x1
    mov w1, w2
    add x2, sp, #16
    bl boundary_native_dlmopen
    mov x16, x0
    ldr x0, [sp, #32]
    ldr x1, [sp, #16]
    ldr w2, [sp, #24]
    ldp x29, x30, [sp], #48
    .cfi_restore x30
    .cfi_restore x29
    .cfi_def_cfa_offset 0
    cbz x16, 1f
    br x16
1:  mov x0, xzr
    ret
    .cfi_endproc
    .size dlmopen, . - dlmopen

#else
#error "dlopen is not stood before on this architecture: write its judge-then-jump here"
#endif

    .section .note.GNU-stack, "", %progbits
