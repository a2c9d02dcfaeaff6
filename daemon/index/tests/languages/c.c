/* A licence. */
#include <stdio.h>

#define LIMIT 10
/* The larger one. */
#define MAX(a, b) \
	((a) > (b) ? (a) : (b))

typedef unsigned int uint;
typedef int (*callback_t)(void *, int);
typedef int table_t[10];

/** A point. */
struct point {
	int x, *y;
	int (*move)(struct point *self);
	struct {
		int deep;
	} inner;
	unsigned bits : 3;
};

typedef struct {
	int field;
} unnamed_t;

typedef struct named {
	int field;
} named_t, *named_p;

typedef union { int i; float f; } either_t;
typedef enum { ONE, TWO } number_t;

union value {
	int i;
};

enum colour {
	RED,
	GREEN = 2,
};
enum { LOOSE };

struct declared;
extern int elsewhere;
extern int here = 1;
int prototype(int x);
extern char *another(void);

static int count, *counts[3], (*handler)(int);
static const struct point origin = {
	.x = 0,
};
struct point { int z; } both;

#ifdef CONFIG_X
int conditional;
#else
int otherwise;
#endif

/**
 * add - adds two numbers
 * @a: the first
 */
static inline int __attribute__((pure)) add(int a,
					    int b)
{
	int local;
	static int kept;
	struct inside { int field; };

	return a + b;
}

char **strings(int (*f)(void)) { return 0; }
int (*pointer(void))(int) { return 0; }

int old_style(a)
	int a;
{
	return a;
}

#include "dir/own.h"
#undef MAX
#define WRAPPED(x) do { call_it(&(x)->list, LIMIT); } while (0)

static LIST_OF(things);

enum colour mentions(struct point *self, size_t count)
{
	for (int i = 0; i < count; i++)
		self->handler(self, add(i, MAX(1, 2)), sizeof(struct point));
	if (!strcmp(strings(0)[0], "text" LIMIT))
		goto out;
	WRAPPED(self);
	(*handler)((word_t)origin.x);
out:
	return RED;
}
