SRCS =	main.c \
	birth.c \
	box.c \
	cgroup.c \
	config.c \
	container.c \
	fds.c \
	files.c \
	filter.c \
	gvisor.c \
	keeper.c \
	keeper_runsc.c \
	lease.c \
	link.c \
	maker.c \
	pairs.c \
	plan.c \
	pool.c \
	prepare.c \
	purge.c \
	rpc.c \
	sources.c \
	stop.c \
	tier.c \
	tools.c \
	trees.c

# The parked process of gVisor sandboxes, as bytes.
OBJS =	$(B)/mcpd/sandbox/park_image.o

$(B)/mcpd/sandbox/park: mcpd/sandbox/park.c
	@mkdir -p $(@D)
	$(CC) $(STD) -O2 $(WARN) -ffreestanding -fno-stack-protector \
	    -mgeneral-regs-only -fno-pie -no-pie -static -nostdlib -s \
	    -Wl,--build-id=none -Wl,-z,noseparate-code -o $@ $<

$(B)/mcpd/sandbox/park_image.o: $(B)/mcpd/sandbox/park
	printf '%s\n' '.section .rodata' '.global park_start, park_end' \
	    'park_start:' '.incbin "$<"' 'park_end:' \
	    '.section .note.GNU-stack, "", %progbits' | \
	    $(CC) -c -x assembler -o $@ -
