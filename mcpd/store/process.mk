SRCS =	database.c \
	main.c \
	schema.c
LIBS =	-lsqlite3
