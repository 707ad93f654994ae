SRCS =	admin.c \
	callers.c \
	compile.c \
	decide.c \
	explain.c \
	form.c \
	glob.c \
	isolation.c \
	judge.c \
	main.c \
	people.c \
	roleset.c \
	rules.c \
	select.c \
	test.c \
	when.c
LIBS =	-ljansson -lpcre2-8 -lmd
