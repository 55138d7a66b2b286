/*
 * integer.h
 *		Integers of any of the three types.
 */
#ifndef O2O_BASE_INTEGER_H
#define O2O_BASE_INTEGER_H

#include "catalog/pg_type.h"

static inline int64
o2o_integer_of(Oid type, Datum value)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

#endif /* O2O_BASE_INTEGER_H */
