SRCS =	main.c \
	chain.c \
	commit.c \
	lines.c \
	pairs.c
LIBS =	-lcrypto
