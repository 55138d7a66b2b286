/*
 * compat.h
 *		The only place that asks for the server's version (15 to 18).
 *		Shims live here; what they are used for lives in the rooms.
 */
#ifndef O2O_COMPAT_H
#define O2O_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "O2O needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#include "nodes/miscnodes.h"
#define O2O_SOFT_ERRORS 1
#else
/* PostgreSQL 15 has no soft errors: a bad input is always a hard error. */
struct Node;
#define ereturn(escontext, dummy_value, ...) \
	do                                       \
	{                                        \
		(void) (escontext);                  \
		ereport(ERROR, __VA_ARGS__);         \
		return dummy_value;                  \
	} while (0)
#endif

/* The numbered entries of the backends' status, from 1. */
#if PG_VERSION_NUM >= 160000
#define o2o_local_backend_status(i) pgstat_get_local_beentry_by_index(i)
#else
#define o2o_local_backend_status(i) pgstat_fetch_stat_local_beentry(i)
#endif

#endif /* O2O_COMPAT_H */
