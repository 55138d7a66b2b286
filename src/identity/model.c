/*
 * model.c
 *		The statements that C runs on the tables of the identity room, with the
 *		rights of whoever is current: the model's owner inside an API function.
 *		When which one is run lives in resolve.c and its neighbours.
 *
 * Plans are made once in a session and kept. They are generic, so a statement
 * must have one good plan: it asks one table for a few keys. All names are
 * qualified, so that no search_path changes what a statement means. Those that
 * every call runs go without a plan where they can: beside them stands the same
 * as a lookup (lookup.c).
 */
#include "identity/model.h"

#include "identity/lookup.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* In the place of types whose numbers are not known before the session runs. */
#define IDENTIFIER 1
#define IDENTIFIERS 2

#define EQ " OPERATOR(pg_catalog.=) "
#define ANY EQ "ANY "

typedef struct Statement
{
	const char *text;
	Oid arguments[O2O_MODEL_ARGS]; /* up to the first InvalidOid */
	O2OLookup lookup;              /* the same without a plan; empty: there is none */
	SPIPlanPtr plan;
	bool is_planned; /* its generic plan was made */
} Statement;

/* The keys of a lookup, and the columns that it gives. */
#define KEYS(n, ...) .keys = n, .key = {__VA_ARGS__}
#define COLUMNS(n, ...) .columns = n, .column = {__VA_ARGS__}

static Statement statements[] = {
	[O2O_SELECT_COUNTRY] = {"SELECT s.default_country FROM o2o.source s WHERE s.source" EQ "$1",
							{TEXTOID},
							{"source", "source_pkey", KEYS(1, "source"),
							 COLUMNS(1, "default_country")}},
	[O2O_SELECT_KINDS] = {"SELECT k.kind, k.priority, k.max_per_customer, k.is_unique, "
						  "k.time_to_live, k.shared_threshold FROM o2o.identifier_kind k",
						  {InvalidOid},
						  {"identifier_kind",
						   COLUMNS(6, "kind", "priority", "max_per_customer", "is_unique",
								   "time_to_live", "shared_threshold")}},
	[O2O_SELECT_BLOCKS] = {"SELECT b.kind, b.pattern FROM o2o.identifier_block b "
						   "WHERE b.kind" ANY "($1)",
						   {TEXTARRAYOID},
						   {"identifier_block", "identifier_block_pkey", KEYS(1, "kind"),
							.is_any = true, COLUMNS(2, "kind", "pattern")}},
	[O2O_SELECT_SETTING] = {"SELECT s.value FROM o2o.setting s WHERE s.name" EQ "$1",
							{TEXTOID},
							{"setting", "setting_pkey", KEYS(1, "name"), COLUMNS(1, "value")}},
	[O2O_SELECT_IDENTIFIERS] = {"SELECT i.identifier, i.profile_id, i.is_shared, i.first_seen_at, "
								"i.last_seen_at FROM o2o.profile_identifier i "
								"WHERE i.identifier OPERATOR(o2o.=) ANY ($1)",
								{IDENTIFIERS},
								{"profile_identifier", "profile_identifier_pkey",
								 KEYS(1, "identifier"), .is_any = true,
								 COLUMNS(5, "identifier", "profile_id", "is_shared",
										 "first_seen_at", "last_seen_at")}},
	[O2O_SELECT_HOLDER] = {"SELECT i.profile_id, i.is_shared, i.last_seen_at "
						   "FROM o2o.profile_identifier i "
						   "WHERE i.identifier OPERATOR(o2o.=) $1",
						   {IDENTIFIER},
						   {"profile_identifier", "profile_identifier_pkey", KEYS(1, "identifier"),
							COLUMNS(3, "profile_id", "is_shared", "last_seen_at")}},
	[O2O_SELECT_TIME_TO_LIVE] = {"SELECT k.time_to_live FROM o2o.identifier_kind k "
								 "WHERE k.kind" EQ "$1",
								 {TEXTOID},
								 {"identifier_kind", "identifier_kind_pkey", KEYS(1, "kind"),
								  COLUMNS(1, "time_to_live")}},
	[O2O_INSERT_IDENTIFIERS] = {"INSERT INTO o2o.profile_identifier "
								"(identifier, profile_id, first_seen_at, last_seen_at) "
								"SELECT u.id, pg_catalog.nextval('o2o.profile_id_seq'), $2, $2 "
								"FROM pg_catalog.unnest($1) u (id) ON CONFLICT DO NOTHING",
								{IDENTIFIERS, TIMESTAMPTZOID}},
	[O2O_TOUCH_IDENTIFIER] = {"UPDATE o2o.profile_identifier i SET last_seen_at = $2 "
							  "WHERE i.identifier OPERATOR(o2o.=) $1 "
							  "AND i.last_seen_at OPERATOR(pg_catalog.<) $2",
							  {IDENTIFIER, TIMESTAMPTZOID}},
	[O2O_RECYCLE_IDENTIFIER] =
		{"WITH given AS (UPDATE o2o.profile_identifier i "
		 "SET profile_id = $3, is_shared = false, shared_at = NULL, first_seen_at = $2, last_seen_at = $2 "
		 "WHERE i.identifier OPERATOR(o2o.=) $1 AND i.profile_id" EQ "$4 AND i.last_seen_at" EQ
		 "$5 RETURNING 1) "
		 "INSERT INTO o2o.identifier_period "
		 "(profile_id, successor_profile_id, valid_from, valid_to, reason, last_seen_at) "
		 "SELECT $4, $3, $6, $7, 'expired', $5 FROM given",
		 {IDENTIFIER, TIMESTAMPTZOID, INT8OID, INT8OID, TIMESTAMPTZOID, TIMESTAMPTZOID,
		  TIMESTAMPTZOID}},
	[O2O_SELECT_PERIOD] = {"SELECT p.profile_id, p.valid_from, p.valid_to "
						   "FROM o2o.identifier_period p WHERE p.successor_profile_id" EQ "$1",
						   {INT8OID},
						   {"identifier_period", "identifier_period_successor_idx",
							KEYS(1, "successor_profile_id"),
							COLUMNS(3, "profile_id", "valid_from", "valid_to")}},
	[O2O_SELECT_PROFILES] = {"SELECT p.profile_id, p.customer_id FROM o2o.profile p "
							 "WHERE p.profile_id" ANY "($1)",
							 {INT8ARRAYOID},
							 {"profile", "profile_pkey", KEYS(1, "profile_id"), .is_any = true,
							  COLUMNS(2, "profile_id", "customer_id")}},
	[O2O_SELECT_CUSTOMER] = {"SELECT p.customer_id FROM o2o.profile p WHERE p.profile_id" EQ "$1",
							 {INT8OID},
							 {"profile", "profile_pkey", KEYS(1, "profile_id"),
							  COLUMNS(1, "customer_id")}},
	[O2O_SELECT_MEMBERS] = {"SELECT p.profile_id, p.kind, p.scope FROM o2o.profile p "
							"WHERE p.customer_id" EQ "$1",
							{INT8OID},
							{"profile", "profile_customer_id_idx", KEYS(1, "customer_id"),
							 COLUMNS(3, "profile_id", "kind", "scope")}},
	[O2O_SELECT_PROFILE_KINDS] = {"SELECT p.profile_id, p.kind, p.scope FROM o2o.profile p "
								  "WHERE p.profile_id" ANY "($1)",
								  {INT8ARRAYOID},
								  {"profile", "profile_pkey", KEYS(1, "profile_id"), .is_any = true,
								   COLUMNS(3, "profile_id", "kind", "scope")}},
	[O2O_LOCK_CUSTOMER] = {"SELECT 1 FROM o2o.customer c WHERE c.customer_id" EQ
						   "$1 FOR NO KEY UPDATE",
						   {INT8OID}},
	[O2O_SELECT_LINK] = {"SELECT e.last_seen_at FROM o2o.identity_evidence e WHERE e.profile_id" EQ
						 "$1 AND e.profiles" EQ "$2 AND e.rule" EQ "$3 AND e.source" EQ
						 "$4 AND e.status" EQ "$5",
						 {INT8OID, INT8ARRAYOID, TEXTOID, TEXTOID, TEXTOID},
						 {"identity_evidence", "identity_evidence_set_idx",
						  KEYS(5, "profile_id", "profiles", "rule", "source", "status"),
						  COLUMNS(1, "last_seen_at")}},
	[O2O_SELECT_CANNOT_LINK] = {"SELECT 1 FROM o2o.identity_evidence e WHERE e.profile_id" ANY
								"($1) AND e.status" EQ
								"'cannot_link' AND e.profiles OPERATOR(pg_catalog.<@) $1 LIMIT 1",
								{INT8ARRAYOID}},
	[O2O_NEXT_PROFILE] = {"SELECT pg_catalog.nextval('o2o.profile_id_seq')"},
	[O2O_INSERT_PROFILES] = {"INSERT INTO o2o.profile "
							 "(profile_id, customer_id, kind, scope, source, created_at) "
							 "SELECT u.profile_id, u.customer_id, u.kind, u.scope, $5, $6 "
							 "FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), "
							 "pg_catalog.unnest($3), pg_catalog.unnest($4)) "
							 "u (profile_id, customer_id, kind, scope)",
							 {INT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTOID,
							  TIMESTAMPTZOID}},
	[O2O_INSERT_CUSTOMERS] = {"INSERT INTO o2o.customer "
							  "(customer_id, profile_count, created_at, changed_at) "
							  "SELECT u.id, $2, $3, $3 FROM pg_catalog.unnest($1) u (id)",
							  {INT8ARRAYOID, INT4OID, TIMESTAMPTZOID}},
	[O2O_GROW_CUSTOMER] = {"UPDATE o2o.customer c SET profile_count = $2, changed_at = $3 "
						   "WHERE c.customer_id" EQ "$1",
						   {INT8OID, INT4OID, TIMESTAMPTZOID}},
	[O2O_RECORD_EVIDENCE] =
		{"INSERT INTO o2o.identity_evidence AS e (profile_id, profiles, status, rule, source, "
		 "reason, event_id, occurred_at, last_seen_at) "
		 "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) "
		 "ON CONFLICT (profile_id, profiles, rule, source, status) "
		 "WHERE status OPERATOR(pg_catalog.<>) 'retracted' "
		 "DO UPDATE SET last_seen_at = greatest(e.last_seen_at, excluded.last_seen_at), "
		 "reason = excluded.reason RETURNING e.evidence_id",
		 {INT8OID, INT8ARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}},
	[O2O_ABSORB_CUSTOMERS] = {"SELECT o2o.customer_absorb($1, $2, $3, $4, $5)",
							  {INT8ARRAYOID, INT8ARRAYOID, INT8OID, INT8OID, TIMESTAMPTZOID}},
	[O2O_SHARE_IDENTIFIER] = {"SELECT CASE WHEN o2o.identifier_is_overused($1) "
							  "THEN o2o.identifier_mark_shared($1, $2) ELSE false END",
							  {INT8OID, TIMESTAMPTZOID}},
};

/* Type identifier that the plans were made for; another after the extension was made anew. */
static Oid planned_type = InvalidOid;

/* Opens SPI. Before a statement with identifiers their type is needed, else InvalidOid will do. */
void
o2o_model_connect(Oid identifier_type)
{
	if (OidIsValid(identifier_type) && identifier_type != planned_type)
	{
		for (int i = 0; i < lengthof(statements); i++)
			if (statements[i].plan != NULL)
			{
				SPI_freeplan(statements[i].plan);
				statements[i].plan = NULL;
			}
		planned_type = identifier_type;
	}
	SPI_connect();
}

/* The type identifier of this database. */
Oid
o2o_identifier_type(void)
{
	Oid schema = get_namespace_oid("o2o", false);
	Oid type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("identifier"),
							   ObjectIdGetDatum(schema));

	if (!OidIsValid(type))
		elog(ERROR, "type o2o.identifier does not exist");
	return type;
}

/* The type identifier that the plans are made for. */
Oid
o2o_model_identifier_type(void)
{
	return planned_type;
}

static SPIPlanPtr
prepare(const Statement *statement)
{
	Oid types[O2O_MODEL_ARGS];
	int count = 0;
	SPIPlanPtr plan;

	for (; count < O2O_MODEL_ARGS && OidIsValid(statement->arguments[count]); count++)
	{
		types[count] = statement->arguments[count];
		if (types[count] == IDENTIFIER)
			types[count] = planned_type;
		else if (types[count] == IDENTIFIERS)
			types[count] = get_array_type(planned_type);
	}
	plan = SPI_prepare_cursor(statement->text, count, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	return plan;
}

/*
 * A plan made while a table was empty or never analysed must not scan it once it
 * has grown. Only the rules are read whole, and from small tables.
 */
static void
forbid_scans(void)
{
	static const char *const settings[] = {"enable_seqscan", "enable_bitmapscan"};

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i], "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
}

/* The rows of the last statement, where it was a lookup. */
static bool last_was_lookup;
static O2OFound last_found;

/*
 * Runs a statement and returns the number of its rows. A read-only one sees
 * what its caller's snapshot sees, another what is committed by now.
 */
uint64
o2o_model_run(O2OModelStatement number, O2OModelCall *call, bool read_only)
{
	Statement *statement = &statements[number];
	int nest_level = -1;
	int status;

	SPI_freetuptable(SPI_tuptable);
	SPI_tuptable = NULL;
	last_was_lookup = o2o_lookup_run(&statement->lookup, call != NULL ? call->values : NULL,
									 call != NULL ? call->nulls : NULL, read_only, &last_found);
	if (last_was_lookup)
		return last_found.count;
	if (statement->plan == NULL)
	{
		statement->plan = prepare(statement);
		statement->is_planned = false;
	}
	if (number != O2O_SELECT_KINDS &&
		!(statement->is_planned && SPI_plan_is_valid(statement->plan)))
	{
		nest_level = NewGUCNestLevel();
		forbid_scans();
	}
	status = SPI_execute_plan(statement->plan, call != NULL ? call->values : NULL,
							  call != NULL ? call->nulls : NULL, read_only, 0);
	if (status < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(status));
	if (nest_level >= 0)
		AtEOXact_GUC(true, nest_level);
	statement->is_planned = true;
	return SPI_processed;
}

/* A value of the last statement's rows; it goes with the next statement. */
Datum
o2o_model_value(uint64 row, int column, bool *is_null)
{
	if (last_was_lookup)
	{
		uint64 at = row * last_found.columns + column - 1;

		*is_null = last_found.nulls[at];
		return last_found.values[at];
	}
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, is_null);
}

/* A bigint of the last statement's rows that is never NULL. */
int64
o2o_model_int64(uint64 row, int column)
{
	bool is_null;
	Datum value = o2o_model_value(row, column, &is_null);

	if (is_null)
		elog(ERROR, "unexpected NULL in the model");
	return DatumGetInt64(value);
}

/* A text of the last statement's rows, the caller's to keep, or NULL. */
char *
o2o_model_text(uint64 row, int column)
{
	bool is_null;
	Datum value = o2o_model_value(row, column, &is_null);

	return is_null ? NULL : TextDatumGetCString(value);
}

/* An array of ids as an argument. */
ArrayType *
o2o_model_ids(const int64 *ids, int count)
{
	Datum *elements = palloc(Max(count, 1) * sizeof(Datum));

	for (int i = 0; i < count; i++)
		elements[i] = Int64GetDatum(ids[i]);
	return construct_array(elements, count, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
						   TYPALIGN_DOUBLE);
}
