# Tests: C programs that end in _test.c, and executable files that end in
# .test.  Each prints TAP; regress/run counts.

TEST_SRCS =	$(wildcard regress/unit/*_test.c regress/process/*_test.c)
TEST_BINS =	$(TEST_SRCS:%.c=$(B)/%)
TEST_LIB_SRCS =	$(wildcard regress/lib/*.c)
TEST_LIB_OBJS =	$(TEST_LIB_SRCS:%.c=$(B)/%.o)
TEST_LIBS =	-lcmocka -ljansson -lpcre2-8 -lcrypto

$(B)/regress/%: CPPFLAGS += -iquote regress/lib
$(B)/regress/%_test: $(B)/regress/%_test.o $(TEST_LIB_OBJS) $(COMMON)
	$(SAY) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(TEST_LIB_OBJS) $(COMMON) \
	    $(TEST_LIBS) $(BASE_LIBS)

tests: rooms $(TEST_BINS)

regress: tests
	@regress/run $(B) $(TESTS)

.PHONY: tests regress
