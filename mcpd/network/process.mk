SRCS =	admission.c \
	answer.c \
	caller.c \
	certificate.c \
	check.c \
	chunk.c \
	conn.c \
	exchange.c \
	head.c \
	http1.c \
	listener.c \
	main.c \
	media.c \
	output.c \
	settings.c \
	sign.c \
	socket.c \
	stream.c \
	tls.c \
	upgrade.c
LIBS =	-ltls -lssl -lcrypto -lwslay
OBJS =	$(LLHTTP_OBJS)
INCLUDES = -isystem /usr/share/include/llhttp
