/* SPDX-License-Identifier: ISC */

/*
 * The process that a gVisor sandbox is kept alive by: it says that it is
 * there and waits for ever.  It has no libraries, since a tool's root may
 * have none.  Those that lose their parent become its children; to ignore
 * their end is to have them reaped.
 */

#include <asm/unistd.h>

#define SIG_CHLD	17
#define IGNORE		1L

struct action {
	long		 handler;
	unsigned long	 flags;
	void		*restorer;
	unsigned long	 mask;
};

void	_start(void) __attribute__((noreturn));

#if defined(__x86_64__)
static long
call(long number, long a, long b, long c, long d)
{
	register long	r10 __asm__("r10") = d;
	long		result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a),
	    "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static long
call(long number, long a, long b, long c, long d)
{
	register long	x8 __asm__("x8") = number, x0 __asm__("x0") = a,
			x1 __asm__("x1") = b, x2 __asm__("x2") = c,
			x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2),
	    "r"(x3) : "memory");
	return x0;
}
#endif

void
_start(void)
{
	struct action	ignore = { .handler = IGNORE };

	call(__NR_rt_sigaction, SIG_CHLD, (long)&ignore, 0,
	    sizeof(ignore.mask));
	call(__NR_write, 1, (long)"!", 1, 0);
	for (;;)
		call(__NR_ppoll, 0, 0, 0, 0);
}
