/*
 * components_identifier.c
 *		Union-find over identifiers. Where the pairs come from lives in
 *		components.c, numbers in components_bigint.c.
 *
 * The bytes of each identifier stand once in one run of memory; a hash table
 * (open addressing, at most two thirds full) leads to nodes of 16 bytes.
 */
#include "identity/components.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define FIRST_SLOTS 1024
#define FIRST_BYTES (64 * 1024)
#define EMPTY_SLOT (-1)

typedef struct NodeText
{
	uint64 offset; /* of its text: a length of four bytes, then the bytes */
	uint32 hash;
} NodeText;

struct O2OGraphText
{
	NodeText *nodes;
	int32 *links;
	int32 *slots;
	int32 count;
	int32 capacity;
	uint32 slot_mask;
	char *bytes;
	uint64 bytes_used;
	uint64 bytes_capacity;
};

static inline uint32
text_length(const O2OGraphText *graph, int32 node)
{
	uint32 length;

	memcpy(&length, graph->bytes + graph->nodes[node].offset, sizeof(length));
	return length;
}

static inline const char *
text_bytes(const O2OGraphText *graph, int32 node)
{
	return graph->bytes + graph->nodes[node].offset + sizeof(uint32);
}

/* The order of identifiers, as their operators have it. */
static inline int
compare_texts(const int32 *x, const int32 *y, void *graph)
{
	uint32 x_length = text_length(graph, *x);
	uint32 y_length = text_length(graph, *y);
	int order = memcmp(text_bytes(graph, *x), text_bytes(graph, *y), Min(x_length, y_length));

	if (order != 0)
		return order;
	return x_length < y_length ? -1 : x_length > y_length;
}

#define ST_SORT sort_texts
#define ST_ELEMENT_TYPE int32
#define ST_COMPARE_ARG_TYPE void
#define ST_COMPARE(x, y, graph) compare_texts(x, y, graph)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Bytes in use with so many slots and bytes of text; the answer needs no more than the slots do. */
static void
check_memory(const O2OGraphText *graph, uint64 slot_count, uint64 bytes_capacity)
{
	o2o_graph_memory(slot_count * sizeof(int32) +
						 slot_count * 2 / 3 * (sizeof(NodeText) + sizeof(int32)) + bytes_capacity,
					 graph->count);
}

/* Makes room for slot_count slots, a power of two, and two thirds as many nodes. */
static void
grow(O2OGraphText *graph, uint64 slot_count)
{
	uint64 capacity = slot_count * 2 / 3;

	if (capacity > O2O_GRAPH_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("graph has too many nodes")));
	check_memory(graph, slot_count, graph->bytes_capacity);
	if (graph->nodes == NULL)
	{
		graph->nodes = palloc_extended(capacity * sizeof(NodeText), MCXT_ALLOC_HUGE);
		graph->links = palloc_extended(capacity * sizeof(int32), MCXT_ALLOC_HUGE);
	}
	else
	{
		pfree(graph->slots);
		graph->nodes = repalloc_huge(graph->nodes, capacity * sizeof(NodeText));
		graph->links = repalloc_huge(graph->links, capacity * sizeof(int32));
	}
	graph->slots = palloc_extended(slot_count * sizeof(int32), MCXT_ALLOC_HUGE);
	memset(graph->slots, 0xFF, slot_count * sizeof(int32)); /* EMPTY_SLOT */
	graph->capacity = (int32) capacity;
	graph->slot_mask = (uint32) slot_count - 1;

	for (int32 i = 0; i < graph->count; i++)
	{
		uint32 at = graph->nodes[i].hash & graph->slot_mask;

		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		while (graph->slots[at] != EMPTY_SLOT)
			at = (at + 1) & graph->slot_mask;
		graph->slots[at] = i;
	}
}

/* An empty graph. */
O2OGraphText *
o2o_graph_text_create(void)
{
	O2OGraphText *graph = palloc0(sizeof(O2OGraphText));

	graph->bytes_capacity = FIRST_BYTES;
	graph->bytes = palloc(FIRST_BYTES);
	grow(graph, FIRST_SLOTS);
	return graph;
}

/* The node of an identifier; a new one is a tree of its own. */
static int32
node_of(O2OGraphText *graph, const struct varlena *id)
{
	uint32 length = VARSIZE_ANY_EXHDR(id);
	uint32 hash = hash_bytes((const unsigned char *) VARDATA_ANY(id), (int) length);
	uint32 at = hash & graph->slot_mask;

	while (graph->slots[at] != EMPTY_SLOT)
	{
		int32 node = graph->slots[at];

		if (graph->nodes[node].hash == hash && text_length(graph, node) == length &&
			memcmp(text_bytes(graph, node), VARDATA_ANY(id), length) == 0)
			return node;
		at = (at + 1) & graph->slot_mask;
	}
	if (graph->count == graph->capacity)
	{
		grow(graph, ((uint64) graph->slot_mask + 1) * 2);
		at = hash & graph->slot_mask;
		while (graph->slots[at] != EMPTY_SLOT)
			at = (at + 1) & graph->slot_mask;
	}
	while (graph->bytes_used + sizeof(length) + length > graph->bytes_capacity)
	{
		check_memory(graph, (uint64) graph->slot_mask + 1, graph->bytes_capacity * 2);
		graph->bytes = repalloc_huge(graph->bytes, graph->bytes_capacity * 2);
		graph->bytes_capacity *= 2;
	}
	graph->nodes[graph->count].offset = graph->bytes_used;
	graph->nodes[graph->count].hash = hash;
	memcpy(graph->bytes + graph->bytes_used, &length, sizeof(length));
	memcpy(graph->bytes + graph->bytes_used + sizeof(length), VARDATA_ANY(id), length);
	graph->bytes_used += sizeof(length) + length;
	graph->links[graph->count] = o2o_link_of_size(1);
	graph->slots[at] = graph->count;
	return graph->count++;
}

/* Puts two nodes into one component. */
void
o2o_graph_text_join(O2OGraphText *graph, const struct varlena *a, const struct varlena *b)
{
	int32 x = node_of(graph, a);
	int32 y = node_of(graph, b);

	o2o_join_nodes(graph->links, x, y);
}

static Datum
text_datum(const O2OGraphText *graph, int32 node)
{
	return PointerGetDatum(
		cstring_to_text_with_len(text_bytes(graph, node), (int) text_length(graph, node)));
}

/*
 * A row for each node: components in the order in which the pairs named them
 * first, nodes ascending within. The slots are used up.
 */
void
o2o_graph_text_answer(O2OGraphText *graph, ReturnSetInfo *result)
{
	int32 *order = graph->slots;
	int32 next = 0;

	for (int32 i = 0; i < graph->count; i++)
	{
		if (i % O2O_GRAPH_INTERRUPT == 0)
			CHECK_FOR_INTERRUPTS();
		order[o2o_take_place(graph->links, i, &next)] = i;
	}
	for (int32 from = 0, to; from < graph->count; from = to)
	{
		/* the place that a root holds now is the end of its component */
		int32 root = o2o_find_root(graph->links, order[from]);
		Datum values[2];
		bool nulls[2] = {false, false};

		to = o2o_place_of_link(graph->links[root]);
		sort_texts(order + from, to - from, graph);
		values[1] = text_datum(graph, order[from]);
		for (int32 i = from; i < to; i++)
		{
			CHECK_FOR_INTERRUPTS();
			values[0] = text_datum(graph, order[i]);
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
			pfree(DatumGetPointer(values[0]));
		}
		pfree(DatumGetPointer(values[1]));
	}
}
