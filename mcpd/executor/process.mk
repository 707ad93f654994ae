SRCS =	main.c \
	lease.c \
	pool.c \
	run.c \
	tools.c
