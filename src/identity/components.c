/*
 * components.c
 *		connected_components and identifier_components as SQL sees them: pairs
 *		from arrays, or one by one from a query. Knows nothing of the model: what is
 *		linked, and why, lives there. The union-find of numbers stands in
 *		components_bigint.c and components_hash.c, that of identifiers in components_identifier.c.
 */
#include "identity/components.h"

#include "base/integer.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_connected_components);
PG_FUNCTION_INFO_V1(o2o_connected_components_query);
PG_FUNCTION_INFO_V1(o2o_identifier_components);

/* Raises an error where bytes are more than maintenance_work_mem. */
void
o2o_graph_memory(uint64 bytes, int32 nodes)
{
	if (bytes > (uint64) maintenance_work_mem * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("connected components need more memory than maintenance_work_mem"),
				 errdetail("%d nodes or more need " UINT64_FORMAT " kB; the setting is %d kB.",
						   nodes, (bytes + 1023) / 1024, maintenance_work_mem),
				 errhint("Raise maintenance_work_mem for this session, or pass fewer "
						 "pairs.")));
}

/* Room for at least so many elements; the old ones stay. */
void *
o2o_graph_resize(void *old, uint64 bytes)
{
	if (old == NULL)
		return palloc_extended(bytes, MCXT_ALLOC_HUGE);
	return repalloc_huge(old, bytes);
}

/* A row of the answer. */
void
o2o_graph_row(ReturnSetInfo *result, int64 node, int64 component)
{
	Datum values[2] = {Int64GetDatum(node), Int64GetDatum(component)};
	bool nulls[2] = {false, false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The elements of an argument: one dimension, no NULL. */
static const int64 *
ids_argument(FunctionCallInfo fcinfo, int n, int *count)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(n);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of nodes must have one dimension")));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("arrays of nodes must not contain nulls")));
	*count = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	return (const int64 *) ARR_DATA_PTR(array);
}

/* connected_components(a bigint[], b bigint[]) */
Datum
o2o_connected_components(PG_FUNCTION_ARGS)
{
	O2OGraph64 *graph;
	int a_count;
	int b_count;
	const int64 *a = ids_argument(fcinfo, 0, &a_count);
	const int64 *b = ids_argument(fcinfo, 1, &b_count);

	if (a_count != b_count)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of nodes must have the same length"),
						errdetail("The first has %d elements, the second %d.", a_count, b_count)));

	InitMaterializedSRF(fcinfo, 0);
	graph = o2o_graph64_create();
	for (int i = 0; i < a_count; i++)
	{
		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		o2o_graph64_join(graph, a[i], b[i]);
	}
	o2o_graph64_answer(graph, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/*
 * Takes the rows of a query as pairs, without keeping them. The graph lives in
 * the context that was current when the query was begun.
 */
typedef struct PairReceiver
{
	DestReceiver pub;
	Oid key; /* type of both columns; of numbers the smaller ones serve too */
	Oid types[2];
	O2OGraph64 *numbers;
	O2OGraphText *texts;
	MemoryContext context;
} PairReceiver;

/* May a column of this type be a node? */
static bool
is_key(const PairReceiver *receiver, Oid type)
{
	return type == receiver->key ||
		   (receiver->key == INT8OID && (type == INT4OID || type == INT2OID));
}

static void
pair_startup(DestReceiver *self, int operation, TupleDesc rows)
{
	PairReceiver *receiver = (PairReceiver *) self;

	if (rows->natts != 2)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("a query for connected components must return two columns"),
						errdetail("It returns %d.", rows->natts)));
	for (int i = 0; i < 2; i++)
	{
		receiver->types[i] = getBaseType(TupleDescAttr(rows, i)->atttypid);
		if (!is_key(receiver, receiver->types[i]))
			ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
							errmsg("nodes must be of type %s", format_type_be(receiver->key)),
							errdetail("Column \"%s\" is of type %s.",
									  NameStr(TupleDescAttr(rows, i)->attname),
									  format_type_be(receiver->types[i])),
							errhint("Cast it in the query.")));
	}
}

static bool
pair_receive(TupleTableSlot *slot, DestReceiver *self)
{
	PairReceiver *receiver = (PairReceiver *) self;
	MemoryContext caller;

	slot_getallattrs(slot);
	if (slot->tts_isnull[0] || slot->tts_isnull[1])
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("a node must not be null"),
						errhint("Leave such rows out, or write coalesce(b, a) for a node alone.")));
	caller = MemoryContextSwitchTo(receiver->context);
	if (receiver->numbers != NULL)
		o2o_graph64_join(receiver->numbers, o2o_integer_of(receiver->types[0], slot->tts_values[0]),
						 o2o_integer_of(receiver->types[1], slot->tts_values[1]));
	else
	{
		struct varlena *a = PG_DETOAST_DATUM_PACKED(slot->tts_values[0]);
		struct varlena *b = PG_DETOAST_DATUM_PACKED(slot->tts_values[1]);

		o2o_graph_text_join(receiver->texts, a, b);
		if (PointerGetDatum(a) != slot->tts_values[0])
			pfree(a);
		if (PointerGetDatum(b) != slot->tts_values[1])
			pfree(b);
	}
	MemoryContextSwitchTo(caller);
	return true;
}

static void
pair_shutdown(DestReceiver *self)
{
}

static void
pair_destroy(DestReceiver *self)
{
}

/* Runs a query of pairs, read-only, and hands its rows to the graph. */
static void
receive_pairs(const char *query, PairReceiver *receiver)
{
	SPIExecuteOptions options = {0};
	int status;

	receiver->pub.receiveSlot = pair_receive;
	receiver->pub.rStartup = pair_startup;
	receiver->pub.rShutdown = pair_shutdown;
	receiver->pub.rDestroy = pair_destroy;
	receiver->pub.mydest = DestNone;
	receiver->context = CurrentMemoryContext;
	options.read_only = true;
	options.must_return_tuples = true;
	options.dest = &receiver->pub;
	SPI_connect();
	status = SPI_execute_extended(query, &options);
	if (status < 0)
		elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(status));
	SPI_finish();
}

/* connected_components(query text) */
Datum
o2o_connected_components_query(PG_FUNCTION_ARGS)
{
	PairReceiver receiver = {.key = INT8OID, .numbers = o2o_graph64_create()};

	receive_pairs(text_to_cstring(PG_GETARG_TEXT_PP(0)), &receiver);
	InitMaterializedSRF(fcinfo, 0);
	o2o_graph64_answer(receiver.numbers, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}

/* identifier_components(query text) */
Datum
o2o_identifier_components(PG_FUNCTION_ARGS)
{
	PairReceiver receiver = {.texts = o2o_graph_text_create()};

	InitMaterializedSRF(fcinfo, 0);
	receiver.key = TupleDescAttr(((ReturnSetInfo *) fcinfo->resultinfo)->setDesc, 0)->atttypid;
	receive_pairs(text_to_cstring(PG_GETARG_TEXT_PP(0)), &receiver);
	o2o_graph_text_answer(receiver.texts, (ReturnSetInfo *) fcinfo->resultinfo);
	return (Datum) 0;
}
