SRCS =	main.c \
	answer.c \
	call.c \
	command.c \
	era.c \
	list.c \
	method.c \
	request.c \
	session.c \
	share.c \
	show.c \
	toolcall.c \
	tools.c
LIBS =	-ljansson -lpcre2-8
