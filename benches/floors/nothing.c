/* A program that ends at once: without a C library, whose start takes longer than all that is measured, and on the
 * processor that the parent waits for. */
void _start(void) {
#if defined(__x86_64__)
    __asm__ volatile("syscall" : : "a"(231), "D"(0));
#elif defined(__aarch64__)
    register long number __asm__("x8") = 94, status __asm__("x0") = 0;
    __asm__ volatile("svc 0" : : "r"(number), "r"(status));
#else
#error "exit_group(2) of this processor"
#endif
    __builtin_unreachable();
}
