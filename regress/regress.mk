# Tests: C programs that end in _test.c, and executable files that end in
# .test.  Each prints TAP; regress/run counts.

TEST_SRCS =	$(wildcard regress/unit/*_test.c regress/process/*_test.c)
TEST_BINS =	$(TEST_SRCS:%.c=$(B)/%)
TEST_HELP_SRCS = $(filter-out %_test.c,$(wildcard regress/lib/*.c \
		regress/unit/*.c regress/process/*.c))
TEST_HELP_OBJS = $(TEST_HELP_SRCS:%.c=$(B)/%.o)
TEST_HELP =	$(B)/regress/help.a
TEST_LIBS =	-lcmocka -ltls -lssl -lcrypto -ljansson -lpcre2-8 -lsqlite3

$(B)/regress/%: CPPFLAGS += -iquote regress/lib

$(TEST_HELP): $(TEST_HELP_OBJS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(TEST_HELP_OBJS)

$(B)/regress/%_test: $(B)/regress/%_test.o $(TEST_HELP) $(COMMON)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(TEST_HELP) $(COMMON) \
	    $(TEST_LIBS) $(BASE_LIBS)

# Children that misbehave when they are told to, for regress/confine.
hijack:
	$(Q)$(MAKE) B=$(B)/hijack \
	    EXTRA="-DMCPD_HIJACK -DBACKOFF_MAX_MS=1" rooms

tests: all mans hijack $(TEST_BINS)

# Their packages first: what is built needs some of them.
regress: packages-test
	$(Q)$(MAKE) tests
	@regress/run $(B) $(TESTS)

# mcpd beside nginx: SECONDS= of a measurement, ROUNDS= of all of them.
BENCH =		$(B)/regress/bench
SECONDS =	3
ROUNDS =	3

$(BENCH)/load: $(BENCH)/load.o $(BENCH)/histogram.o
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lssl -lcrypto

$(BENCH)/echo: $(BENCH)/echo.o
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

bench: packages-test
	$(Q)$(MAKE) all $(BENCH)/load $(BENCH)/echo
	@regress/bench/bench $(B) $(SECONDS) $(ROUNDS)

.PHONY: tests regress hijack bench
