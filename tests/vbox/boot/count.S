# count: a guest that needs no operating system, in the first sector of its disk.
#
# It prints one line to COM1 up to fifty times a second,
#
#     BBBBBBBBBBBBBBBB CCCCCCCC\n        (both hexadecimal)
#
# where B is fixed at boot and C counts the lines: the form that the lab's guests print. A reader of
# the serial file sees from B that the guest was never started anew, and from C that it missed
# nothing. Before each line it writes one word into each of `pages` pages of 4 KiB above 1 MiB, so
# that a teleportation has something to send; who makes the disk sets their number.
#
# Real mode, since the firmware's timer is then there for the asking; one segment register is
# given a limit of 4 GiB for the pages. tests/integration/vbox/test_site.py assembles it and
# compares the result with count.bin.

        .code16
        .set    COM1,      0x3f8
        .set    PIC1_MASK, 0x21
        .set    PIC2_MASK, 0xa1
        .set    PIT,       0x40
        .set    DIVISOR,   1193182 / 50 # clock of the timer in Hz / ticks a second
        .set    CMOS,      0x70
        .set    GATE,      0x92         # bit 1: addresses above 1 MiB are not folded
        .set    ABOVE,     0x100000

        .text
        .globl  start
start:
        ljmp    $0, $entry              # some firmware jumps to 07c0:0000
entry:
        cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $start, %sp

        in      $GATE, %al
        or      $2, %al
        and     $0xfe, %al              # bit 0 would restart the machine
        out     %al, $GATE

        # %fs reaches 4 GiB: a limit that is loaded in protected mode stays afterwards.
        lgdtl   table_register
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        mov     $8, %bx
        mov     %bx, %fs
        and     $0xfe, %al
        mov     %eax, %cr0
        xor     %bx, %bx
        mov     %bx, %fs

        # 8 data bits, no parity, no interrupts.
        mov     $COM1 + 1, %dx
        xor     %al, %al
        out     %al, %dx
        mov     $COM1 + 3, %dx
        mov     $3, %al
        out     %al, %dx

        # Of all interrupts only the timer's, which the firmware answers.
        mov     $0xfe, %al
        out     %al, $PIC1_MASK
        mov     $0xff, %al
        out     %al, $PIC2_MASK
        mov     $0x34, %al
        out     %al, $PIT + 3
        mov     $DIVISOR & 0xff, %al
        out     %al, $PIT
        mov     $DIVISOR >> 8, %al
        out     %al, $PIT

        # The boot's name: hours, minutes and seconds of the clock, and the cycle counter.
        xor     %ebp, %ebp
        mov     $4, %al
        call    clock
        mov     $2, %al
        call    clock
        xor     %al, %al
        call    clock
        mov     %ebp, boot
        rdtsc
        mov     %eax, boot + 4
        sti

        # Noise in the pages, which VirtualBox cannot send in fewer bytes.
        mov     $ABOVE, %ebx
        mov     pages, %ecx
        shl     $10, %ecx               # words
        jecxz   2f
1:      imul    $1664525, %eax
        add     $1013904223, %eax
        mov     %eax, %fs:(%ebx)
        add     $4, %ebx
        addr32  loop 1b
2:
        xor     %ebp, %ebp              # the line counter
round:
        inc     %ebp
        mov     $ABOVE, %ebx
        mov     pages, %ecx
1:      jecxz   2f
        mov     %ebp, %fs:(%ebx)
        add     $4096, %ebx
        dec     %ecx
        jmp     1b
2:
        mov     boot, %ebx
        call    word
        mov     boot + 4, %ebx
        call    word
        mov     $' ', %al
        call    byte
        mov     %ebp, %ebx
        call    word
        mov     $'\n', %al
        call    byte
        hlt                             # until the next tick
        jmp     round

# Shift the register %al of the clock into %ebp.
clock:
        out     %al, $CMOS
        in      $CMOS + 1, %al
        shl     $8, %ebp
        movzbl  %al, %eax
        or      %eax, %ebp
        ret

# Print %ebx as eight hexadecimal digits.
word:
        mov     $8, %cx
1:      rol     $4, %ebx
        mov     %bl, %al
        and     $15, %al
        cmp     $10, %al
        sbb     $0x69, %al              # with the next: a digit of either kind
        das
        or      $0x20, %al
        call    byte
        loop    1b
        ret

# Print %al when the port is free.
byte:
        mov     %al, %ah
        mov     $COM1 + 5, %dx
1:      in      %dx, %al
        test    $0x20, %al
        jz      1b
        mov     %ah, %al
        mov     $COM1, %dx
        out     %al, %dx
        ret

        .balign 8
table:
        .quad   0
        .quad   0x00cf92000000ffff      # data, 0 to 4 GiB
table_register:
        .word   . - table - 1
        .long   table
boot:
        .long   0, 0

        .org    502
pages:
        .long   0
        .org    510
        .word   0xaa55
