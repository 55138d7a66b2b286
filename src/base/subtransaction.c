/*
 * subtransaction.c
 *		Subtransactions of C code, whose rollback frees the locks taken in them. An
 *		error must not leave one open: outside a transaction block the session
 *		would wait for a ROLLBACK that its user knows nothing of, and a handler
 *		in PL/pgSQL would find another subtransaction than its own.
 */
#include "base/subtransaction.h"

#include "access/xact.h"

void
o2o_subtransaction_begin(O2OSubtransaction *outer)
{
	outer->context = CurrentMemoryContext;
	outer->owner = CurrentResourceOwner;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(outer->context);
}

/* Ends it: what was done stays, or its locks and all of it are gone. */
void
o2o_subtransaction_end(const O2OSubtransaction *outer, bool keep)
{
	if (keep)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(outer->context);
	CurrentResourceOwner = outer->owner;
}

/* In PG_CATCH: leaves it, and throws the error on. */
void
o2o_subtransaction_rethrow(const O2OSubtransaction *outer)
{
	ErrorData *error;

	MemoryContextSwitchTo(outer->context);
	error = CopyErrorData();
	FlushErrorState();
	o2o_subtransaction_end(outer, false);
	ReThrowError(error);
}
