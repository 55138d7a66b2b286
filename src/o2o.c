/*
 * o2o.c
 *		The hall: module magic, _PG_init, settings, the library's version.
 *		No capability of any room lives here.
 */
#include "o2o.h"

#include "access/xlog.h"
#include "fmgr.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(o2o_library_version);
PG_FUNCTION_INFO_V1(o2o_cluster_identifier);

/* The version this library was built as; setup() compares it with the SQL. */
Datum
o2o_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(O2O_VERSION));
}

/* Which cluster this is: numbers made of transaction ids do not go on in another one. */
Datum
o2o_cluster_identifier(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) GetSystemIdentifier());
}
