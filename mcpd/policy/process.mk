SRCS =	admin.c \
	arguments.c \
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
	when.c
LIBS =	-ljansson -lpcre2-8 -lmd
