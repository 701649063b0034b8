# tick: a guest that needs no operating system.
#
# It prints one line to COM1 fifty times a second,
#
#     BBBBBBBBBBBBBBBB CCCCCCCC\n        (both hexadecimal)
#
# where B is fixed at boot and C counts the lines.  A reader of the serial file
# sees from B that the guest was never started anew, and from C that it missed
# nothing.  With "dirty=N" at the end of the command line it writes to every
# 4 KiB page of N MiB before each line, so that a live migration has work to do.
# With "off=N" before that it powers itself off after N lines.
#
# QEMU loads it as a Multiboot kernel ("-kernel"): no disk, so a migration is
# never unsafe, and no files but this one.  tests/lab/test_boot.py assembles it
# and compares the result with tick.bin.

        .code32
        .set    LOAD,      0x100000     # Multiboot programs live above 1 MiB
        .set    MEMORY,    0x200000     # stack below, pages to dirty above
        .set    PAGE,      4096

        .set    MAGIC,     0x1badb002
        .set    FLAGS,     1 << 16      # the addresses below are valid: no ELF needed

        .set    COM1,      0x3f8
        .set    CMOS,      0x70
        .set    PIC1,      0x20
        .set    PIC2,      0xa0
        .set    PIT,       0x40
        .set    DIVISOR,   1193182 / 50 # PIT clock in Hz / ticks a second
        .set    PM_CONTROL, 0x604
        .set    SLEEP,     1 << 13      # and sleep type 0
        .set    TIMER,     0x20         # first interrupt vector of PIC1

        .text
        .globl  start
start:
        .align  4
header:
        .long   MAGIC, FLAGS, -(MAGIC + FLAGS)
        .long   header, start, 0, 0, entry

entry:
        cli
        mov     $MEMORY, %esp

        # Multiboot leaves flat segments but no table behind them, and an
        # interrupt return reloads the code segment from the table.
        lgdt    gdt_register
        ljmp    $8, $flat
flat:
        mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        lidt    idt_register

        # %edi = bytes to dirty: the digits after the last "=".  last_line = those after
        # the one before; 0, no line's number, where there is none.
        mov     16(%ebx), %esi          # Multiboot information: command line
        xor     %edi, %edi
        xor     %edx, %edx              # 1 once a "=" was seen
1:      lodsb
        test    %al, %al
        jz      3f
        cmp     $'=', %al
        jne     2f
        imul    %edx, %edi
        mov     %edi, last_line
        mov     $1, %edx
        xor     %edi, %edi
        jmp     1b
2:      sub     $'0', %al
        cmp     $9, %al
        ja      1b
        movzbl  %al, %eax
        imul    $10, %edi
        add     %eax, %edi
        jmp     1b
3:      shl     $20, %edi

        # Boot id: day, hour, minute, second, then the cycle counter.  The
        # counter starts near zero in each QEMU, so it is not enough alone.
        xor     %ebp, %ebp
        mov     $7, %al
        call    clock
        mov     $4, %al
        call    clock
        mov     $2, %al
        call    clock
        mov     $0, %al
        call    clock
        mov     %ebp, boot_high
        rdtsc
        mov     %eax, boot_low

        # Interrupts: the timer only, 50 a second.
        mov     $0x11, %al
        out     %al, $PIC1
        out     %al, $PIC2
        mov     $TIMER, %al
        out     %al, $PIC1 + 1
        mov     $TIMER + 8, %al
        out     %al, $PIC2 + 1
        mov     $4, %al
        out     %al, $PIC1 + 1
        mov     $2, %al
        out     %al, $PIC2 + 1
        mov     $1, %al
        out     %al, $PIC1 + 1
        out     %al, $PIC2 + 1
        mov     $0xfe, %al
        out     %al, $PIC1 + 1
        mov     $0xff, %al
        out     %al, $PIC2 + 1
        mov     $0x34, %al
        out     %al, $PIT + 3
        mov     $DIVISOR & 0xff, %al
        out     %al, $PIT
        mov     $DIVISOR >> 8, %al
        out     %al, $PIT
        sti

        xor     %ecx, %ecx              # the line counter
round:
        inc     %ecx
        mov     $MEMORY, %ebx
        lea     MEMORY(%edi), %edx
1:      cmp     %edx, %ebx
        jae     2f
        mov     %ecx, (%ebx)            # never zero, or QEMU would send no page
        add     $PAGE, %ebx
        jmp     1b
2:
        mov     boot_high, %ebx
        call    word
        mov     boot_low, %ebx
        call    word
        mov     $' ', %al
        call    byte
        mov     %ecx, %ebx
        call    word
        mov     $'\n', %al
        call    byte
        cmp     last_line, %ecx
        je      off
        hlt                             # until the next tick of the timer
        jmp     round

# ACPI's S5, where the firmware of QEMU's "pc" puts the register.
off:
        mov     $PM_CONTROL, %edx
        mov     $SLEEP, %eax
        out     %ax, %dx
1:      hlt
        jmp     1b

# Shift the CMOS clock register %al into %ebp.
clock:
        out     %al, $CMOS
        in      $CMOS + 1, %al
        shl     $8, %ebp
        movzbl  %al, %eax
        or      %eax, %ebp
        ret

# Print %ebx as eight hexadecimal digits.
word:
        mov     $8, %esi
1:      rol     $4, %ebx
        mov     %bl, %al
        and     $15, %al
        add     $'0', %al
        cmp     $'9', %al
        jbe     2f
        add     $'a' - '0' - 10, %al
2:      call    byte
        dec     %esi
        jnz     1b
        ret

# Print %al when the port is free.
byte:
        push    %edx
        push    %eax
        mov     $COM1 + 5, %edx
1:      in      %dx, %al
        test    $0x20, %al
        jz      1b
        pop     %eax
        mov     $COM1, %edx
        out     %al, %dx
        pop     %edx
        ret

timer:
        push    %eax
        mov     $0x20, %al
        out     %al, $PIC1
        pop     %eax
        iret

        .align  8
gdt:
        .quad   0
        .quad   0x00cf9a000000ffff      # code, 0 to 4 GiB
        .quad   0x00cf92000000ffff      # data, 0 to 4 GiB
gdt_register:
        .word   . - gdt - 1
        .long   gdt

        .align  8
idt:
        .fill   TIMER, 8, 0
        # LOAD is a multiple of 64 KiB, so the halves of the handler's address
        # are its offset and LOAD's upper half.
        .word   timer - start, 8, 0x8e00, LOAD >> 16
idt_register:
        .word   . - idt - 1
        .long   idt

boot_high:
        .long   0
boot_low:
        .long   0
last_line:
        .long   0
