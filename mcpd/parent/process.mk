SRCS =	main.c \
	admin.c \
	config.c \
	digest.c \
	edges.c \
	epoch.c \
	files.c \
	identity.c \
	keyfile.c \
	listen.c \
	logger.c \
	merge.c \
	options.c \
	place.c \
	print.c \
	reload.c \
	sections.c \
	spawn.c \
	stop.c \
	supervise.c \
	tools.c \
	trees.c \
	units.c \
	yaml.c
OBJS =	$(B)/schema-text.o
LIBS =	-lyaml -ljansson -lpcre2-8 -lcrypto

$(B)/schema-text.o: mcpd/parent/schema-text.S etc/mcpd.schema.json
	@mkdir -p $(@D)
	$(Q)$(CC) -c -o $@ $<
