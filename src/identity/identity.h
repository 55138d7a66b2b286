/*
 * identity.h
 *		What the files of the identity room share, and other rooms may use:
 *		reading identifiers in C. The normal forms live in identifier_parse.c.
 */
#ifndef O2O_IDENTITY_H
#define O2O_IDENTITY_H

#include "o2o.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "identity/identifier_char.h"
#include "identity/identifier_parse.h"

/* An identifier is a varlena of the bytes of its normal form, as text is. */
#define O2OGetIdentifierPP(n) ((struct varlena *) PG_GETARG_VARLENA_PP(n))

/* identifier.c */
extern O2OIdentifierStatus o2o_identifier_read(const char *input, int len, O2OIdentifierText *out);
extern O2OIdentifierStatus
o2o_identifier_read_value(const char *kind, int kind_len, const char *value, int len,
						  O2OIdentifierText *out);
extern Datum o2o_identifier_error(struct Node *escontext, O2OIdentifierStatus status,
								  const O2OIdentifierText *found);
extern struct varlena *o2o_identifier_store(const O2OIdentifierText *found);

/* identifier_json.c */
typedef text *(*O2OCountryFunction)(void *argument);

extern ArrayType *
o2o_identifiers_of_event(Jsonb *input, Oid element, O2OCountryFunction country, void *argument);

/* identifier_order.c */
extern int o2o_identifier_compare(const struct varlena *a, const struct varlena *b);

/* identifier_modules.c */
extern void *o2o_module_function(const char *path, const char *function, const char *library);
extern bool o2o_idna_to_ascii(const char *domain, char *ascii, size_t size);
extern O2OIdentifierStatus
o2o_identifier_read_phone(const char *number, int len, const char *country, int country_len,
						  O2OIdentifierText *out);

extern Datum o2o_identifier_kind(PG_FUNCTION_ARGS);

/* person.c */
extern bool
o2o_identifier_profile_at(Datum identifier, TimestampTz as_of, bool read_only, int64 *profile_id);

/* resolve_write.c */

/* Locks one customer and looks whether it is one still. */
typedef bool (*O2OCustomerLocker)(void *argument, int64 customer_id);

extern bool
o2o_customers_lock_each(int64 *roots, int count, O2OCustomerLocker lock, void *argument);

#endif /* O2O_IDENTITY_H */
