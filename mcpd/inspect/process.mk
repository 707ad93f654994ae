SRCS =	anchors.c \
	answer.c \
	check.c \
	clean.c \
	main.c \
	outputs.c \
	patterns.c \
	redact.c \
	scan.c \
	shape.c
LIBS =	-ljansson -lpcre2-8 -lmd
