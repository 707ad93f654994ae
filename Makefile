# make			builds everything into build/
# make install		DESTDIR=, PREFIX=/usr
# make quickstart	a running mcpd with one user, as root
# make regress		all tests, as root
# make bench		how fast it is, beside nginx, as root
# make clean

PREFIX =	/usr
DESTDIR =
SBINDIR =	$(PREFIX)/sbin
BINDIR =	$(PREFIX)/bin
LIBEXECDIR =	$(PREFIX)/libexec/mcpd
DATADIR =	$(PREFIX)/share/mcpd
MANDIR =	$(PREFIX)/share/man
SYSCONFDIR =	/etc/mcpd
UNITDIR =	$(PREFIX)/lib/systemd/system
SYSUSERSDIR =	$(PREFIX)/lib/sysusers.d

VERSION =	0.1
B =		build
CC =		gcc
AWK =		awk

# Folder = process = binary.
ROOMS :=	$(filter-out parent,$(patsubst mcpd/%/process.mk,%, \
		$(wildcard mcpd/*/process.mk)))

WARN =		-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
		-Wmissing-prototypes -Wold-style-definition -Wpointer-arith \
		-Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla \
		-Wconversion -Wno-sign-conversion -Wno-format-zero-length
HARDEN =	-fstack-protector-strong -fstack-clash-protection \
		-fcf-protection -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS =	-O2 -g
STD =		-std=c17 -D_GNU_SOURCE
CPPFLAGS =	-I. -I$(B)/gen -DMCPD_VERSION='"$(VERSION)"' \
		-DMCPD_LIBEXECDIR='"$(LIBEXECDIR)"' \
		-DMCPD_SYSCONFDIR='"$(SYSCONFDIR)"' $(EXTRA)
LDFLAGS =	-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
		-Wl,--gc-sections
COMPILE =	$(CC) $(STD) $(CFLAGS) $(HARDEN) $(WARN) $(CPPFLAGS) \
		-ffunction-sections -MMD -MP -c

# What every process is linked with.
BASE_LIBS =	-levent_core -lseccomp -lcap-ng -lbsd

# V=1 shows the commands.
Q =		$(if $(V),,@)
SAY =		@$(if $(V),:,echo)

all: rooms $(B)/bin/mcpctl

include etc/packages.mk

# Generated: the message table and the figures.

DEF =		common/ipc/messages.def
GEN =		$(AWK) -f common/ipc/gen.awk
FIGURES =	common/stats/counters.def
GEN_HEADS =	$(B)/gen/ipc/words.h $(B)/gen/all/messages.h \
		$(foreach r,parent child network auth engine policy audit sandbox \
		executor inspect store keys control, \
		$(B)/gen/$(r)/messages.h $(B)/gen/$(r)/stats.h)

$(B)/gen/ipc/words.h: $(DEF) common/ipc/gen.awk
	@mkdir -p $(@D)
	$(Q)$(AWK) -v out=words -f common/ipc/gen.awk $(DEF) >$@.new
	@mv $@.new $@

$(B)/gen/ipc/table.c: $(DEF) common/ipc/gen.awk
	@mkdir -p $(@D)
	$(Q)$(AWK) -v out=table -f common/ipc/gen.awk $(DEF) >$@.new
	@mv $@.new $@

$(B)/gen/%/messages.h: $(DEF) common/ipc/gen.awk
	@mkdir -p $(@D)
	$(Q)$(AWK) -v out=head -v room=$* -f common/ipc/gen.awk $(DEF) >$@.new
	@mv $@.new $@

$(B)/gen/%/dispatch.c: $(DEF) common/ipc/gen.awk
	@mkdir -p $(@D)
	$(Q)$(AWK) -v out=dispatch -v room=$* -f common/ipc/gen.awk $(DEF) >$@.new
	@mv $@.new $@

$(B)/gen/%/stats.h: $(FIGURES) common/stats/gen.awk
	@mkdir -p $(@D)
	$(Q)$(AWK) -v out=head -v room=$* -f common/stats/gen.awk $(FIGURES) >$@.new
	@mv $@.new $@

$(B)/gen/stats/table.c: $(FIGURES) common/stats/gen.awk
	@mkdir -p $(@D)
	$(Q)$(AWK) -v out=table -f common/stats/gen.awk $(FIGURES) >$@.new
	@mv $@.new $@

# common: an archive, from which each program takes what it uses.

COMMON_SRCS =	$(wildcard common/*/*.c)
COMMON_OBJS =	$(COMMON_SRCS:%.c=$(B)/%.o) $(B)/gen/ipc/table.o \
		$(B)/gen/child/dispatch.o $(B)/gen/stats/table.o
COMMON =	$(B)/common.a

$(COMMON): $(COMMON_OBJS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(COMMON_OBJS)

$(B)/%.o: %.c | $(GEN_HEADS)
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(COMPILE) -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c | $(GEN_HEADS)
	$(Q)$(COMPILE) -o $@ $<

# Debian ships llhttp as source.
LLHTTP =	/usr/share/llhttp
LLHTTP_OBJS =	$(B)/llhttp/llhttp.o $(B)/llhttp/api.o $(B)/llhttp/http.o

$(B)/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) $(CFLAGS) $(HARDEN) -DLLHTTP_STRICT_MODE=1 \
	    -I/usr/share/include/llhttp -c -o $@ $<

# A room: its process.mk says SRCS, LIBS and, if need be, OBJS.

# A room includes its own headers and common, never another room's: the
# list of what a file was compiled from tells.
define room
SRCS :=
LIBS :=
OBJS :=
INCLUDES :=
include mcpd/$(1)/process.mk
$(1)_LIBS := $$(LIBS)
$(1)_INCLUDES := $$(INCLUDES)
$(1)_OBJS := $$(SRCS:%.c=$(B)/mcpd/$(1)/%.o) $(B)/gen/$(1)/dispatch.o $$(OBJS)
$$($(1)_OBJS): CPPFLAGS += -iquote mcpd/$(1) $$($(1)_INCLUDES)
$(2): $$($(1)_OBJS) $(COMMON) mcpd/check-includes
	@mkdir -p $$(@D)
	$(SAY) LD $$@
	@sh mcpd/check-includes $(1) $(B)/mcpd/$(1)/*.d
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $$@ $$($(1)_OBJS) $(COMMON) \
	    $$($(1)_LIBS) $(BASE_LIBS)
endef

$(foreach r,$(ROOMS),$(eval $(call room,$(r),$(B)/libexec/mcpd/$(r))))
ifneq ($(wildcard mcpd/parent/process.mk),)
$(eval $(call room,parent,$(B)/sbin/mcpd))
endif

# The manual of the processes has the table of messages in it.
MAN_SRCS =	$(wildcard man/*.[1-8])
MANS =		$(MAN_SRCS:man/%=$(B)/man/%) $(B)/man/mcpd-privsep.7

$(B)/man/%: man/%
	@mkdir -p $(@D)
	@cp $< $@

$(B)/man/mcpd-privsep.7: man/mcpd-privsep.7.in $(DEF) common/ipc/gen.awk
	@mkdir -p $(@D)
	$(Q)$(AWK) -v out=manual -f common/ipc/gen.awk $(DEF) >$@.table
	$(Q)sed -e '/^@MESSAGES@$$/{r $@.table' -e 'd}' $< >$@
	@rm -f $@.table

mans: $(MANS)

rooms: $(ROOMS:%=$(B)/libexec/mcpd/%) $(if $(parent_OBJS),$(B)/sbin/mcpd)

# The operator's program.
MCPCTL_OBJS =	$(patsubst %.c,$(B)/%.o,$(wildcard mcpctl/*.c))

$(MCPCTL_OBJS): CPPFLAGS += -iquote mcpctl
$(B)/bin/mcpctl: $(MCPCTL_OBJS) $(COMMON)
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(MCPCTL_OBJS) $(COMMON) \
	    -ljansson -lcrypto -lbsd
tests: $(B)/bin/mcpctl

include regress/regress.mk

INSTALL =	install
D =		$(DESTDIR)

# The database of an example tool.
$(B)/inventory.db: etc/example/inventory.sql
	@rm -f $@
	$(Q)sqlite3 $@ <$<

# Needs no root if DESTDIR does not.  A configuration that is there stays.
CONFIGS =	mcpd.yaml $(patsubst etc/%,%,$(wildcard etc/*.d/*.yaml))

install: all mans $(B)/inventory.db
	$(INSTALL) -d $(D)$(SBINDIR) $(D)$(LIBEXECDIR) $(D)$(MANDIR)/man5 \
	    $(D)$(MANDIR)/man7 $(D)$(MANDIR)/man8 $(D)$(DATADIR)/tools \
	    $(D)$(DATADIR)/example/docs $(D)$(SYSCONFDIR)/tools.d \
	    $(D)$(SYSCONFDIR)/policy.d $(D)$(UNITDIR) $(D)$(SYSUSERSDIR) \
	    $(D)$(DATADIR)/rc.d
	$(INSTALL) $(B)/sbin/mcpd $(B)/bin/mcpctl $(D)$(SBINDIR)
	$(INSTALL) $(ROOMS:%=$(B)/libexec/mcpd/%) $(D)$(LIBEXECDIR)
	$(INSTALL) -m 644 $(filter %.5,$(MANS)) $(D)$(MANDIR)/man5
	$(INSTALL) -m 644 $(filter %.7,$(MANS)) $(D)$(MANDIR)/man7
	$(INSTALL) -m 644 $(filter %.8,$(MANS)) $(D)$(MANDIR)/man8
	$(INSTALL) -m 644 etc/mcpd.schema.json $(D)$(DATADIR)
	$(INSTALL) etc/tools/* $(D)$(DATADIR)/tools
	$(INSTALL) -m 644 etc/example/docs/* $(D)$(DATADIR)/example/docs
	$(INSTALL) -m 644 $(B)/inventory.db $(D)$(DATADIR)/example
	$(INSTALL) -m 644 systemd/mcpd.service $(D)$(UNITDIR)
	$(INSTALL) -m 644 systemd/mcpd.sysusers $(D)$(SYSUSERSDIR)/mcpd.conf
	$(INSTALL) rc.d/mcpd $(D)$(DATADIR)/rc.d
	@for f in $(CONFIGS); do \
		[ -e $(D)$(SYSCONFDIR)/$$f ] || \
		    $(INSTALL) -m 640 etc/$$f $(D)$(SYSCONFDIR)/$$f; \
	done

quickstart: packages-build
	$(Q)$(MAKE) all
	@etc/quickstart $(B)

clean:
	rm -rf $(B)

.SECONDARY:
.PHONY: all rooms mans install quickstart clean

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)
