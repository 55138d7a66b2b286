/*
 * resolve_rules.c
 *		Which identifiers of an event are admitted, as identifier_kind and
 *		identifier_block have it. What may not be one customer lives in
 *		resolve_conflict.c; when either is asked, in resolve.c.
 */
#include "identity/identity.h"

#include "identity/resolve.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(o2o_identity_admit);
PG_FUNCTION_INFO_V1(o2o_identifier_scope);

/* The rows of identifier_kind. Rules are read as they stand when a call begins. */
void
o2o_kinds_read(O2OKinds *kinds)
{
	kinds->count = (int) o2o_model_run(O2O_SELECT_KINDS, NULL, true);
	kinds->rows = palloc(Max(kinds->count, 1) * sizeof(O2OKind));
	for (int row = 0; row < kinds->count; row++)
	{
		O2OKind *kind = &kinds->rows[row];
		bool is_null;
		Datum value;

		kind->kind = o2o_model_text(row, 1);
		kind->priority = DatumGetInt32(o2o_model_value(row, 2, &is_null));
		value = o2o_model_value(row, 3, &is_null);
		kind->limit = is_null ? PG_INT32_MAX : DatumGetInt32(value);
		kind->is_unique = DatumGetBool(o2o_model_value(row, 4, &is_null));
		value = o2o_model_value(row, 5, &is_null);
		kind->time_to_live = NULL;
		if (!is_null)
		{
			kind->time_to_live = palloc(sizeof(Interval));
			*kind->time_to_live = *DatumGetIntervalP(value);
		}
		(void) o2o_model_value(row, 6, &is_null);
		kind->may_be_shared = !is_null;
	}
}

static const O2OKind *
find_kind(const O2OKinds *kinds, const char *name, int len)
{
	for (int i = 0; i < kinds->count; i++)
		if (strncmp(kinds->rows[i].kind, name, len) == 0 && kinds->rows[i].kind[len] == '\0')
			return &kinds->rows[i];
	return NULL;
}

/* Bytes of the kind of an identifier. */
static int
kind_length(const struct varlena *id)
{
	const char *colon = memchr(VARDATA_ANY(id), ':', VARSIZE_ANY_EXHDR(id));

	if (colon == NULL)
		elog(ERROR, "stored identifier has no kind");
	return (int) (colon - VARDATA_ANY(id));
}

/*
 * Within what a value of a unique kind is unique: the app of an openid, the source
 * of a ref, else the whole kind.
 */
static char *
scope_of(const struct varlena *id)
{
	int skip = kind_length(id) + 1;
	const char *value = VARDATA_ANY(id) + skip;
	int len = (int) VARSIZE_ANY_EXHDR(id) - skip;
	const char *slash;

	if ((skip != 7 || memcmp(VARDATA_ANY(id), "openid", 6) != 0) &&
		(skip != 4 || memcmp(VARDATA_ANY(id), "ref", 3) != 0))
		return pstrdup("");
	slash = memchr(value, '/', len);
	return pnstrdup(value, slash != NULL ? slash - value : len);
}

/* identifier_scope(identifier) */
Datum
o2o_identifier_scope(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(scope_of(O2OGetIdentifierPP(0))));
}

/* Higher priority first, then the order of identifiers. */
static int
compare_shown(const void *x, const void *y)
{
	const O2OShown *a = x;
	const O2OShown *b = y;

	if (a->kind->priority != b->kind->priority)
		return a->kind->priority > b->kind->priority ? -1 : 1;
	return o2o_identifier_compare(a->id, b->id);
}

/* Kinds of identifiers, and * for all, as an argument. */
static Datum
kinds_argument(struct varlena *const *ids, int count)
{
	Datum *names = palloc((count + 1) * sizeof(Datum));
	int n = 0;

	for (int i = 0; i < count; i++)
	{
		int len = kind_length(ids[i]);
		bool is_there = false;

		for (int j = 0; j < i && !is_there; j++)
			is_there = memcmp(VARDATA_ANY(ids[i]), VARDATA_ANY(ids[j]),
							  Min(len + 1, VARSIZE_ANY_EXHDR(ids[j]))) == 0;
		if (!is_there)
			names[n++] = PointerGetDatum(cstring_to_text_with_len(VARDATA_ANY(ids[i]), len));
	}
	names[n++] = CStringGetTextDatum("*");
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Does a pattern among the last statement's rows say that the identifier identifies nobody? */
static bool
is_blocked(const O2OShown *shown, uint64 patterns)
{
	int skip = kind_length(shown->id) + 1;
	Datum value = PointerGetDatum(cstring_to_text_with_len(
		VARDATA_ANY(shown->id) + skip, (int) VARSIZE_ANY_EXHDR(shown->id) - skip));

	for (uint64 row = 0; row < patterns; row++)
	{
		bool is_null;
		text *kind = DatumGetTextPP(o2o_model_value(row, 1, &is_null));
		int len = (int) VARSIZE_ANY_EXHDR(kind);

		if (((len == 1 && *VARDATA_ANY(kind) == '*') ||
			 (len == skip - 1 && memcmp(VARDATA_ANY(kind), shown->kind->kind, len) == 0)) &&
			DatumGetBool(DirectFunctionCall2Coll(textregexeq, DEFAULT_COLLATION_OID, value,
												 o2o_model_value(row, 2, &is_null))))
			return true;
	}
	return false;
}

/* The elements of an array, NULLs passed over. */
static struct varlena **
elements_of(ArrayType *identifiers, int *count)
{
	Datum *elements;
	bool *nulls;
	int length;
	struct varlena **ids;

	deconstruct_array(identifiers, ARR_ELEMTYPE(identifiers), -1, false, TYPALIGN_INT, &elements,
					  &nulls, &length);
	ids = palloc(Max(length, 1) * sizeof(struct varlena *));
	*count = 0;
	for (int i = 0; i < length; i++)
		if (!nulls[i])
			ids[(*count)++] = PG_DETOAST_DATUM_PACKED(elements[i]);
	return ids;
}

/*
 * The identifiers that may identify somebody, highest priority first, each once.
 * The source of the event must be registered.
 */
O2OShown *
o2o_identifiers_admit(ArrayType *identifiers, const O2OEvent *event, O2OAdmission *admission)
{
	O2OModelCall source = {0};
	O2OModelCall call = {0};
	int count;
	struct varlena **ids = elements_of(identifiers, &count);
	O2OShown *shown = palloc0(Max(count, 1) * sizeof(O2OShown));
	O2OKinds *kinds = &admission->kinds;
	uint64 patterns;
	int left = 0;

	if (event != NULL)
	{
		o2o_model_arg(&source, event->source, event->is_source_null);
		if (o2o_model_run(O2O_SELECT_COUNTRY, &source, true) == 0)
			o2o_source_error(event->source, event->is_source_null);
	}
	o2o_kinds_read(kinds);

	for (int i = 0; i < count; i++)
	{
		int len = kind_length(ids[i]);

		shown[i].id = ids[i];
		shown[i].kind = find_kind(kinds, VARDATA_ANY(ids[i]), len);
		if (shown[i].kind == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_O2O_KIND_UNKNOWN),
					 errmsg("identifier kind \"%.*s\" is not registered", len, VARDATA_ANY(ids[i])),
					 errhint("Insert a row for it into o2o.identifier_kind.")));
	}
	qsort(shown, count, sizeof(O2OShown), compare_shown);
	o2o_model_arg(&call, kinds_argument(ids, count), false);
	patterns = o2o_model_run(O2O_SELECT_BLOCKS, &call, true);
	for (int i = 0; i < count; i++)
	{
		if ((left > 0 && o2o_identifier_compare(shown[i].id, shown[left - 1].id) == 0) ||
			is_blocked(&shown[i], patterns))
			continue;
		shown[left] = shown[i];
		shown[left].scope = scope_of(shown[left].id);
		left++;
	}
	admission->count = left;
	return shown;
}

/* identity_admit(identifiers identifier[]) */
Datum
o2o_identity_admit(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	ArrayType *identifiers = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType *result;
	O2OAdmission admission;
	O2OShown *shown;
	Datum *elements;

	o2o_model_connect(ARR_ELEMTYPE(identifiers));
	shown = o2o_identifiers_admit(identifiers, NULL, &admission);
	elements = palloc(Max(admission.count, 1) * sizeof(Datum));
	for (int i = 0; i < admission.count; i++)
		elements[i] = PointerGetDatum(shown[i].id);
	MemoryContextSwitchTo(caller);
	result = construct_array(elements, admission.count, ARR_ELEMTYPE(identifiers), -1, false,
							 TYPALIGN_INT);
	SPI_finish();
	PG_RETURN_ARRAYTYPE_P(result);
}
