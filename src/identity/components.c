/*
 * components.c
 *		connected_components(a, b): the components of a graph given by its pairs.
 *		Knows numbers only; what is linked, and why, lives in the model.
 *
 * Union-find over nodes in one array, found through a hash table of positions
 * (open addressing, at most two thirds full). The root of a component is always
 * its lowest id, so that the answer needs no further pass; paths are halved on
 * the way up. At the end a node's link makes room for its component's id, and
 * the array is sorted in place. 22 to 44 bytes a node, depending on how far the
 * last doubling is filled, and no more than maintenance_work_mem.
 */
#include "identity/identity.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(o2o_connected_components);

#define FIRST_SLOTS 1024
#define EMPTY_SLOT (-1)
#define INTERRUPT_EVERY 4096

typedef struct Node64
{
	int64 id;
	union
	{
		int32 parent;    /* position; its own for a root */
		int64 component; /* at the end: lowest id */
	} u;
} Node64;

typedef struct Graph
{
	Node64 *nodes;
	int32 count;
	int32 capacity;
	int32 *slots;
	uint32 slot_count; /* a power of two */
} Graph;

static inline int
compare_nodes(const Node64 *x, const Node64 *y)
{
	if (x->u.component != y->u.component)
		return x->u.component < y->u.component ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return 0;
}

#define ST_SORT sort_nodes
#define ST_ELEMENT_TYPE Node64
#define ST_COMPARE(x, y) compare_nodes(x, y)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Spreads the bits of an id over the hash table (a bijection of 64 bits). */
static inline uint32
spread(int64 id)
{
	uint64 x = (uint64) id;

	x ^= x >> 32;
	x *= UINT64CONST(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64CONST(0xd6e8feb86659fd93);
	x ^= x >> 32;
	return (uint32) x;
}

/* Makes room for slot_count slots, within the memory setting. */
static void
grow(Graph *graph, uint64 slot_count)
{
	uint64 capacity = slot_count * 2 / 3;
	uint64 bytes = slot_count * sizeof(int32) + capacity * sizeof(Node64);

	if (bytes > (uint64) maintenance_work_mem * 1024 || capacity > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("connected components need more memory than maintenance_work_mem"),
				 errdetail("More than %d nodes need " UINT64_FORMAT " kB; the setting is %d kB.",
						   graph->count, (bytes + 1023) / 1024, maintenance_work_mem),
				 errhint("Raise maintenance_work_mem for this session, or pass fewer pairs.")));

	if (graph->slots != NULL)
		pfree(graph->slots);
	graph->slots = NULL;
	if (graph->nodes == NULL)
		graph->nodes = palloc_extended(capacity * sizeof(Node64), MCXT_ALLOC_HUGE);
	else
		graph->nodes = repalloc_huge(graph->nodes, capacity * sizeof(Node64));
	graph->slots = palloc_extended(slot_count * sizeof(int32), MCXT_ALLOC_HUGE);
	memset(graph->slots, 0xFF, slot_count * sizeof(int32)); /* EMPTY_SLOT */
	graph->capacity = (int32) capacity;
	graph->slot_count = (uint32) slot_count;

	for (int32 i = 0; i < graph->count; i++)
	{
		uint32 at = spread(graph->nodes[i].id) & (graph->slot_count - 1);

		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		while (graph->slots[at] != EMPTY_SLOT)
			at = (at + 1) & (graph->slot_count - 1);
		graph->slots[at] = i;
	}
}

/* Position of the node with this id; a new one is a component of its own. */
static int32
node_position(Graph *graph, int64 id)
{
	uint32 at = spread(id) & (graph->slot_count - 1);

	while (graph->slots[at] != EMPTY_SLOT)
	{
		if (graph->nodes[graph->slots[at]].id == id)
			return graph->slots[at];
		at = (at + 1) & (graph->slot_count - 1);
	}
	if (graph->count == graph->capacity)
	{
		grow(graph, (uint64) graph->slot_count * 2);
		at = spread(id) & (graph->slot_count - 1);
		while (graph->slots[at] != EMPTY_SLOT)
			at = (at + 1) & (graph->slot_count - 1);
	}
	graph->slots[at] = graph->count;
	graph->nodes[graph->count].id = id;
	graph->nodes[graph->count].u.parent = graph->count;
	return graph->count++;
}

/* Root of a node; on the way every other link is cut short. */
static int32
find_root(Node64 *nodes, int32 at)
{
	while (nodes[at].u.parent != at)
	{
		int32 up = nodes[nodes[at].u.parent].u.parent;

		nodes[at].u.parent = up;
		at = up;
	}
	return at;
}

/* Joins the components of two nodes under the lower of their roots' ids. */
static void
join_nodes(Graph *graph, int64 a, int64 b)
{
	int32 x = node_position(graph, a);
	int32 y = a == b ? x : node_position(graph, b);

	x = find_root(graph->nodes, x);
	y = find_root(graph->nodes, y);
	if (x == y)
		return;
	if (graph->nodes[x].id < graph->nodes[y].id)
		graph->nodes[y].u.parent = x;
	else
		graph->nodes[x].u.parent = y;
}

/* Replaces the links by the ids of the components, and sorts. */
static void
finish(Graph *graph)
{
	Node64 *nodes = graph->nodes;

	pfree(graph->slots);
	for (int32 i = 0; i < graph->count; i++)
	{
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		nodes[i].u.parent = find_root(nodes, i);
	}
	/* now every link leads to a root, whose id stays, so the order is free */
	for (int32 i = 0; i < graph->count; i++)
	{
		int64 component = nodes[nodes[i].u.parent].id;

		nodes[i].u.component = component;
	}
	sort_nodes(nodes, graph->count);
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
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Graph graph = {0};
	int a_count;
	int b_count;
	const int64 *a = ids_argument(fcinfo, 0, &a_count);
	const int64 *b = ids_argument(fcinfo, 1, &b_count);

	if (a_count != b_count)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("arrays of nodes must have the same length"),
						errdetail("The first has %d elements, the second %d.", a_count, b_count)));

	InitMaterializedSRF(fcinfo, 0);
	grow(&graph, FIRST_SLOTS);
	for (int i = 0; i < a_count; i++)
	{
		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		join_nodes(&graph, a[i], b[i]);
	}
	finish(&graph);

	for (int32 i = 0; i < graph.count; i++)
	{
		Datum values[2];
		bool nulls[2] = {false, false};

		if (i % INTERRUPT_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum(graph.nodes[i].id);
		values[1] = Int64GetDatum(graph.nodes[i].u.component);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	pfree(graph.nodes);
	return (Datum) 0;
}
