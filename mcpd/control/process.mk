SRCS =	main.c \
	pages.c \
	show.c \
	listener.c \
	client.c \
	order.c \
	http.c \
	metrics.c \
	scrape.c
LIBS =
