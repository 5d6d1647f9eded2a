//! The init as a program of its own, of some hundred bytes: what it has in memory, and what `/proc/1/exe` would show, is
//! this and nothing of its maker's.
//!
//! It becomes undumpable, looks for the process inside that becomes the program, says so by a byte to descriptor 1, closes that,
//! and waits until either that process ends or the one that descriptor 0 is of. Where it is given no descriptor, or none for some
//! seconds, it waits for the latter alone: poll(2) passes negative descriptors by.

/// In nanoseconds, how long it waits before it looks again: a number that every processor takes in one instruction.
const MOMENT: i64 = 0x8000;
/// How often it looks.
const LOOKS: i64 = 0x8000;

// The machine code: it knows no address, and uses registers and its stack alone.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".pushsection .rodata.isol_sys_init,\"a\",@progbits",
    ".hidden __isol_sys_init_begin",
    ".hidden __isol_sys_init_end",
    ".globl __isol_sys_init_begin",
    ".globl __isol_sys_init_end",
    "__isol_sys_init_begin:",
    // prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    "mov edi, {set_dumpable}",
    "xor esi, esi",
    "xor edx, edx",
    "xor r10d, r10d",
    "xor r8d, r8d",
    "mov eax, {prctl}",
    "syscall",
    "test rax, rax",
    "jnz 3f",
    // prctl(PR_SET_NAME, "isol-init")
    "mov edi, {set_name}",
    "lea rsi, [rip + 4f]",
    "mov eax, {prctl}",
    "syscall",
    "mov r12d, {looks}",
    // pidfd_open(2, 0)
    "2:",
    "mov edi, {program}",
    "xor esi, esi",
    "mov eax, {pidfd_open}",
    "syscall",
    "mov ebx, eax",
    "cmp eax, -{no_process}",
    "jne 5f",
    // ppoll([{fd: 0, events: POLLIN}], 1, {0, a moment}, NULL, 8)
    "push {moment}",
    "push 0",
    "mov rdx, rsp",
    "mov rax, {watched}",
    "push rax",
    "mov rdi, rsp",
    "mov esi, 1",
    "xor r10d, r10d",
    "mov r8d, 8",
    "mov eax, {ppoll}",
    "syscall",
    "add rsp, 24",
    "test rax, rax",
    "jg 3f",
    "dec r12d",
    "jnz 2b",
    // write(1, "i", 1), close(1)
    "5:",
    "lea rsi, [rip + 4f]",
    "mov edi, 1",
    "mov edx, 1",
    "mov eax, {write}",
    "syscall",
    "cmp rax, 1",
    "jne 3f",
    "mov edi, 1",
    "mov eax, {close}",
    "syscall",
    // ppoll([{fd: 0, events: POLLIN}, {fd: that, events: POLLIN}], 2, NULL, NULL, 8), again if it was interrupted
    "6:",
    "mov rcx, {watched}",
    "mov eax, ebx",
    "or rax, rcx",
    "push rax",
    "push rcx",
    "mov rdi, rsp",
    "mov esi, 2",
    "xor edx, edx",
    "xor r10d, r10d",
    "mov r8d, 8",
    "mov eax, {ppoll}",
    "syscall",
    "add rsp, 16",
    "cmp rax, -{interrupted}",
    "je 6b",
    "xor edi, edi",
    "mov eax, {exit_group}",
    "syscall",
    "3:",
    "mov edi, 1",
    "mov eax, {exit_group}",
    "syscall",
    "ud2",
    "4:",
    ".asciz \"isol-init\"",
    "__isol_sys_init_end:",
    ".popsection",
    set_dumpable = const libc::PR_SET_DUMPABLE,
    set_name = const libc::PR_SET_NAME,
    prctl = const libc::SYS_prctl,
    write = const libc::SYS_write,
    close = const libc::SYS_close,
    ppoll = const libc::SYS_ppoll,
    exit_group = const libc::SYS_exit_group,
    pidfd_open = const libc::SYS_pidfd_open,
    program = const super::PROGRAM,
    moment = const MOMENT,
    looks = const LOOKS,
    watched = const (libc::POLLIN as i64) << 32,
    interrupted = const libc::EINTR,
    no_process = const libc::ESRCH,
);

// The same.
#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".pushsection .rodata.isol_sys_init,\"a\",@progbits",
    ".hidden __isol_sys_init_begin",
    ".hidden __isol_sys_init_end",
    ".globl __isol_sys_init_begin",
    ".globl __isol_sys_init_end",
    ".balign 4",
    "__isol_sys_init_begin:",
    "mov x0, #{set_dumpable}",
    "mov x1, #0",
    "mov x2, #0",
    "mov x3, #0",
    "mov x4, #0",
    "mov x8, #{prctl}",
    "svc #0",
    "cbnz x0, 3f",
    "mov x0, #{set_name}",
    "adr x1, 4f",
    "mov x8, #{prctl}",
    "svc #0",
    "mov x10, #{watched}",
    "mov x13, #{looks}",
    "2:",
    "mov x0, #{program}",
    "mov x1, #0",
    "mov x8, #{pidfd_open}",
    "svc #0",
    "mov w9, w0",
    "cmn x0, #{no_process}",
    "b.ne 5f",
    "mov x11, #{moment}",
    "stp xzr, x11, [sp, #-16]!",
    "mov x2, sp",
    "str x10, [sp, #-16]!",
    "mov x0, sp",
    "mov x1, #1",
    "mov x3, #0",
    "mov x4, #8",
    "mov x8, #{ppoll}",
    "svc #0",
    "add sp, sp, #32",
    "cmp x0, #0",
    "b.gt 3f",
    "subs x13, x13, #1",
    "b.ne 2b",
    "5:",
    "mov x0, #1",
    "adr x1, 4f",
    "mov x2, #1",
    "mov x8, #{write}",
    "svc #0",
    "cmp x0, #1",
    "b.ne 3f",
    "mov x0, #1",
    "mov x8, #{close}",
    "svc #0",
    "6:",
    "orr x9, x9, x10",
    "stp x10, x9, [sp, #-16]!",
    "mov x0, sp",
    "mov x1, #2",
    "mov x2, #0",
    "mov x3, #0",
    "mov x4, #8",
    "mov x8, #{ppoll}",
    "svc #0",
    "add sp, sp, #16",
    "cmn x0, #{interrupted}",
    "b.eq 6b",
    "mov x0, #0",
    "mov x8, #{exit_group}",
    "svc #0",
    "3:",
    "mov x0, #1",
    "mov x8, #{exit_group}",
    "svc #0",
    "brk #1",
    "4:",
    ".asciz \"isol-init\"",
    "__isol_sys_init_end:",
    ".popsection",
    set_dumpable = const libc::PR_SET_DUMPABLE,
    set_name = const libc::PR_SET_NAME,
    prctl = const libc::SYS_prctl,
    write = const libc::SYS_write,
    close = const libc::SYS_close,
    ppoll = const libc::SYS_ppoll,
    exit_group = const libc::SYS_exit_group,
    pidfd_open = const libc::SYS_pidfd_open,
    program = const super::PROGRAM,
    moment = const MOMENT,
    looks = const LOOKS,
    watched = const (libc::POLLIN as i64) << 32,
    interrupted = const libc::EINTR,
    no_process = const libc::ESRCH,
);

unsafe extern "C" {
    static __isol_sys_init_begin: u8;
    static __isol_sys_init_end: u8;
}

/// What it does.
fn code() -> &'static [u8] {
    let (begin, end) = (&raw const __isol_sys_init_begin, &raw const __isol_sys_init_end);
    // SAFETY: both are labels in one section, and what is between them is never written to.
    unsafe { std::slice::from_raw_parts(begin, end as usize - begin as usize) }
}

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;

const HEADER: usize = 64;
const SEGMENT: usize = 56;
/// The header, two entries of the program header table, the code.
const CODE: usize = HEADER + 2 * SEGMENT;
/// Room for all of it.
const ROOM: usize = 1024;

/// The program as a file: position-independent, one segment, which is read and executed, and a stack that is not executed.
pub(super) struct File {
    bytes: [u8; ROOM],
    length: usize,
}

impl File {
    /// Puts it together; allocates nothing. `None` if there is no room.
    pub(super) fn new() -> Option<Self> {
        let code = code();
        let length = CODE + code.len();
        let mut file = Self { bytes: [0; ROOM], length };
        file.bytes.get_mut(CODE..length)?.copy_from_slice(code);
        let little = u8::from(cfg!(target_endian = "little"));
        // 64 bits, the byte order, version 1, System V.
        file.put(0, &[0x7f, b'E', b'L', b'F', 2, 2 - little, 1]);
        file.put(16, &3_u16.to_ne_bytes()); // position-independent
        file.put(18, &MACHINE.to_ne_bytes());
        file.put(20, &1_u32.to_ne_bytes()); // version
        file.put(24, &(CODE as u64).to_ne_bytes()); // where it begins
        file.put(32, &(HEADER as u64).to_ne_bytes()); // the program header table
        for (at, number) in [(52, HEADER), (54, SEGMENT), (56, 2)] {
            file.put(at, &(number as u16).to_ne_bytes());
        }
        let loaded = length as u64;
        file.segment(0, 1, 5, loaded); // PT_LOAD, PF_R | PF_X
        file.segment(1, 0x6474_e551, 6, 0); // PT_GNU_STACK, PF_R | PF_W
        Some(file)
    }

    fn segment(&mut self, index: usize, kind: u32, flags: u32, size: u64) {
        const ALIGNMENT: u64 = 0x1_0000;
        let at = HEADER + index * SEGMENT;
        self.put(at, &kind.to_ne_bytes());
        self.put(at + 4, &flags.to_ne_bytes());
        for (field, number) in [(32, size), (40, size), (48, ALIGNMENT)] {
            self.put(at + field, &number.to_ne_bytes());
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
