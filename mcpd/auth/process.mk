SRCS =	admin.c \
	admin_certificate.c \
	admin_key.c \
	admin_user.c \
	ask.c \
	certificate.c \
	credential.c \
	directory.c \
	handle.c \
	key.c \
	load.c \
	main.c \
	names.c \
	record.c \
	table.c \
	throttle.c
LIBS =	-lcrypto -ljansson
