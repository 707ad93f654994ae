SRCS =	main.c \
	ring.c
LIBS =	-lcrypto
