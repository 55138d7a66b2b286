/*
 * subtransaction.h
 *		A subtransaction around locks that may have to be given back.
 */
#ifndef O2O_SUBTRANSACTION_H
#define O2O_SUBTRANSACTION_H

#include "o2o.h"

#include "utils/resowner.h"

/* What its beginner goes on with. */
typedef struct O2OSubtransaction
{
	MemoryContext context;
	ResourceOwner owner;
} O2OSubtransaction;

extern void o2o_subtransaction_begin(O2OSubtransaction *outer);
extern void o2o_subtransaction_end(const O2OSubtransaction *outer, bool keep);
pg_noreturn extern void o2o_subtransaction_rethrow(const O2OSubtransaction *outer);

#endif /* O2O_SUBTRANSACTION_H */
